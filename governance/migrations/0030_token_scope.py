"""Tokens held to projects, their terms written once and read in one answer; service accounts decide nothing."""

from __future__ import annotations

from typing import ClassVar

import django.contrib.postgres.fields
from django.db import migrations, models
from django.db.models import Q

from governance.migrations._audited import append_only, audited, kept, trigger

# What a call needs to know of the one who makes it, by the hash of what he presented: one question, and a function
# keeps its plan for as long as the connection lives.
PRESENTED = """
CREATE FUNCTION governance_token_presented(
  presented text,
  OUT digest text, OUT token_key text, OUT token_name text, OUT created timestamptz, OUT expiry timestamptz,
  OUT terms_id bigint, OUT is_read_only boolean, OUT project_ids bigint[], OUT rate integer,
  OUT last_used_at timestamptz,
  OUT user_id bigint, OUT username text, OUT first_name text, OUT last_name text, OUT email text,
  OUT is_active boolean, OUT display_name text, OUT is_service boolean, OUT grants json)
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
BEGIN
  SELECT t.digest, t.token_key, t.name, t.created, t.expiry,
         r.id, coalesce(r.is_read_only, false), r.project_ids, r.rate, r.last_used_at,
         u.id, u.username, u.first_name, u.last_name, u.email, u.is_active, u.display_name, u.is_service,
         registry_grants(u.id)
    INTO digest, token_key, token_name, created, expiry, terms_id, is_read_only, project_ids, rate, last_used_at,
         user_id, username, first_name, last_name, email, is_active, display_name, is_service, grants
    FROM registry_apitoken t
    JOIN registry_user u ON u.id = t.user_id
    LEFT JOIN governance_tokenterms r ON r.token_id = t.digest
   WHERE t.digest = presented;
END $$;
"""

TERMS = """
CREATE FUNCTION governance_terms_fixed() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF to_jsonb(NEW) - 'last_used_at' IS DISTINCT FROM to_jsonb(OLD) - 'last_used_at' THEN
    RAISE EXCEPTION 'the terms of a token are written once: revoke it and make another'
      USING ERRCODE = '23514', CONSTRAINT = 'terms_fixed', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;
""" + trigger("terms_fixed", "governance_tokenterms", "UPDATE", "governance_terms_fixed")

# Columns that name somebody who owns, decides, answers or may be asked to: never a service account.
PEOPLE: dict[str, tuple[str, ...]] = {
    "registry_usecase": ("model_owner_id", "risk_classified_by_id"),
    "registry_modelgroup": ("owner_id",),
    "registry_groupcreation": ("owner_id",),
    "registry_usecasereview": ("reviewer_id",),
    "registry_classification": ("decided_by_id",),
    "registry_serviceaccount": ("responsible_id",),
    "registry_servicekeeper": ("person_id",),
    "governance_decision": ("decider_id", "on_behalf_of_id"),
    "governance_delegation": ("delegator_id", "delegate_id"),
    "governance_override": ("granted_by_id",),
    "governance_finding": ("owner_id", "accepted_by_id"),
}

