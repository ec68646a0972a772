"""Registering a use case: the registry's row and its ledger, in one operation."""

from __future__ import annotations

from collections.abc import Mapping

from portal.core import access
from portal.core.actors import Actor
from portal.core.operations import operation
from registry.models import Project, UseCase
from registry.services import use_cases as registry_use_cases
from registry.services.use_cases import UseCaseText

from . import lifecycle


def register(
    *, actor: Actor, project_id: int, text: UseCaseText, attributes: Mapping[str, object] | None = None
) -> UseCase:
    """Register a use case on a project the actor sees: POC, pending.

    Raises NotFound for a project he does not see, Forbidden, InvalidInput naming the fields.
    """
    with operation(actor, "register use case"):
        project = access.get(Project, actor, pk=project_id)
        use_case = registry_use_cases.create(actor=actor, project=project, text=text, attributes=attributes)
        lifecycle.begin_use_case(actor=actor, use_case=use_case)
        return use_case
