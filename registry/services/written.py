"""What the portal wrote to a version in AWS, until AWS itself tells of it."""

from __future__ import annotations

from django.db.models import F

from portal.core.actors import Actor

from ..aws.records import LifeCycle
from ..models import ModelVersion


def note_written(
    *, actor: Actor, version: ModelVersion, approval_status: str, approval_description: str, life_cycle: LifeCycle
) -> None:
    """Let a version say what was just written to it, where a description from AWS does not show it yet.

    Whether and when it was modified is left to the next description. Runs in the caller's operation.
    """
    said = {
        "aws_approval_status": approval_status,
        "aws_approval_description": approval_description,
        "aws_stage": life_cycle.stage,
        "aws_stage_status": life_cycle.status,
    }
    row = ModelVersion.objects.select_for_update(of=("self",), no_key=True).only("pk", *said).get(pk=version.pk)
    if any(getattr(row, name) != value for name, value in said.items()):
        ModelVersion.objects.filter(pk=version.pk).update(**said, revision=F("revision") + 1)
