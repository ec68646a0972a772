"""The queue: approval requests by what they are to the one who looks."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.counting import count_together
from portal.core.paging import COUNTED
from portal.core.permissions import ROLES, Act, may_anywhere
from registry.models import UseCase
from registry.selectors.catalogue import HEAVY

from ..models import ApprovalRequest, Decision
from ..querysets import delegated_to


class Tab(StrEnum):
    """The parts of the queue, in the order they are shown."""

    MINE = "mine"
    ROLES = "roles"
    OVERDUE = "overdue"
    DECIDED = "decided"
    ASKED = "asked"
    ALL = "all"


def queue(actor: Actor, tab: Tab, *, with_content: bool = False) -> QuerySet[Any]:
    """Return the requests of one part of the queue: open ones by due date, closed ones by when they closed.

    Versions come without what a list never shows, or `with_content`: with what is decided on, for `marks_of`.
    """
    rows = ApprovalRequest.objects.visible_to(actor)
    if with_content:
        served = Prefetch("version__use_cases", queryset=UseCase.objects.order_by("number"))
        rows = rows.defer("facts", "version__described").prefetch_related(served)
    else:
        rows = rows.defer("facts", *(f"version__{name}" for name in HEAVY))
    match tab:
        case Tab.MINE:
            return _ready(rows.awaiting(actor)).order_by("due_at", "pk")
        case Tab.ROLES:
            return _ready(rows.open().filter(waits_for_roles_of(actor))).order_by("due_at", "pk")
        case Tab.OVERDUE:
            return _ready(rows.overdue()).order_by("due_at", "pk")
        case Tab.DECIDED:
            return _ready(rows.decided_by(actor)).order_by("-decisions__decided_at", "-pk")
        case Tab.ASKED:
            return _ready(rows.filter(requester_id=actor.user_id)).order_by("-created_at", "-pk")
        case Tab.ALL:
            return _ready(rows).order_by("-created_at", "-pk")


def counts(actor: Actor, shown: Tab = Tab.MINE) -> dict[Tab, int]:
    """Return how many requests the parts of the queue hold that are about work still open, and the part shown.

    One that has closed requests in it as well is counted no further than its pages go.
    """
    open_ones = ApprovalRequest.objects.visible_to(actor).open()
    lists: dict[str, QuerySet[Any]] = {
        Tab.MINE: ApprovalRequest.objects.visible_to(actor).awaiting(actor),
        Tab.ROLES: open_ones.filter(waits_for_roles_of(actor)),
        Tab.OVERDUE: open_ones.overdue(),
        Tab.ASKED: open_ones.filter(requester_id=actor.user_id),
    }
    if shown not in lists:
        lists[shown] = queue(actor, shown).order_by()[: COUNTED + 1]
    return {Tab(name): total for name, total in count_together(None, **lists).items()}


def waiting_on(actor: Actor) -> int:
    """Return how many requests wait for this person's decision."""
    return ApprovalRequest.objects.visible_to(actor).awaiting(actor).count()


def may_decide(actor: Actor) -> bool:
    """Whether the actor decides on requests anywhere, in his own name or in somebody's for whom he stands in."""
    return actor.user_id is not None and (may_anywhere(actor, Act.DECIDE) or bool(delegated_to(actor)))


def waits_for_roles_of(actor: Actor) -> Q:
    """Return the filter for requests that wait for a role the actor holds there, also where he may not decide."""
    condition = Q(pk__in=[])
    for role in sorted(ROLES[Act.DECIDE]):
        if actor.holds_everywhere(role):
            condition |= Q(waiting_roles__contains=[role])
            continue
        projects = [pk for pk, roles in actor.grants.by_project.items() if role in roles]
        condition |= Q(waiting_roles__contains=[role]) & (
            Q(use_case__project_id__in=projects) | Q(version__group__project_id__in=projects)
        )
    return condition


def request(actor: Actor, pk: int) -> ApprovalRequest:
    """Return one request with all its page needs. Raises NotFound."""
    access.get(ApprovalRequest, actor, pk=pk)
    return _ready(ApprovalRequest.objects.filter(pk=pk)).select_related(
        "policy", "registrant", "version__group__account", "version__group__project__line_of_business"
    )[0]


def neighbours(actor: Actor, pk: int) -> tuple[int | None, int | None]:
    """Return the requests before and after this one among those that wait on the actor."""
    waiting = list(
        ApprovalRequest.objects.visible_to(actor).awaiting(actor).order_by("due_at", "pk").values_list("pk", flat=True)
    )
    if pk not in waiting:
        return None, (waiting[0] if waiting else None)
    here = waiting.index(pk)
    return (waiting[here - 1] if here else None), (waiting[here + 1] if here + 1 < len(waiting) else None)


def is_overdue(found: ApprovalRequest) -> bool:
    """Whether an open request is past its due date."""
    return found.closed_at is None and found.due_at < timezone.now()


def _ready(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.select_related(
        "use_case__project", "version__group__project", "requester", "registrant", "modifier"
    ).prefetch_related(Prefetch("decisions", Decision.objects.select_related("decider", "on_behalf_of")))
