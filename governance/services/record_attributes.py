"""Custom attributes of stage records: notes about a version at a stage, filled in by the people of its project.

They are no part of what is decided on: no digest holds them, and changing one puts no approval in question.
"""

from __future__ import annotations

from django.db.models import F
from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import StaleEdit, WrongState
from portal.core.operations import operation
from portal.core.permissions import Act
from portal.core.vocabulary import Stage, Status
from registry.choices import ObjectKind
from registry.services.attribute_values import clean

from ..models import StageRecord


def set_attributes(*, actor: Actor, record_id: int, values: object, revision: int) -> StageRecord:
    """Put values of custom attributes, by key, over what a record holds; None takes one away.

    The record's audit time and user are this edit's. Raises NotFound, Forbidden, StaleEdit when the record moved or
    was edited since `revision`, WrongState once the version is retired, InvalidInput naming `attributes.<key>`.
    """
    with operation(actor, "fill in attributes of a stage record"):
        record = access.for_update(StageRecord, actor, Act.FILL_IN_RECORD, pk=record_id)
        if record.revision != revision:
            raise StaleEdit("This record changed since you opened it. Reload and make your change again.")
        if record.status == Status.RETIRED or record.version.stage == Stage.RETIRED:
            raise WrongState("This version is retired; its records do not change any more.")
        held = clean(ObjectKind.STAGE_RECORD, values, current=record.attributes, project_id=record.scope_project_id)
        if held != record.attributes:
            StageRecord.objects.filter(pk=record.pk).update(
                attributes=held, audit_at=timezone.now(), audit_user=actor.name, revision=F("revision") + 1
            )
            record.refresh_from_db()
        return record
