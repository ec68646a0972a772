"""Signing keys: a pair never changes, goes from active to retired or revoked and never back, and is not removed."""

from __future__ import annotations

import django.utils.timezone
from django.db import migrations, models
from django.db.models import Q

from ._audited import audited, kept, trigger

TABLE = "governance_signingkey"

GUARD = """
CREATE FUNCTION governance_signing_key_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moving text[] := '{private_key,state,retired_at,revoked_at,revocation_reason}';
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state = 'active' THEN RETURN NEW; END IF;
  ELSIF to_jsonb(OLD) - moving = to_jsonb(NEW) - moving
        AND ((OLD.state = 'active' AND NEW.state IN ('active', 'retired', 'revoked'))
             OR (OLD.state = 'retired' AND NEW.state = 'revoked' AND NEW.retired_at = OLD.retired_at)
             OR OLD = NEW) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a signing key is made active, may be retired and revoked, and changes in no other way'
    USING ERRCODE = '23514', CONSTRAINT = 'signing_key_guard', TABLE = TG_TABLE_NAME;
END $$;
"""

STATES = [("active", "Active"), ("retired", "Retired"), ("revoked", "Revoked")]


class Migration(migrations.Migration):
    dependencies = [("governance", "0011_findings")]

    operations = [
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kid", models.CharField(max_length=64, unique=True, verbose_name="key id")),
                ("algorithm", models.CharField(choices=[("ES256", "ES256"), ("EdDSA", "EdDSA")], max_length=10)),
                ("public_jwk", models.JSONField(verbose_name="public key")),
                ("private_key", models.TextField(blank=True, editable=False)),
                ("state", models.CharField(choices=STATES, default="active", max_length=10)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("retired_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                ("revocation_reason", models.TextField(blank=True)),
            ],
        ),
        migrations.AddConstraint(
            model_name="signingkey",
            constraint=models.UniqueConstraint(
                fields=["state"], condition=Q(state="active"), name="signing_key_one_active"
            ),
        ),
        migrations.AddConstraint(
            model_name="signingkey",
            constraint=models.CheckConstraint(
                name="signing_key_state_has_its_time",
                condition=Q(state="active", retired_at=None, revoked_at=None, revocation_reason="")
                | Q(state="retired", retired_at__isnull=False, revoked_at=None, revocation_reason="")
                | (Q(state="revoked", revoked_at__isnull=False) & ~Q(revocation_reason="")),
            ),
        ),
        migrations.AddConstraint(
            model_name="signingkey",
            constraint=models.CheckConstraint(
                name="signing_key_private_while_active",
                condition=(Q(state="active") & ~Q(private_key="")) | (~Q(state="active") & Q(private_key="")),
            ),
        ),
        migrations.RunSQL(GUARD),
        migrations.RunSQL(
            audited(TABLE, hidden="private_key")
            + kept(TABLE)
            + trigger("signing_key_guard", TABLE, "INSERT OR UPDATE", "governance_signing_key_guard")
        ),
    ]
