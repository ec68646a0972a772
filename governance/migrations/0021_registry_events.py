"""Parked events join the trail: what they hold is pinned, their moves are few, and none is removed."""

from __future__ import annotations

from django.db import migrations

from governance.migrations._audited import FIXED_PATH, audited, kept, trigger

GUARD = """
CREATE FUNCTION governance_parked_event_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  old_state text := '';
BEGIN
  IF TG_OP = 'UPDATE' THEN
    old_state := OLD.state;
    IF (OLD.id, OLD.account_id, OLD.message_id, OLD.body, OLD.first_seen_at)
       IS DISTINCT FROM (NEW.id, NEW.account_id, NEW.message_id, NEW.body, NEW.first_seen_at) THEN
      RAISE EXCEPTION 'parked event % keeps what it holds', OLD.id
        USING ERRCODE = '23514', CONSTRAINT = 'parked_event_pinned', TABLE = TG_TABLE_NAME;
    END IF;
  END IF;
  IF TG_OP = 'INSERT' OR NEW.state <> OLD.state THEN
    -- A replayed one is parked again when the queue delivers it once more and it fails once more.
    IF (old_state, NEW.state) NOT IN (
      ('', 'parked'), ('parked', 'replayed'), ('parked', 'dismissed'), ('dismissed', 'replayed'), ('replayed', 'parked')
    ) THEN
      RAISE EXCEPTION 'a parked event does not move from "%" to "%"', old_state, NEW.state
        USING ERRCODE = '23514', CONSTRAINT = 'parked_event_moves', TABLE = TG_TABLE_NAME;
    END IF;
  END IF;
  RETURN NEW;
END $$;
"""

# How a queue is doing changes with every message: only who it belongs to is worth a row of the trail.
QUIET = (
    "reader,heartbeat_at,waiting,in_flight,dead_letters,measured_at,measure_error,oldest_left_at,last_handled_at,lag_ms,"
    "received,taken_in,known,own,other,parked,failures,failing_since,error"
)


class Migration(migrations.Migration):
    dependencies = [("governance", "0020_deployment_orders"), ("registry", "0009_registrations")]

    operations = [
        migrations.RunSQL(GUARD),
        migrations.RunSQL(
            trigger("parked_event_guard", "registry_parkedevent", "INSERT OR UPDATE", "governance_parked_event_guard")
            + audited("registry_parkedevent", quiet="last_seen_at", hidden="body")
            + kept("registry_parkedevent")
        ),
        migrations.RunSQL(audited("registry_eventqueuehealth", key="account_id", quiet=QUIET)),
        migrations.RunSQL(FIXED_PATH),
    ]
