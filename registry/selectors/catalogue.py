"""Use cases, groups and versions as their lists and pages show them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Count, F, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from portal.core import access
from portal.core.actors import Actor

from ..choices import DocumentKind
from ..models import (
    Deployment,
    LineOfBusiness,
    ModelGroup,
    ModelVersion,
    Project,
    ResourceShare,
    UseCase,
    UseCaseDocument,
    VersionUseCase,
)

# What a list never shows and a row may hold much of.
HEAVY = ("described", "card", "containers", "metadata", "metric_sources", "drift_baselines")


def visible_projects(actor: Actor) -> QuerySet[Any]:
    """Return the projects an actor may see, by name."""
    return Project.objects.visible_to(actor).order_by("name", "pk")


def projects_with_lines(actor: Actor) -> tuple[Project, ...]:
    """Return the projects an actor may see with their lines of business, by name; read once for him."""
    if "projects" not in actor.memo:
        actor.memo["projects"] = tuple(visible_projects(actor).select_related("line_of_business"))
    found: tuple[Project, ...] = actor.memo["projects"]
    return found


def lines_of_business(actor: Actor) -> QuerySet[Any]:
    """Return the lines of business an actor may see, by name."""
    return LineOfBusiness.objects.visible_to(actor).order_by("name", "pk")


def use_cases(actor: Actor) -> QuerySet[Any]:
    """Return the use cases an actor may see, newest first."""
    return (
        UseCase.objects.visible_to(actor)
        .select_related("project__line_of_business", "model_owner", "registered_by")
        .order_by("-number")
    )


def groups(actor: Actor) -> QuerySet[Any]:
    """Return the model groups an actor may see, those nobody has claimed first."""
    # Counted for the groups of a page, not for all there are to find its first.
    present = (
        ModelVersion.objects.filter(group=OuterRef("pk"), missing_since=None)
        .order_by()
        .values("group")
        .annotate(total=Count("pk"))
        .values("total")
    )
    return (
        ModelGroup.objects.visible_to(actor)
        .select_related("account", "project", "owner")
        .prefetch_related(Prefetch("use_cases", queryset=UseCase.objects.visible_to(actor).order_by("number")))
        .annotate(version_count=Coalesce(Subquery(present), 0))
        .order_by(F("project__name").asc(nulls_first=True), "name", "pk")
    )


def versions(actor: Actor) -> QuerySet[Any]:
    """Return the model versions an actor may see, newest first."""
    return (
        ModelVersion.objects.visible_to(actor)
        .select_related("group__account", "group__project", "registered_by")
        .defer(*HEAVY)
        .prefetch_related(Prefetch("use_cases", queryset=UseCase.objects.visible_to(actor).order_by("number")))
        .order_by("-aws_created_at", "-pk")
    )


def use_case(actor: Actor, number: int) -> UseCase:
    """Return one use case by the number of its public id. Raises NotFound."""
    return access.get(UseCase, actor, number=number)


def group(actor: Actor, pk: int) -> ModelGroup:
    """Return one model group. Raises NotFound."""
    return access.get(ModelGroup, actor, pk=pk)


def versions_named(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Return of these versions those of groups named so, described so, `group/7`, or with that in their ARN."""
    group, _, number = text.rpartition("/")
    # Groups by their keys, descriptions by their letters: across both tables at once no index would help.
    condition = Q(group__in=ModelGroup.objects.filter(name__icontains=text)) | Q(description__icontains=text)
    if ":" in text:
        condition |= Q(arn__icontains=text)
    if group and number.isdecimal() and len(number) < 10:
        condition |= Q(group__in=ModelGroup.objects.filter(name__icontains=group), number=int(number))
    return rows.filter(condition)


def version(actor: Actor, pk: int) -> ModelVersion:
    """Return one model version with its group and project. Raises NotFound."""
    found = access.get(ModelVersion, actor, pk=pk)
    found.group = ModelGroup.objects.select_related("account", "project__line_of_business", "owner").get(
        pk=found.group_id
    )
    return found


def use_cases_behind(actor: Actor, subject: ModelGroup | ModelVersion) -> QuerySet[Any]:
    """Return the use cases a group or version serves, as far as the actor may see them."""
    served = list(subject.use_cases.values_list("pk", flat=True))
    return UseCase.objects.visible_to(actor).filter(pk__in=served).order_by("number")


def served_by(actor: Actor, of: Sequence[ModelVersion]) -> Mapping[int, list[UseCase]]:
    """Return the use cases each of several versions serves, as far as the actor may see them, by the version's key."""
    found: dict[int, list[UseCase]] = defaultdict(list)
    seen = UseCase.objects.visible_to(actor)
    links = VersionUseCase.objects.filter(version__in=of, use_case__in=seen).select_related("use_case")
    for link in links.order_by("use_case__number"):
        found[link.version_id].append(link.use_case)
    return found


def running_of(actor: Actor, of: Sequence[ModelVersion]) -> Mapping[int, list[Deployment]]:
    """Return the deployments each of several versions runs in, by the version's key."""
    found: dict[int, list[Deployment]] = defaultdict(list)
    rows = Deployment.objects.visible_to(actor).running().filter(version__in=of).select_related("account")
    for deployment in rows.order_by("pk"):
        found[deployment.version_id].append(deployment)
    return found


def groups_behind(actor: Actor, served: UseCase, most: int | None = None) -> list[ModelGroup]:
    """Return the groups behind a use case, each with `serving`: its versions for that use case, newest first.

    Behind it is every group linked to it and every group with a version that names it. With `most`, so many versions
    of each.
    """
    serving = versions(actor).filter(use_cases=served).order_by("-number")
    if most is not None:
        serving = serving[:most]
    behind = _behind(actor, served).select_related("account", "owner")
    return list(behind.prefetch_related(Prefetch("versions", queryset=serving, to_attr="serving")))


def group_names_behind(actor: Actor, served: UseCase) -> list[tuple[int, str]]:
    """Return key and name of the groups behind a use case, by name."""
    return list(_behind(actor, served).values_list("pk", "name"))


def _behind(actor: Actor, served: UseCase) -> QuerySet[ModelGroup]:
    # Two readings of ids, not one over all versions that names a group once for each of them.
    linked = ModelGroup.objects.filter(use_cases=served).values("pk")
    named = VersionUseCase.objects.filter(use_case=served).values("version__group_id")
    rows = ModelGroup.objects.visible_to(actor).filter(Q(pk__in=linked) | Q(pk__in=named))
    return rows.order_by("name", "pk")


def versions_of(actor: Actor, of: ModelGroup) -> QuerySet[Any]:
    """Return a group's versions, newest first."""
    return versions(actor).filter(group=of).order_by("-number", "-pk")


def shares_of(actor: Actor, of: ModelGroup) -> QuerySet[Any]:
    """Return the RAM shares a group is in, as far as the actor may see them."""
    return ResourceShare.objects.visible_to(actor).filter(groups=of).select_related("account").order_by("name", "pk")


def deployments_of(actor: Actor, of: ModelVersion) -> QuerySet[Any]:
    """Return the deployments of a version, newest order first."""
    return (
        Deployment.objects.visible_to(actor)
        .filter(version=of)
        .select_related("account", "version__group")
        .order_by("-ordered_at", "-pk")
    )


def documents_of(of: UseCase) -> list[tuple[DocumentKind, UseCaseDocument | None]]:
    """Return the five parts of a use case's governance in their order, None for one nobody has written."""
    written = {document.kind: document for document in of.documents.select_related("author")}
    return [(kind, written.get(kind)) for kind in DocumentKind]
