"""Decisions only by those who hold the role, approvals only with the decisions they need: the database's own check."""

from __future__ import annotations

from django.db import migrations

ENTITLED = """
-- As registry.access reads grants: a person's or his groups', everywhere or on one project.
CREATE FUNCTION governance_holds_role(person bigint, wanted text, project bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT 1 FROM auth_permission p JOIN django_content_type c ON c.id = p.content_type_id
     WHERE c.app_label = 'registry' AND c.model = 'project' AND p.codename = 'role_' || wanted AND (
       EXISTS (SELECT 1 FROM registry_user_user_permissions u WHERE u.user_id = person AND u.permission_id = p.id)
       OR EXISTS (SELECT 1 FROM registry_user_groups g JOIN auth_group_permissions gp ON gp.group_id = g.group_id
                   WHERE g.user_id = person AND gp.permission_id = p.id)
       OR EXISTS (SELECT 1 FROM registry_projectuserobjectpermission o
                   WHERE o.user_id = person AND o.permission_id = p.id AND o.content_object_id = project)
       OR EXISTS (SELECT 1 FROM registry_projectgroupobjectpermission o JOIN registry_user_groups g
                      ON g.group_id = o.group_id
                   WHERE g.user_id = person AND o.permission_id = p.id AND o.content_object_id = project)))
$$;

CREATE FUNCTION governance_decision_entitled() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  project bigint;
BEGIN
  -- Requester and registrant are refused by the CHECK constraints, which name the real reason.
  IF NEW.decider_id = NEW.requester_id_copy OR NEW.decider_id = NEW.registrant_id_copy THEN RETURN NEW; END IF;
  SELECT coalesce(u.project_id, g.project_id) INTO project
    FROM governance_approvalrequest r
    LEFT JOIN registry_usecase u ON u.id = r.use_case_id
    LEFT JOIN registry_modelversion v ON v.id = r.version_id
    LEFT JOIN registry_modelgroup g ON g.id = v.group_id
   WHERE r.id = NEW.request_id;
  IF NOT governance_holds_role(NEW.decider_id, NEW.role, project) THEN
    RAISE EXCEPTION 'person % does not hold the role % there', NEW.decider_id, NEW.role
      USING ERRCODE = '23514', CONSTRAINT = 'decision_role_held', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER decision_role_held BEFORE INSERT ON governance_decision
  FOR EACH ROW EXECUTE FUNCTION governance_decision_entitled();
ALTER TABLE governance_decision ENABLE ALWAYS TRIGGER decision_role_held;

CREATE FUNCTION governance_request_decided() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  need jsonb;
BEGIN
  IF NEW.state = 'approved' AND OLD.state = 'open' THEN
    FOR need IN SELECT jsonb_array_elements(NEW.requirements -> 'approvals') LOOP
      IF (SELECT count(DISTINCT d.decider_id) FROM governance_decision d
           WHERE d.request_id = NEW.id AND d.verdict = 'approve' AND d.role = need ->> 'role')
         < (need ->> 'count')::int THEN
        RAISE EXCEPTION 'request % lacks approvals in the role %', NEW.id, need ->> 'role'
          USING ERRCODE = '23514', CONSTRAINT = 'request_decided', TABLE = TG_TABLE_NAME;
      END IF;
    END LOOP;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER request_decided BEFORE UPDATE OF state ON governance_approvalrequest
  FOR EACH ROW EXECUTE FUNCTION governance_request_decided();
ALTER TABLE governance_approvalrequest ENABLE ALWAYS TRIGGER request_decided;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0006_keep_history"),
        ("registry", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunSQL(ENTITLED)]
