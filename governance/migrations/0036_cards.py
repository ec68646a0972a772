"""Model cards as AWS has them: in the trail, and in governance."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

from ._audited import FIXED_PATH, audited, kept

# A pass that finds nothing new says only that it looked.
TRAIL = (
    audited("registry_modelcard", quiet="read_at")
    + kept("registry_modelcard")
    + audited("registry_modelcardversion", quiet="read_at")
    + kept("registry_modelcardversion")
    + audited("registry_modelcardedit")
    + kept("registry_modelcardedit")
    + audited("registry_modelcardexport")
    + kept("registry_modelcardexport")
)
# SageMaker never changes the content of a version, so nobody else does here either; a status alone may move. What
# somebody asked for stays as he asked it, and nobody approves what he wrote himself, whatever way he comes.
GUARDS = """
CREATE FUNCTION governance_card_content_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.card_id, NEW.number, NEW.content, NEW.text)
     IS DISTINCT FROM (OLD.card_id, OLD.number, OLD.content, OLD.text) THEN
    RAISE EXCEPTION 'the content of version % of a model card does not change', OLD.number
      USING ERRCODE = '23514', CONSTRAINT = 'card_content_fixed', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER content_fixed BEFORE UPDATE ON registry_modelcardversion
  FOR EACH ROW EXECUTE FUNCTION governance_card_content_guard();
ALTER TABLE registry_modelcardversion ENABLE ALWAYS TRIGGER content_fixed;

CREATE FUNCTION governance_card_edit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (NEW.account_id, NEW.region, NEW.name, NEW.group_id, NEW.card_id, NEW.content, NEW.status, NEW.expected_number,
        NEW.expected_status, NEW.reason, NEW.token, NEW.requested_by_id, NEW.requested_at)
       IS DISTINCT FROM
       (OLD.account_id, OLD.region, OLD.name, OLD.group_id, OLD.card_id, OLD.content, OLD.status, OLD.expected_number,
        OLD.expected_status, OLD.reason, OLD.token, OLD.requested_by_id, OLD.requested_at)
       OR (OLD.state = 'done' AND NEW.state <> 'done') THEN
      RAISE EXCEPTION 'what was asked to be written to the model card % does not change', OLD.name
        USING ERRCODE = '23514', CONSTRAINT = 'card_edit_fixed', TABLE = TG_TABLE_NAME;
    END IF;
  ELSIF NEW.status = 'Approved' AND EXISTS (
    SELECT FROM registry_modelcardversion v
     WHERE v.card_id = NEW.card_id AND v.number = NEW.expected_number AND v.written_by_id = NEW.requested_by_id
  ) THEN
    RAISE EXCEPTION 'who wrote version % of the model card % does not approve it', NEW.expected_number, NEW.name
      USING ERRCODE = '23514', CONSTRAINT = 'card_not_approved_by_author', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER edit_guard BEFORE INSERT OR UPDATE ON registry_modelcardedit
  FOR EACH ROW EXECUTE FUNCTION governance_card_edit_guard();
ALTER TABLE registry_modelcardedit ENABLE ALWAYS TRIGGER edit_guard;
"""
_GONE = """
DROP TRIGGER edit_guard ON registry_modelcardedit;
DROP FUNCTION governance_card_edit_guard();
DROP TRIGGER content_fixed ON registry_modelcardversion;
DROP FUNCTION governance_card_content_guard();
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0035_told_of_shares"), ("registry", "0018_cards")]

    operations: ClassVar[list] = [
        migrations.AlterField(
            model_name="outboxmessage",
            name="kind",
            field=models.CharField(
                choices=[
                    ("write_back", "Write back"),
                    ("deployment_order", "Deployment order"),
                    ("artifact_copy", "Artifact copy"),
                    ("group_creation", "Group creation"),
                    ("version_registration", "Version registration"),
                    ("share", "Share"),
                    ("share_invitation", "Share invitation"),
                    ("model_card", "Model card"),
                    ("model_card_export", "Model card export"),
                ],
                max_length=20,
            ),
        ),
        migrations.RunSQL(GUARDS + FIXED_PATH, _GONE),
        migrations.RunSQL(TRAIL, migrations.RunSQL.noop),
    ]
