"""What runs where of what the portal ordered, against what is approved to run there.

Deployments come from orders the portal gave, from reports about them, and from AWS, which confirms them and overrules
a report of what it does not have. What runs in an account without an order is not known here, but in `served`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, Case, CharField, Count, F, OuterRef, Q, QuerySet, Subquery, Value, When

from portal.core.actors import Actor
from portal.core.vocabulary import Stage, Status
from registry.choices import DeploymentMode, DeploymentState
from registry.models import Deployment, EndpointVariant, ModelVersion
from registry.selectors.catalogue import HEAVY

from ..choices import InPlace
from ..models import StageRecord
from .seen_serving import overruled

_RUNNING = frozenset({DeploymentState.DEPLOYED})
_OVER = frozenset({DeploymentState.REPLACED, DeploymentState.REMOVED})
_COMING = frozenset(DeploymentState) - _RUNNING - _OVER


@dataclass(frozen=True)
class _Rule:
    """What a deployment is when all of this holds; None asks for nothing. A status of "" is "no record there"."""

    word: InPlace
    states: frozenset[DeploymentState]
    statuses: frozenset[str] | None = None
    mode: DeploymentMode | None = None
    retired: bool | None = None
    gone: bool | None = None

    def holds(self, state: str, mode: str, status: str | None, *, retired: bool, gone: bool) -> bool:
        return (
            state in self.states
            and (self.statuses is None or (status or "") in self.statuses)
            and (self.mode is None or mode == self.mode)
            and (self.retired is None or retired is self.retired)
            and (self.gone is None or gone is self.gone)
        )

    def condition(self) -> Q:
        found = Q(state__in=sorted(self.states))
        if self.statuses is not None:
            named = Q(record_status__in=sorted(self.statuses - {""}))
            found &= named | Q(record_status=None) if "" in self.statuses else named
        if self.mode is not None:
            found &= Q(mode=self.mode)
        if self.retired is not None:
            found &= Q(version__stage=Stage.RETIRED) if self.retired else ~Q(version__stage=Stage.RETIRED)
        if self.gone is not None:
            found &= Q(is_gone=self.gone)
        return found


# The first that holds counts. It says of what runs the same as the findings `running_unapproved` and
# `running_rejected` do: a trial beside what is live is ordered before its stage is approved, and is no disagreement.
_RULES = (
    _Rule(InPlace.OVER, _OVER),
    _Rule(InPlace.GONE, _RUNNING, gone=True),
    _Rule(InPlace.RUNS_REJECTED, _RUNNING, retired=True),
    _Rule(InPlace.RUNS_REJECTED, _RUNNING, frozenset({Status.REJECTED, Status.RETIRED})),
    _Rule(InPlace.RUNS_UNAPPROVED, _RUNNING, frozenset({""})),
    _Rule(InPlace.RUNS_UNAPPROVED, _RUNNING, frozenset({Status.PENDING}), DeploymentMode.LIVE),
    _Rule(InPlace.ON_TRIAL, _RUNNING, frozenset({Status.PENDING})),
    _Rule(InPlace.RUNS_APPROVED, _RUNNING),
    _Rule(InPlace.OVER, _COMING, retired=True),
    _Rule(InPlace.OVER, _COMING, frozenset({Status.REJECTED, Status.RETIRED, Status.SUPERSEDED})),
    _Rule(InPlace.APPROVED_NOT_RUNNING, _COMING, frozenset({Status.APPROVED, Status.DEPLOYED})),
    _Rule(InPlace.ORDERED, _COMING),
)

# What runs and must not: what the findings about running versions are opened for.
DISAGREEING = (InPlace.RUNS_UNAPPROVED, InPlace.RUNS_REJECTED)


def judged(state: str, mode: str, status: str | None, *, retired: bool, gone: bool = False) -> InPlace:
    """Return how a deployment stands.

    By its state and mode, its record's status there, whether its version is retired, and whether AWS does not have what
    was reported in place.
    """
    return next(rule.word for rule in _RULES if rule.holds(state, mode, status, retired=retired, gone=gone))


def with_record_status(deployments: Any) -> Any:
    """Give deployments `record_status`: that of the record that speaks for their stage and account, None without."""
    # Of a stage that runs in several accounts the account's own record speaks, else the stage's one record.
    speaking = StageRecord.objects.filter(
        Q(account=OuterRef("account")) | Q(account=None), version=OuterRef("version"), stage=OuterRef("stage")
    ).order_by(F("account").asc(nulls_last=True))
    return deployments.annotate(record_status=Subquery(speaking.values("status")[:1]))


def endpoints(actor: Actor) -> QuerySet[Any]:
    """Return the deployments an actor may see, each with `in_place` (a word of `InPlace`), the newest order first.

    `seen_running_at` is when AWS was last seen to serve the version in the account, None when it was not.
    """
    word = Case(
        *[When(rule.condition(), then=Value(rule.word.value)) for rule in _RULES],
        default=Value(InPlace.ORDERED.value),
        output_field=CharField(),
    )
    seen = EndpointVariant.objects.serving().filter(version=OuterRef("version"), endpoint__account=OuterRef("account"))
    return (
        with_record_status(Deployment.objects.visible_to(actor))
        .annotate(is_gone=_is_gone())
        .annotate(in_place=word, seen_running_at=Subquery(seen.values("endpoint__read_at")[:1]))
        .select_related("account", "version__group__project")
        .defer(*(f"version__{name}" for name in HEAVY))
        .order_by("-ordered_at", "-pk")
    )


def standing(rows: QuerySet[Any], *words: InPlace) -> QuerySet[Any]:
    """Return those of the rows of `endpoints` that stand in one of these ways."""
    # The states say it to the database as well, which then need not judge every row there ever was.
    states = {state for rule in _RULES if rule.word in words for state in rule.states}
    return rows.filter(state__in=sorted(states), in_place__in=words)


def counts(actor: Actor, where: Q) -> dict[InPlace, int]:
    """Return how many of the deployments under a condition stand how; what is over is left out. One query."""
    rows = Deployment.objects.visible_to(actor).filter(where).exclude(state__in=sorted(_OVER))
    # Not by joining every version there is: those that are retired are found by an index.
    gone = ModelVersion.objects.filter(stage=Stage.RETIRED).values("pk")
    retired = Case(When(version__in=gone, then=Value(True)), default=Value(False), output_field=BooleanField())
    groups = (
        with_record_status(rows)
        .annotate(retired=retired, is_gone=_is_gone())
        .values_list("state", "mode", "record_status", "retired", "is_gone")
        .annotate(total=Count("pk"))
    )
    found: dict[InPlace, int] = {word: 0 for word in InPlace if word is not InPlace.OVER}
    for state, mode, status, is_retired, is_gone, total in groups.order_by():
        word = judged(state, mode, status, retired=is_retired, gone=is_gone)
        if word in found:
            found[word] += total
    return found


def _is_gone() -> Case:
    gone = When(Q(state__in=sorted(_RUNNING)) & overruled(), then=Value(True))
    return Case(gone, default=Value(False), output_field=BooleanField())
