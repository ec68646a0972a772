"""What an actor may see of governance, once per table."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Self

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, Min, OuterRef, Q, Subquery, When
from django.db.models.functions import Cast
from django.utils import timezone

from portal.core.access import visible
from portal.core.actors import Actor
from portal.core.as_of import AsOfQuerySet
from portal.core.permissions import ROLES, Act, may_anywhere
from portal.core.vocabulary import Role
from registry.models import ModelVersion, UseCase, User
from registry.querysets import OperationsQuerySet, in_projects, seen_use_cases, seen_versions

from .choices import CallbackOutcome, ChannelKind, FindingState, OutboxKind, OutboxState, PolicyState
from .lifecycle import RequestState


def _seen_subjects(actor: Actor) -> Q | None:
    """Return the filter for rows that point at a use case or a version the actor may see; None when none is needed."""
    use_cases, versions = seen_use_cases(actor, "use_case__"), seen_versions(actor, "version__")
    return None if use_cases is None or versions is None else use_cases | versions


def _filtered(rows: Any, condition: Q | None) -> Any:
    return rows.all() if condition is None else rows.filter(condition)


def delegated_to(actor: Actor) -> tuple[Any, ...]:
    """Return the delegations this person may use today, read once for him."""
    if "delegations" not in actor.memo:
        found = User(pk=actor.user_id).delegations_received.in_force(timezone.now().date())
        actor.memo["delegations"] = tuple(found.select_related("delegator").order_by("pk"))
    found_before: tuple[Any, ...] = actor.memo["delegations"]
    return found_before


def _waits_for(delegation: Any) -> Q:
    """Requests that wait for the delegator's word: he holds the role there, has no part in them and is silent yet."""
    delegator: Actor = delegation.delegator.actor
    there = Q()
    if not delegator.holds_everywhere(Role(delegation.role)):
        held = [pk for pk, roles in delegator.grants.by_project.items() if delegation.role in roles]
        there = Q(use_case__project_id__in=held) | Q(version__group__project_id__in=held)
    if delegation.project_id is not None:
        there &= Q(use_case__project_id=delegation.project_id) | Q(version__group__project_id=delegation.project_id)
    person = delegation.delegator_id
    part = Q(requester_id=person)
    for name in ("registrant_id", "modifier_id"):
        part |= Q(**{name: person, f"{name}__isnull": False})
    spoken = Q(decisions__decider_id=person) | Q(decisions__on_behalf_of_id=person)
    return Q(waiting_roles__contains=[delegation.role]) & there & ~part & ~spoken


class StageRecordQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Records of the versions the actor may see."""
        return _filtered(self, seen_versions(actor, "version__"))


class UseCaseStageRecordQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Records of the use cases the actor may see."""
        return _filtered(self, seen_use_cases(actor, "use_case__"))


class SubjectQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Rows about subjects the actor may see."""
        return _filtered(self, _seen_subjects(actor))

    def about(self, subject: UseCase | ModelVersion) -> Self:
        """Rows about one use case or one version."""
        if isinstance(subject, UseCase):
            return self.filter(use_case=subject)
        return self.filter(version=subject)


class EvidenceQuerySet(SubjectQuerySet):
    def standing(self) -> Self:
        """The latest editions that are not withdrawn."""
        return self.filter(superseded_at=None, withdrawn_at=None)


class ApprovalRequestQuerySet(SubjectQuerySet):
    def open(self) -> Self:
        """Requests that still wait."""
        return self.filter(state=RequestState.OPEN)

    def overdue(self, now: datetime | None = None) -> Self:
        """Open requests past their due date."""
        return self.open().filter(due_at__lt=now or timezone.now())

    def expired(self, now: datetime) -> Self:
        """Open requests whose time ran out."""
        return self.open().filter(expires_at__lte=now).order_by("pk")

    def decided_by(self, actor: Actor) -> Self:
        """Requests this person has decided on."""
        return self.filter(decisions__decider_id=actor.user_id)

    def awaiting(self, actor: Actor) -> Self:
        """Open requests whose outstanding roles include one of the actor's, that he may decide and has not yet.

        `waiting_roles` is kept on the request by the approvals service, so the queue is one query.
        """
        if actor.user_id is None:
            return self.none()
        deciding = (Role.MODEL_OWNER, Role.GOVERNANCE_OFFICER)
        condition = Q(pk__in=[])
        for role in deciding:
            if actor.holds_everywhere(role):
                condition |= Q(waiting_roles__contains=[role])
            projects = [pk for pk, roles in actor.grants.by_project.items() if role in roles]
            if projects:
                condition |= Q(waiting_roles__contains=[role]) & (
                    Q(use_case__project_id__in=projects) | Q(version__group__project_id__in=projects)
                )
        for delegation in delegated_to(actor):
            condition |= _waits_for(delegation)
        return (
            self.open()
            .filter(condition)
            .exclude(requester_id=actor.user_id)
            .exclude(registrant_id=actor.user_id)
            .exclude(modifier_id=actor.user_id)
            .exclude(Q(decisions__decider_id=actor.user_id) | Q(decisions__on_behalf_of_id=actor.user_id))
        )


class OverrideQuerySet(SubjectQuerySet):
    def in_force(self, moment: datetime | None = None) -> Self:
        """Overrides that count now."""
        return self.filter(revoked_at=None, expires_at__gt=moment or timezone.now())


class DelegationQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """One's own, given or received; those of a project for who oversees it or its access, all for who does so.

        With a token that is held to some projects, those of these projects.
        """
        overseeing = ROLES[Act.SEE_AUDIT] | ROLES[Act.MANAGE_ACCESS]
        if actor.is_system or actor.holds_everywhere(*overseeing):
            return self.all()
        projects = [pk for pk, roles in actor.grants.by_project.items() if roles & overseeing]
        own = Q(delegator_id=actor.user_id) | Q(delegate_id=actor.user_id)
        if actor.bounds.projects is not None:
            # One that holds wherever the delegator does reaches beyond the projects a token is held to.
            own &= Q(project_id__in=sorted(actor.bounds.projects))
        return self.filter(own | Q(project_id__in=projects))

    def in_force(self, day: date) -> Self:
        """Delegations that may be used on that day."""
        return self.filter(revoked_at=None, starts_on__lte=day, ends_on__gte=day)


class FindingQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Findings about subjects the actor may see; those about no subject are for operators and overseers."""
        condition = _seen_subjects(actor)
        if condition is None:
            return self.all()
        condition |= Q(group__project_id__in=list(actor.grants.by_project))
        if may_anywhere(actor, Act.SEE_OPERATIONS):
            condition |= Q(use_case=None, version=None, group__project=None)
        return self.filter(condition)

    def standing(self) -> Self:
        """Findings that are neither resolved nor accepted."""
        return self.filter(state__in=[FindingState.OPEN, FindingState.ACKNOWLEDGED])

    def unresolved(self) -> Self:
        """Findings that reality still bears out, accepted ones too: one per kind and subject."""
        return self.exclude(state=FindingState.RESOLVED)

    def overdue(self, today: date | None = None) -> Self:
        """Standing findings past their due date."""
        return self.standing().filter(due_on__lt=today or timezone.localdate())


class OutboxQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Messages about versions and groups the actor may see; those about neither are for operators and overseers."""
        condition = seen_versions(actor, "version__")
        if condition is None:
            return self.all()
        condition |= Q(version=None, group__project_id__in=list(actor.grants.by_project))
        if may_anywhere(actor, Act.SEE_OPERATIONS):
            condition |= Q(version=None, group__project=None)
        return self.filter(condition)

    def pending(self) -> Self:
        """Messages still to be carried out."""
        return self.filter(state=OutboxState.PENDING)

    def due(self, now: datetime | None = None) -> Self:
        """Pending messages whose next attempt has come."""
        return self.pending().filter(next_attempt_at__lte=now or timezone.now())

    @staticmethod
    def is_stuck() -> Q:
        """The condition for messages whose attempt began before any task could still be running, and never ended."""
        longest = timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT)
        return Q(state=OutboxState.PENDING, ended_at=None, started_at__lt=timezone.now() - longest)

    def undelivered(self) -> Self:
        """Messages that are still to be carried out, or were given up."""
        return self.filter(state__in=(OutboxState.PENDING, OutboxState.FAILED))

    def undelivered_of(self, ordering_key: str) -> Self:
        """All undelivered messages of one key, oldest first."""
        related = self.select_related("version__group__account", "group__account", "account")
        return related.undelivered().filter(ordering_key=ordering_key).order_by("pk")

    def ready_keys(self, lane: str | None = None) -> list[tuple[str, str]]:
        """Lane and ordering key of what may be carried out now, oldest first.

        Behind another message of its key that does not merely wait, only a word, which may supersede it, or an order to
        remove can have its turn.
        """
        ahead = self.model._default_manager.undelivered().filter(
            ordering_key=OuterRef("ordering_key"), pk__lt=OuterRef("pk"), waiting_for=""
        )
        may_overtake = Q(kind=OutboxKind.WRITE_BACK) | (
            Q(kind=OutboxKind.DEPLOYMENT_ORDER) & ~Q(payload__detail__action="deploy")
        )
        rows = self.due().filter(~Exists(ahead) | may_overtake)
        if lane is not None:
            rows = rows.filter(lane=lane)
        found = rows.order_by().values("lane", "ordering_key").annotate(first=Min("pk")).order_by("first")
        return list(found.values_list("lane", "ordering_key"))


class OutsideChangeQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Changes of the versions the actor may see."""
        return _filtered(self, seen_versions(actor, "version__"))


class AuditEventQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """The whole trail for those who may read it everywhere, the part about what they see for those of a project.

        The history on an object's page uses `of_object`.
        """
        if actor.is_system or actor.holds_everywhere(*ROLES[Act.SEE_AUDIT]):
            return self.all()
        if not may_anywhere(actor, Act.SEE_AUDIT):
            return self.none()
        cases = []
        for model in apps.get_models():
            # Whatever knows its project knows who sees it.
            if hasattr(model, "scope_project_id"):
                seen = visible(model, actor).filter(pk=Cast(OuterRef("object_id"), models.BigIntegerField()))
                cases.append(When(table=model._meta.db_table, then=Subquery(seen.order_by().values("pk")[:1])))
        # Looked up entry by entry: a set of all one may see would be made anew for every page of the trail.
        return self.alias(seen_row=Case(*cases, output_field=models.BigIntegerField())).filter(seen_row__isnull=False)

    def of_object(self, table: str, object_id: int) -> Self:
        """The trail of one row, newest first."""
        return self.filter(chain=f"{table}:{object_id}").order_by("-sequence")


class AuditRecordQuerySet(models.QuerySet[Any]):
    """Anchors and checks of the trail: they name nobody's work, only counts and numbers of entries."""

    def visible_to(self, actor: Actor) -> Self:
        """All of them for those who may read the trail, also only that of a project."""
        return self.all() if actor.is_system or may_anywhere(actor, Act.SEE_AUDIT) else self.none()


class AuditPackQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """All of them for those who may read the whole trail; for those of a project what they asked for themselves.

        What is in a pack is what its requester was allowed to see, which somebody else of the project may not be.
        """
        if actor.is_system or actor.holds_everywhere(*ROLES[Act.SEE_AUDIT]):
            return self.all()
        if not may_anywhere(actor, Act.SEE_AUDIT):
            return self.none()
        condition = Q(use_case__project_id__in=list(actor.grants.by_project))
        condition |= Q(project_id__in=list(actor.grants.by_project))
        return self.filter(condition, requested_by_id=actor.user_id)


class PolicyVersionQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """The policy binds everybody, so everybody may read it; drafts are for ML admins, officers and auditors."""
        readers = (Role.ML_ADMIN, Role.GOVERNANCE_OFFICER, Role.AUDITOR)
        if actor.is_system or any(map(actor.holds, readers)):
            return self.all()
        return self.published()

    def published(self) -> Self:
        """Published versions."""
        return self.filter(state=PolicyState.PUBLISHED)


class PastStageRowQuerySet(AsOfQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Rows of the versions and use cases the actor may see today: rights are not turned back with the table."""
        if in_projects(actor, "project_id") is None:
            return self.all()
        named = Q(use_case_number=None) | Q(use_case_number__in=UseCase.objects.visible_to(actor).values("number"))
        return self.filter(named, version_id__in=ModelVersion.objects.visible_to(actor).values("pk"))


class PastVersionQuerySet(AsOfQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Versions the actor may see today."""
        if in_projects(actor, "project_id") is None:
            return self.all()
        return self.filter(pk__in=ModelVersion.objects.visible_to(actor).values("pk"))


class PastUseCaseQuerySet(AsOfQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Use cases the actor may see today."""
        if in_projects(actor, "project_id") is None:
            return self.all()
        return self.filter(pk__in=UseCase.objects.visible_to(actor).values("pk"))


class DeploymentChannelQuerySet(OperationsQuerySet):
    def serving(self, account_id: int, stage: str) -> Self:
        """The channels in use for an account's stage: its own one first, then that for every stage."""
        return self.filter(account_id=account_id, is_enabled=True, stage__in=[stage, ""]).order_by("-stage")

    def awaiting_callbacks(self) -> Self:
        """Channels whose waiting steps the portal looks for itself."""
        asked = Q(pipeline__gt="") | Q(queue_url__gt="")
        return self.filter(asked, kind=ChannelKind.CALLBACK, is_enabled=True, account__is_enabled=True)


class DeploymentOrderQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Orders about versions the actor may see."""
        return _filtered(self, seen_versions(actor, "deployment__version__"))


class WaitingCallbackQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Steps that wait for versions the actor may see; for versions nobody knows yet, those who operate."""
        condition = seen_versions(actor, "version__")
        if condition is None:
            return self.all()
        if may_anywhere(actor, Act.SEE_OPERATIONS):
            condition |= Q(version=None)
        return self.filter(condition)

    def waiting(self) -> Self:
        """Steps nobody has answered yet."""
        return self.filter(outcome=CallbackOutcome.WAITING)

    def for_order(self, model_package_arn: str, stage: str, account_id: str) -> Self:
        """Steps that wait for one version, stage and account, the first to come first."""
        return self.filter(model_package_arn=model_package_arn, stage=stage, account__account_id=account_id).order_by(
            "pk"
        )


class OccasionQuerySet(models.QuerySet[Any]):
    def untold(self, now: datetime) -> Self:
        """Occasions nobody was told of yet whose next attempt has come, the oldest first."""
        return self.filter(told_at=None, next_attempt_at__lte=now).order_by("next_attempt_at", "pk")


class NotificationQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """One's own, whatever one's roles: nobody reads what another is told."""
        return self.filter(person_id=actor.user_id) if actor.user_id is not None else self.none()

    def unread(self) -> Self:
        """What rings the bell."""
        return self.filter(read_at=None, is_quiet=False)


class DeliveryQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """What is sent to oneself."""
        return self.filter(person_id=actor.user_id) if actor.user_id is not None else self.none()

    def due(self, channel: str, now: datetime) -> Self:
        """What is to be sent by one way now, the oldest first."""
        return self.filter(state="pending", channel=channel, next_attempt_at__lte=now).order_by("next_attempt_at", "pk")
