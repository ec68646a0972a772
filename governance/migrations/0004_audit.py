"""The audit trail: a row trigger on every governed table, one hash chain per object, append-only.

The hash covers the JSON array [chain, sequence-independent time in UTC, transaction, database user, actor, reason,
correlation, table, object, action, changes] behind the previous hash of the chain, so it does not depend on the
session's time zone or date style, and fields cannot flow into each other.
"""

from __future__ import annotations

from django.db import migrations

TRAIL = """
CREATE FUNCTION governance_audit_digest(
  previous bytea, chain text, at timestamptz, transaction bigint, database_user text, actor text, reason text,
  correlation text, tbl text, object_id text, action text, changes jsonb) RETURNS bytea
LANGUAGE sql STABLE AS $$
  SELECT sha256(coalesce(previous, ''::bytea) || convert_to(jsonb_build_array(
    chain, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), transaction, database_user, actor, reason,
    correlation, tbl, object_id, action, changes)::text, 'UTF8'))
$$;

-- Arguments: key column, columns that alone are not worth a row, columns whose content is not copied (both comma separated).
CREATE FUNCTION governance_audit_row() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  before jsonb; after jsonb; changed jsonb; key text; link text; last bytea;
  quiet text[] := string_to_array(TG_ARGV[1], ','); hidden text[] := string_to_array(TG_ARGV[2], ',');
  actor text := nullif(current_setting('app.actor', true), '');
  reason text := nullif(current_setting('app.reason', true), '');
  correlation text := nullif(current_setting('app.correlation', true), '');
  moment timestamptz := clock_timestamp();
  xid bigint := (pg_current_xact_id()::text)::bigint;
BEGIN
  IF TG_OP <> 'INSERT' THEN before := to_jsonb(OLD); END IF;
  IF TG_OP <> 'DELETE' THEN after := to_jsonb(NEW); END IF;
  IF TG_OP = 'UPDATE' THEN
    SELECT jsonb_object_agg(n.key, jsonb_build_array(
             CASE WHEN n.key = ANY(hidden) THEN to_jsonb('(not copied)'::text) ELSE before -> n.key END,
             CASE WHEN n.key = ANY(hidden) THEN to_jsonb('(not copied)'::text) ELSE n.value END))
      INTO changed FROM jsonb_each(after) n WHERE before -> n.key IS DISTINCT FROM n.value;
    IF changed IS NULL OR (changed - quiet) = '{}'::jsonb THEN RETURN NULL; END IF;
  ELSE
    changed := coalesce(after, before);
    SELECT jsonb_object_agg(c.key, CASE WHEN c.key = ANY(hidden) THEN to_jsonb('(not copied)'::text) ELSE c.value END)
      INTO changed FROM jsonb_each(changed) c;
  END IF;
  key := coalesce(after, before) ->> TG_ARGV[0];
  link := TG_TABLE_NAME || ':' || key;
  -- The lock on the row itself already lets only one transaction at a time extend this chain.
  SELECT hash INTO last FROM governance_auditevent WHERE chain = link ORDER BY sequence DESC LIMIT 1;
  INSERT INTO governance_auditevent
    (at, transaction, database_user, actor, reason, correlation, "table", object_id, action, changes, chain, previous_hash, hash)
  VALUES (moment, xid, session_user, actor, reason, correlation, TG_TABLE_NAME, key, lower(TG_OP), changed, link, last,
    governance_audit_digest(last, link, moment, xid, session_user::text, actor, reason, correlation, TG_TABLE_NAME::text, key,
                            lower(TG_OP), changed));
  RETURN NULL;
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON governance_auditevent
  FOR EACH ROW EXECUTE FUNCTION governance_refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON governance_auditevent
  FOR EACH STATEMENT EXECUTE FUNCTION governance_refuse_change();
ALTER TABLE governance_auditevent ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE governance_auditevent ENABLE ALWAYS TRIGGER append_only_truncate;
"""

# Table, key column, columns that alone are not worth a row, columns whose content is not copied.
GOVERNED: list[tuple[str, str, str, str]] = [
    ("registry_user", "id", "last_login", "password"),
    ("registry_user_groups", "id", "", ""),
    ("registry_user_user_permissions", "id", "", ""),
    ("auth_group", "id", "", ""),
    ("auth_group_permissions", "id", "", ""),
    ("registry_awsidentity", "id", "", ""),
    ("registry_apitoken", "token_key", "", "digest"),
    ("registry_lineofbusiness", "id", "", ""),
    ("registry_project", "id", "", ""),
    ("registry_projectuserobjectpermission", "id", "", ""),
    ("registry_projectgroupobjectpermission", "id", "", ""),
    ("registry_awsaccount", "id", "checked_at", "external_id"),
    ("registry_usecase", "id", "", ""),
    ("registry_usecasedocument", "id", "", ""),
    ("registry_usecaseuserobjectpermission", "id", "", ""),
    ("registry_usecasegroupobjectpermission", "id", "", ""),
    ("registry_modelgroup", "id", "", ""),
    ("registry_modelgroup_use_cases", "id", "", ""),
    ("registry_modelgroupuserobjectpermission", "id", "", ""),
    ("registry_modelgroupgroupobjectpermission", "id", "", ""),
    ("registry_modelversion", "id", "seen_at", ""),
    ("registry_versionusecase", "id", "", ""),
    ("registry_deployment", "id", "", ""),
    ("registry_resourceshare", "id", "seen_at", ""),
    ("registry_resourceshare_groups", "id", "", ""),
    ("registry_shareinvitation", "id", "seen_at", ""),
    ("governance_stagerecord", "id", "", ""),
    ("governance_usecasestagerecord", "id", "", ""),
    ("governance_metricreport", "id", "", ""),
    ("governance_policyversion", "id", "", ""),
    ("governance_policyrule", "id", "", ""),
    ("governance_approvalrequest", "id", "", ""),
    ("governance_decision", "id", "", ""),
    ("governance_finding", "id", "last_seen_at", ""),
    ("governance_outboxmessage", "id", "", ""),
    ("governance_lifecycleedge", "id", "", ""),
]


def _triggers() -> str:
    return "\n".join(
        f"CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON {table}\n"
        f"  FOR EACH ROW EXECUTE FUNCTION governance_audit_row('{key}', '{quiet}', '{hidden}');\n"
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER audit;"
        for table, key, quiet, hidden in GOVERNED
    )


class Migration(migrations.Migration):
    dependencies = [("governance", "0003_guards"), ("auth", "0012_alter_user_first_name_max_length")]

    operations = [
        migrations.RunSQL(TRAIL),
        migrations.RunSQL(_triggers()),
    ]