GUARDS = """
CREATE FUNCTION governance_people_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  named bigint[];
  found text;
BEGIN
  SELECT array_agg((to_jsonb(NEW) ->> c)::bigint) INTO named FROM unnest(TG_ARGV) c;
  SELECT username INTO found FROM registry_user WHERE id = ANY(named) AND is_service LIMIT 1;
  IF found IS NOT NULL THEN
    RAISE EXCEPTION '% is a service account, which owns nothing and decides on nothing', found
      USING ERRCODE = '23514', CONSTRAINT = 'people_only', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;

-- What a service account brought in or asked for counts as its keepers' own when it comes to deciding.
CREATE FUNCTION governance_decision_not_by_keeper() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM registry_servicekeeper k
              WHERE k.account_id IN (NEW.requester_id_copy, NEW.registrant_id_copy, NEW.modifier_id_copy)
                AND k.person_id IN (NEW.decider_id, NEW.on_behalf_of_id)) THEN
    RAISE EXCEPTION 'who answers for the service account that asked or brought this in does not decide on it'
      USING ERRCODE = '23514', CONSTRAINT = 'decision_not_by_keeper', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;

-- Arguments: none. The row names a user and a permission.
CREATE FUNCTION governance_service_role() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM registry_user WHERE id = NEW.user_id AND is_service)
     AND EXISTS (SELECT 1 FROM auth_permission WHERE id = NEW.permission_id AND starts_with(codename, 'role_')
                    AND codename NOT IN ('role_data_scientist', 'role_ml_engineer', 'role_auditor')) THEN
    RAISE EXCEPTION 'a service account holds no role that decides or gives roles'
      USING ERRCODE = '23514', CONSTRAINT = 'service_role', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;

-- A group may be given a deciding role at any time, so no service account is in one.
CREATE FUNCTION governance_service_alone() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM registry_user WHERE id = NEW.user_id AND is_service) THEN
    RAISE EXCEPTION 'a service account is in no group of people'
      USING ERRCODE = '23514', CONSTRAINT = 'service_alone', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION governance_service_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.is_service IS DISTINCT FROM OLD.is_service THEN
    RAISE EXCEPTION 'a person does not become a service account, nor the other way round'
      USING ERRCODE = '23514', CONSTRAINT = 'service_stays', TABLE = TG_TABLE_NAME;
  END IF;
  IF NEW.is_service AND NEW.is_active AND NOT OLD.is_active
     AND EXISTS (SELECT 1 FROM registry_serviceaccount WHERE user_id = NEW.id AND retired_at IS NOT NULL) THEN
    RAISE EXCEPTION 'service account % is retired and stays so', NEW.username
      USING ERRCODE = '23514', CONSTRAINT = 'service_retired', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION governance_service_account() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM registry_user WHERE id = NEW.user_id AND is_service) THEN
    RAISE EXCEPTION 'user % is a person, not a service account', NEW.user_id
      USING ERRCODE = '23514', CONSTRAINT = 'service_account_of_a_service', TABLE = TG_TABLE_NAME;
  END IF;
  IF TG_OP = 'UPDATE' AND (NEW.user_id <> OLD.user_id OR (OLD.retired_at IS NOT NULL
     AND to_jsonb(NEW) IS DISTINCT FROM to_jsonb(OLD))) THEN
    RAISE EXCEPTION 'a retired service account changes no more, and none becomes that of another user'
      USING ERRCODE = '23514', CONSTRAINT = 'service_retired', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;

-- However somebody came to answer for an account, it is written down for good.
CREATE FUNCTION governance_service_kept() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO registry_servicekeeper (account_id, person_id) VALUES (NEW.user_id, NEW.responsible_id)
    ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER service_kept AFTER INSERT OR UPDATE OF responsible_id ON registry_serviceaccount
  FOR EACH ROW EXECUTE FUNCTION governance_service_kept();
ALTER TABLE registry_serviceaccount ENABLE ALWAYS TRIGGER service_kept;
"""


def _people_only(table: str, columns: tuple[str, ...]) -> str:
    return (
        f"CREATE TRIGGER people_only BEFORE INSERT OR UPDATE OF {', '.join(columns)} ON {table}\n"
        f"  FOR EACH ROW EXECUTE FUNCTION governance_people_only({', '.join(map(repr, columns))});\n"
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER people_only;\n"
    )


TRIGGERS = "".join(
    (
        *(_people_only(table, columns) for table, columns in PEOPLE.items()),
        trigger("decision_not_by_keeper", "governance_decision", "INSERT", "governance_decision_not_by_keeper"),
        trigger("service_role", "registry_user_user_permissions", "INSERT OR UPDATE", "governance_service_role"),
        trigger("service_role", "registry_projectuserobjectpermission", "INSERT OR UPDATE", "governance_service_role"),
        trigger("service_alone", "registry_user_groups", "INSERT OR UPDATE", "governance_service_alone"),
        trigger("service_stays", "registry_user", "UPDATE OF is_service, is_active", "governance_service_stays"),
        trigger("service_account", "registry_serviceaccount", "INSERT OR UPDATE", "governance_service_account"),
        audited("registry_serviceaccount"),
        kept("registry_serviceaccount"),
        audited("registry_servicekeeper"),
        append_only("registry_servicekeeper"),
    )
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0029_page_indexes"), ("registry", "0014_service_accounts")]

    operations: ClassVar[list] = [
        migrations.AddField("tokenterms", "made_by", models.CharField(blank=True, max_length=200)),
        migrations.AddField(
            "tokenterms",
            "project_ids",
            django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), null=True, size=None),
        ),
        migrations.AddField("tokenterms", "rate", models.PositiveIntegerField(null=True)),
        migrations.AddConstraint(
            "tokenterms",
            models.CheckConstraint(
                condition=Q(project_ids=None) | Q(project_ids__len__gt=0), name="token_terms_some_project"
            ),
        ),
        migrations.AddConstraint(
            "tokenterms",
            models.CheckConstraint(
                condition=Q(rate=None) | Q(rate__gte=1, rate__lte=6_000_000), name="token_terms_sane_rate"
            ),
        ),
        migrations.RunSQL(PRESENTED, migrations.RunSQL.noop),
        migrations.RunSQL(TERMS, migrations.RunSQL.noop),
        migrations.RunSQL(GUARDS + TRIGGERS, migrations.RunSQL.noop),
    ]
