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
# SageMaker never changes the content of a version, so nobody else does here either; a status alone may move.
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
"""
_GONE = """
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
