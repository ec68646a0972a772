"""Custom attributes: the column of stage records, and what the database refuses about definitions and values.

A definition is locked by its first value: kind, key and type then stay, and so does the row, because the history of
whatever held a value has to keep its meaning. A value is checked where it is written, so it fits its attribute's type
whoever writes it; what an archived attribute holds neither changes nor goes.
"""

from __future__ import annotations

import django.contrib.postgres.indexes
from django.db import migrations, models

from governance.migrations._audited import audited, trigger
from governance.migrations._history import record_attributes

HOLDERS = {
    "use_case": "registry_usecase",
    "model_group": "registry_modelgroup",
    "stage_record": "governance_stagerecord",
}

HELD = """
CREATE FUNCTION governance_attribute_held(of_kind text, of_key text, wanted jsonb) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT CASE of_kind
    WHEN 'use_case' THEN
      EXISTS (SELECT 1 FROM registry_usecase WHERE attributes @> jsonb_build_object(of_key, wanted))
    WHEN 'model_group' THEN
      EXISTS (SELECT 1 FROM registry_modelgroup WHERE attributes @> jsonb_build_object(of_key, wanted))
    ELSE
      EXISTS (SELECT 1 FROM governance_stagerecord WHERE attributes @> jsonb_build_object(of_key, wanted))
  END
$$;
"""

LOCKED = """
CREATE FUNCTION governance_attribute_locked() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  gone text;
BEGIN
  IF OLD.used_at IS NOT NULL AND (TG_OP = 'DELETE' OR
     (NEW.id, NEW.kind, NEW.key, NEW.type, NEW.used_at) IS DISTINCT FROM
     (OLD.id, OLD.kind, OLD.key, OLD.type, OLD.used_at)) THEN
    RAISE EXCEPTION 'attribute % is in use: its kind, key and type stay', OLD.key
      USING ERRCODE = '23514', CONSTRAINT = 'attribute_locked', TABLE = TG_TABLE_NAME;
  END IF;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  IF OLD.used_at IS NOT NULL THEN
    FOR gone IN SELECT unnest(OLD.choices) EXCEPT SELECT unnest(NEW.choices) LOOP
      IF governance_attribute_held(OLD.kind, OLD.key, to_jsonb(gone)) THEN
        RAISE EXCEPTION 'choice "%" of attribute % is in use', gone, OLD.key
          USING ERRCODE = '23514', CONSTRAINT = 'attribute_choice_used', TABLE = TG_TABLE_NAME;
      END IF;
    END LOOP;
  END IF;
  RETURN NEW;
END $$;
"""

