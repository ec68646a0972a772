"""What an actor may see, once per table. A list that does not start at `visible_to` is a mistake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from django.contrib.auth.models import UserManager
from django.db import models
from django.db.models import Q

from portal.core.actors import Actor
from portal.core.permissions import Act, may_anywhere

from .choices import (
    AccountPurpose,
    ClassificationState,
    DeclarationState,
    DeploymentState,
    Role,
    ShareState,
    Stage,
    ViewAudience,
)


def in_projects(actor: Actor, path: str) -> Q | None:
    """Return the filter for rows whose project is at `path`; None means no filter is needed."""
    if actor.is_system or actor.grants.everywhere:
        return None
    return Q(**{f"{path}__in": list(actor.grants.by_project)})


@dataclass(frozen=True)
class Reach:
    """Whose rows an actor sees who does not see all: those of his projects, and the single ones `shown` to him by name.

    For statements that are written by hand; lists start at `visible_to`, which rests on the same.
    """

    projects: tuple[int, ...]
    shown: tuple[int, ...]

    def covers(self, project_id: int | None, pk: int) -> bool:
        """Whether the actor sees a row of that project with that key."""
        return project_id in self.projects or pk in self.shown


def reach_of_use_cases(actor: Actor) -> Reach | None:
    """Return which use cases the actor sees; None means all of them."""
    if actor.is_system or actor.grants.everywhere:
        return None
    return Reach(tuple(actor.grants.by_project), tuple(sorted(actor.grants.use_cases)))


def reach_of_versions(actor: Actor) -> Reach | None:
    """Return which versions the actor sees, `shown` being their groups; None means all of them."""
    if actor.is_system or actor.grants.everywhere:
        return None
    return Reach(tuple(actor.grants.by_project), tuple(sorted(actor.grants.groups)))


def reach_of_groups(actor: Actor) -> Reach | None:
    """Return which model groups the actor sees, unclaimed ones apart (`sees_unclaimed_groups`); None means all."""
    return reach_of_versions(actor)


def sees_unclaimed_groups(actor: Actor) -> bool:
    """Whether the actor sees groups that belong to no project yet, as who may claim them does."""
    return may_anywhere(actor, Act.EDIT_GROUP)


def seen_use_cases(actor: Actor, path: str = "") -> Q | None:
    """Return the filter for rows whose use case, at `path`, the actor may see; None means no filter is needed.

    A condition on columns, not on a set of all he may see: what one row costs does not grow with their number.
    """
    return _within(reach_of_use_cases(actor), f"{path}project_id", f"{path}pk")


def seen_versions(actor: Actor, path: str = "") -> Q | None:
    """Return the filter for rows whose version, at `path`, the actor may see, as `seen_use_cases` does."""
    return _within(reach_of_versions(actor), f"{path}group__project_id", f"{path}group_id")


def _within(reach: Reach | None, project: str, shown: str) -> Q | None:
    if reach is None:
        return None
    condition = Q(**{f"{project}__in": list(reach.projects)})
    return condition | Q(**{f"{shown}__in": list(reach.shown)}) if reach.shown else condition


def sees_operations(actor: Actor) -> bool:
    """Whether the actor sees the portal's own running: accounts, sync runs."""
    return actor.is_system or may_anywhere(actor, Act.SEE_OPERATIONS)


def _restricted(rows: Any, actor: Actor, path: str) -> Any:
    condition = in_projects(actor, path)
    return rows if condition is None else rows.filter(condition)


class ProjectQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Projects the actor holds a role on."""
        return _restricted(self, actor, "pk")


class LineOfBusinessQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Lines of business are a shared vocabulary: everybody sees them."""
        return self.all()


class OperationsQuerySet(models.QuerySet[Any]):
    """Rows of the portal's own running (accounts, sync runs): for those who operate or oversee it."""

    def visible_to(self, actor: Actor) -> Self:
        """Everything for operators, officers and auditors; nothing for others."""
        return self.all() if sees_operations(actor) else self.none()


class AwsAccountQuerySet(OperationsQuerySet):
    def enabled(self) -> Self:
        """Accounts the portal may talk to."""
        return self.filter(is_enabled=True)

    def serving(self, purpose: str) -> Self:
        """Enabled accounts with that purpose, in account order."""
        return self.enabled().filter(purposes__contains=[purpose]).order_by("account_id")

    def hubs(self) -> Self:
        """Enabled accounts that own model groups."""
        return self.serving(AccountPurpose.HUB)


class UseCaseQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Use cases of the actor's projects, and those shown to him by name."""
        condition = seen_use_cases(actor)
        return self.all() if condition is None else self.filter(condition)

    def active(self) -> Self:
        """Use cases that are not retired."""
        return self.exclude(stage=Stage.RETIRED)


class UseCaseDraftQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Drafts of the actor's own: nobody else's, whatever his roles."""
        # A draft is no part of a project yet: a token that is held to some does not reach it.
        if actor.user_id is None or actor.bounds.projects is not None:
            return self.none()
        return self.filter(author_id=actor.user_id)


class OfUseCaseQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Rows of the use cases the actor may see."""
        condition = seen_use_cases(actor, "use_case__")
        return self.all() if condition is None else self.filter(condition)


class SavedViewQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """The actor's own views, those for everybody, and those for a project he holds a role on."""
        if actor.is_system:
            return self.all()
        everybody, project = ViewAudience.EVERYBODY.value, ViewAudience.PROJECT.value
        condition = Q(owner_id=actor.user_id)
        if actor.grants.everywhere:
            return self.filter(condition | Q(audience__in=[everybody, project]))
        if actor.grants.by_project:
            condition |= Q(audience=everybody) | Q(audience=project, project__in=list(actor.grants.by_project))
        return self.filter(condition)


class ClassificationQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Classifications of the use cases the actor may see."""
        condition = in_projects(actor, "use_case__project_id")
        if condition is None or actor.user_id is None:
            return self.all()
        return self.filter(condition | Q(use_case_id__in=sorted(actor.grants.use_cases)))

    def confirmed(self) -> Self:
        """The one per use case that its class rests on."""
        return self.filter(state=ClassificationState.CONFIRMED)

    def proposed(self) -> Self:
        """The one per use case that waits for a governance officer."""
        return self.filter(state=ClassificationState.PROPOSED)


class ModelGroupQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Groups of the actor's projects and those shown to him; unclaimed ones for those who may claim them."""
        reach = reach_of_groups(actor)
        if reach is None or actor.user_id is None:
            return self.all()
        condition = Q(project_id__in=list(reach.projects))
        if sees_unclaimed_groups(actor):
            condition |= Q(project=None)
        return self.filter(condition | Q(pk__in=list(reach.shown)))

    def sees(self, actor: Actor, group: Any) -> bool:
        """Whether a group that was read is among those `visible_to` gives."""
        reach = reach_of_groups(actor)
        if reach is None or actor.user_id is None or reach.covers(group.project_id, group.pk):
            return True
        return group.project_id is None and sees_unclaimed_groups(actor)

    def unlinked(self) -> Self:
        """Groups nobody has claimed for a project yet."""
        return self.filter(project=None)


class CustomAttributeQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """The definitions are a shared vocabulary: everybody sees them. Values are as visible as what holds them."""
        return self.all()

    def of(self, kind: str) -> Self:
        """The attributes of one kind of object, in the order in which people see them."""
        return self.filter(kind=kind).order_by("position", "key")

    def active(self) -> Self:
        """Attributes that can still be filled in."""
        return self.filter(is_archived=False)


class ModelVersionQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Versions of the groups the actor may see."""
        condition = seen_versions(actor)
        return self.all() if condition is None else self.filter(condition)

    def present(self) -> Self:
        """Versions that AWS still lists."""
        return self.filter(missing_since=None)


class RegistrationQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Registrations into the groups the actor may see."""
        condition = in_projects(actor, "group__project_id")
        if condition is None or actor.user_id is None:
            return self.all()
        return self.filter(condition | Q(group_id__in=sorted(actor.grants.groups)))


class GroupCreationQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Creations of groups for the actor's projects."""
        return _restricted(self, actor, "project_id")


class DeploymentQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Deployments of the versions the actor may see."""
        condition = seen_versions(actor, "version__")
        return self.all() if condition is None else self.filter(condition)

    def running(self) -> Self:
        """Deployments reported as in place."""
        return self.filter(state=DeploymentState.DEPLOYED)


class _OfSharedGroups(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Shares of the groups the actor may see; operators and overseers see all of them."""
        if actor.is_system or actor.grants.everywhere or may_anywhere(actor, Act.MANAGE_ACCOUNTS):
            return self.all()
        return self.filter(groups__project_id__in=list(actor.grants.by_project)).distinct()


class ResourceShareQuerySet(_OfSharedGroups):
    def live(self) -> Self:
        """Shares that grant something, or may come to."""
        return self.filter(state__in=(ShareState.PENDING, ShareState.ACTIVE, ShareState.FAILED))


class DeclaredShareQuerySet(_OfSharedGroups):
    def wanted(self) -> Self:
        """Declarations that nobody withdrew."""
        return self.exclude(state__in=(DeclarationState.WITHDRAWING, DeclarationState.WITHDRAWN))


class ServiceAccountQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Every one for ML admins and auditors of everything; for others those they answer for."""
        if actor.is_system or actor.holds_everywhere(Role.ML_ADMIN, Role.AUDITOR):
            return self.all()
        # An account is no part of a project: a token that is held to some does not reach it.
        return self.none() if actor.bounds.projects is not None else self.filter(responsible_id=actor.user_id)

    def in_use(self) -> Self:
        """Accounts that are not retired."""
        return self.filter(retired_at=None)


class TrackingServerQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Servers every project may use, and those the actor's projects may."""
        if actor.is_system or actor.grants.everywhere:
            return self.all()
        if not actor.grants.by_project:
            return self.none()
        own = self.filter(project_links__project__in=list(actor.grants.by_project)).values("pk")
        return self.filter(Q(project_links=None) | Q(pk__in=own)).distinct()

    def enabled(self) -> Self:
        """Servers the portal may ask."""
        return self.filter(is_enabled=True)

    def usable_in(self, project_id: int | None) -> Self:
        """Enabled servers that a project may use."""
        open_to_all = Q(project_links=None)
        own = self.filter(project_links__project=project_id).values("pk")
        return self.enabled().filter(open_to_all | Q(pk__in=own)).distinct()


class VersionRunQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Runs of the versions the actor may see."""
        condition = seen_versions(actor, "version__")
        return self.all() if condition is None else self.filter(condition)

    def standing(self) -> Self:
        """Runs that nobody took off."""
        return self.filter(detached_at=None)


class TrainingProvenanceQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """How the versions were trained that the actor may see."""
        condition = seen_versions(actor, "version__")
        return self.all() if condition is None else self.filter(condition)


class LabelingJobQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Jobs behind the data of the versions the actor may see."""
        condition = seen_versions(actor, "trainings__version__")
        return self.all() if condition is None else self.filter(condition).distinct()


class PersonManager(UserManager[Any]):
    """Accounts of people, and of services that only tokens speak for; names are matched exactly."""

    def people(self) -> models.QuerySet[Any]:
        """Everybody who is a person: no service account."""
        return self.filter(is_service=False)
