"""What can be done with several rows of the registry's lists; each goes through the service that a single one does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from portal.core.actors import Actor
from portal.core.bulk_actions import BulkAction
from portal.core.permissions import Act
from registry.services import groups

from ..models import ModelGroup, Project
from ..selectors.scope import projects_where


class ClaimForm(forms.Form):
    """For which project the groups are claimed."""

    project: forms.ModelChoiceField[Project] = forms.ModelChoiceField(None, empty_label="Choose a project")

    def __init__(self, data: Any = None, *, actor: Actor) -> None:
        super().__init__(data)
        offered = projects_where(actor, Act.EDIT_GROUP)
        self.fields["project"].queryset = offered  # type: ignore[attr-defined]  # a ModelChoiceField


def _claim(actor: Actor, row: ModelGroup, given: Mapping[str, Any]) -> str:
    groups.claim(actor=actor, group_id=row.pk, revision=row.revision, project=given["project"])
    return ""


def _is_claimed(actor: Actor, row: ModelGroup) -> str:
    return f"It belongs to {row.project} already." if row.project else ""


GROUP_ACTIONS = (
    BulkAction(
        name="claim",
        label="Claim for a project",
        title="Claim these groups for a project?",
        icon="link",
        act=Act.EDIT_GROUP,
        carry_out=_claim,
        refusal=_is_claimed,
        form=ClaimForm,
        effects=("The group and its versions belong to the project. Name its owner and its use cases on its page.",),
    ),
)