# The limits are those of registry.services.attribute_values.
FIT = """
CREATE FUNCTION governance_attribute_fits(of_type text, options text[], given jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  plain text := given #>> '{}';
BEGIN
  CASE of_type
    WHEN 'text' THEN
      RETURN jsonb_typeof(given) = 'string' AND btrim(plain, E' \\t\\r\\n') <> '' AND length(plain) <= 2000;
    WHEN 'choice' THEN
      RETURN jsonb_typeof(given) = 'string' AND plain = ANY(options);
    WHEN 'number' THEN
      IF jsonb_typeof(given) <> 'number' THEN RETURN false; END IF;
      RETURN plain::numeric = 0 OR abs(plain::numeric) BETWEEN 1e-15 AND 1e15;
    WHEN 'date' THEN
      IF jsonb_typeof(given) <> 'string' OR plain !~ '^[12][0-9]{3}-[0-9]{2}-[0-9]{2}$' THEN RETURN false; END IF;
      BEGIN
        RETURN to_char(make_date(left(plain, 4)::int, substr(plain, 6, 2)::int, right(plain, 2)::int), 'YYYY-MM-DD')
               = plain;
      EXCEPTION WHEN datetime_field_overflow THEN
        RETURN false;
      END;
    WHEN 'user' THEN
      IF jsonb_typeof(given) <> 'number' OR plain !~ '^[0-9]{1,18}$' THEN RETURN false; END IF;
      -- As a foreign key would: whoever is named is not removed meanwhile.
      PERFORM 1 FROM registry_user WHERE id = plain::bigint FOR KEY SHARE;
      RETURN FOUND;
    ELSE
      RETURN false;
  END CASE;
END $$;

-- Argument: the kind of object.
CREATE FUNCTION governance_attributes_fit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  before jsonb := '{}';
  given text[]; touched text[];
  item record;
  definition registry_customattribute%ROWTYPE;
BEGIN
  IF TG_OP = 'UPDATE' THEN before := OLD.attributes; END IF;
  IF NEW.attributes = before THEN RETURN NEW; END IF;
  IF jsonb_typeof(NEW.attributes) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION 'the attributes of % % are no object', TG_TABLE_NAME, NEW.id
      USING ERRCODE = '23514', CONSTRAINT = 'attributes_fit', TABLE = TG_TABLE_NAME;
  END IF;
  SELECT array_agg(n.key) INTO given FROM jsonb_each(NEW.attributes) n WHERE before -> n.key IS DISTINCT FROM n.value;
  -- What is taken away is touched as well.
  SELECT array_agg(k.name) || given INTO touched
    FROM jsonb_object_keys(before) AS k(name) WHERE NOT NEW.attributes ? k.name;
  -- The strong locks come first and in one order; whoever holds a weak one never asks for a strong one on the same row.
  PERFORM 1 FROM registry_customattribute
    WHERE kind = TG_ARGV[0] AND key = ANY(given) AND used_at IS NULL ORDER BY id FOR NO KEY UPDATE;
  UPDATE registry_customattribute SET used_at = clock_timestamp()
    WHERE kind = TG_ARGV[0] AND key = ANY(given) AND used_at IS NULL;
  FOR item IN SELECT t.key FROM unnest(touched) AS t(key) ORDER BY t.key LOOP
    SELECT * INTO definition FROM registry_customattribute
      WHERE kind = TG_ARGV[0] AND key = item.key FOR SHARE;
    IF definition.id IS NULL THEN
      RAISE EXCEPTION 'there is no attribute % of this kind', item.key
        USING ERRCODE = '23514', CONSTRAINT = 'attribute_unknown', TABLE = TG_TABLE_NAME;
    ELSIF definition.is_archived THEN
      RAISE EXCEPTION 'attribute % is archived and keeps what it holds', item.key
        USING ERRCODE = '23514', CONSTRAINT = 'attribute_archived', TABLE = TG_TABLE_NAME;
    ELSIF NEW.attributes ? item.key
          AND NOT governance_attribute_fits(definition.type, definition.choices, NEW.attributes -> item.key) THEN
      RAISE EXCEPTION 'what attribute % is given is no %', item.key, definition.type
        USING ERRCODE = '23514', CONSTRAINT = 'attributes_fit', TABLE = TG_TABLE_NAME;
    END IF;
  END LOOP;
  RETURN NEW;
END $$;
"""

NAMED = """
CREATE FUNCTION governance_person_named() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  named record;
BEGIN
  FOR named IN SELECT kind, key FROM registry_customattribute WHERE type = 'user' AND used_at IS NOT NULL LOOP
    IF governance_attribute_held(named.kind, named.key, to_jsonb(OLD.id)) THEN
      RAISE EXCEPTION 'person % is named by attribute %', OLD.id, named.key
        USING ERRCODE = '23503', CONSTRAINT = 'attribute_person_named', TABLE = TG_TABLE_NAME;
    END IF;
  END LOOP;
  RETURN OLD;
END $$;
"""


def _fits(kind: str, table: str) -> str:
    return (
        f"CREATE TRIGGER attributes_fit BEFORE INSERT OR UPDATE OF attributes ON {table}\n"
        f"  FOR EACH ROW EXECUTE FUNCTION governance_attributes_fit('{kind}');\n"
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER attributes_fit;\n"
    )


class Migration(migrations.Migration):
    dependencies = [("governance", "0014_history"), ("registry", "0003_custom_attributes")]

    operations = [
        migrations.AddField(
            model_name="stagerecord",
            name="attributes",
            field=models.JSONField(blank=True, db_default={}, default=dict, editable=False),
        ),
        migrations.AddIndex(
            model_name="stagerecord",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["attributes"], name="stage_record_attributes", opclasses=["jsonb_path_ops"]
            ),
        ),
        # What a record's attributes were is part of the past of the stage table.
        migrations.RunSQL(record_attributes()),
        *(migrations.RunSQL(sql) for sql in (HELD, LOCKED, FIT, NAMED)),
        migrations.RunSQL(audited("registry_customattribute")),
        migrations.RunSQL(
            trigger("attribute_locked", "registry_customattribute", "UPDATE OR DELETE", "governance_attribute_locked")
        ),
        *(migrations.RunSQL(_fits(kind, table)) for kind, table in HOLDERS.items()),
        migrations.RunSQL(trigger("attribute_person_named", "registry_user", "DELETE", "governance_person_named")),
    ]
