"""Audit packs as their pages show them."""

from __future__ import annotations

from django.db.models import QuerySet

from portal.core import access
from portal.core.actors import Actor
from portal.core.permissions import Act, require_anywhere
from registry.models import LineOfBusiness, Project, UseCase

from ..models import AuditPack, AuditPackDownload

_RELATED = ("requested_by", "use_case__project", "project", "line_of_business")
_SUGGESTED = 300


def packs(actor: Actor) -> QuerySet[AuditPack]:
    """Return the packs an actor may see, newest first. Raises Forbidden for who may not read the audit trail."""
    require_anywhere(actor, Act.SEE_AUDIT)
    return AuditPack.objects.visible_to(actor).select_related(*_RELATED).order_by("-pk")


def pack(actor: Actor, pk: int) -> AuditPack:
    """Return one pack. Raises Forbidden, NotFound."""
    require_anywhere(actor, Act.SEE_AUDIT)
    access.get(AuditPack, actor, pk=pk)
    return AuditPack.objects.select_related(*_RELATED).get(pk=pk)


def downloads(row: AuditPack) -> QuerySet[AuditPackDownload]:
    """Return who took a pack away and when, latest first."""
    return row.downloads.select_related("person").order_by("-pk")


def use_case_numbered(actor: Actor, number: int) -> UseCase | None:
    """Return the visible use case with that number, None without one."""
    return UseCase.objects.visible_to(actor).filter(number=number).first()


def suggested_use_cases(actor: Actor) -> QuerySet[UseCase]:
    """Return the newest use cases an actor may see, to choose from."""
    return UseCase.objects.visible_to(actor).only("number", "name").order_by("-number")[:_SUGGESTED]


def projects(actor: Actor) -> QuerySet[Project]:
    """Return the projects an actor may see, by name."""
    return Project.objects.visible_to(actor).order_by("name", "pk")


def lines_of_business(actor: Actor) -> QuerySet[LineOfBusiness]:
    """Return the lines of business, by name."""
    return LineOfBusiness.objects.visible_to(actor).order_by("name", "pk")
