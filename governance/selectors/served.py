"""What AWS shows to be serving, against what is approved to serve there: one verdict for each model behind a variant.

What is observed is read from the accounts themselves, so it tells also of what nobody ordered or reported. The rules
are written once and say the same in Python (`judged`) and to the database (`served`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from portal.core.actors import Actor
from portal.core.vocabulary import Stage, Status
from registry.choices import SERVING, DeploymentMode, DeploymentState
from registry.endpoint_querysets import idle
from registry.models import Deployment, Endpoint, EndpointVariant, MonitoringSchedule
from registry.selectors.catalogue import HEAVY

from ..models import StageRecord
from ..serving_words import Serves

# Stages whose accounts run only what was approved for them; in the others things are tried out.
GOVERNED = (Stage.QA, Stage.PRE_PRODUCTION, Stage.PRODUCTION)
# What runs and must not.
DISAGREEING = (Serves.UNAPPROVED, Serves.REJECTED, Serves.UNKNOWN)
# What the verdicts about versions that run are given to.
_OVER = (DeploymentState.REPLACED, DeploymentState.REMOVED)
_GONE = (Status.REJECTED.value, Status.RETIRED.value)


@dataclass(frozen=True)
class _Rule:
    """What a model behind a variant is when all of these hold; an absent one asks for nothing."""

    word: Serves
    wanted: Mapping[str, Collection[Any]]

    def holds(self, facts: Mapping[str, Any]) -> bool:
        return all(facts[name] in allowed for name, allowed in self.wanted.items())

    def condition(self) -> Q:
        found = Q()
        for name, allowed in self.wanted.items():
            found &= Q(**{f"{name}__in": list(allowed)})
        return found


# The first that holds counts. A trial (a shadow, or what was ordered as a trial) may run before its stage is approved,
# as it may in `endpoints`; a version that was rejected or retired may run nowhere.
_RULES = (
    _Rule(Serves.NOT_SERVING, {"is_serving": [False]}),
    _Rule(Serves.UNREADABLE, {"names": ["unread"]}),
    _Rule(Serves.UNKNOWN, {"names": ["unknown"]}),
    _Rule(Serves.REJECTED, {"is_retired": [True]}),
    _Rule(Serves.FREE, {"is_governed": [False]}),
    _Rule(Serves.REJECTED, {"record_status": _GONE}),
    _Rule(Serves.UNAPPROVED, {"record_status": [""]}),
    _Rule(Serves.UNAPPROVED, {"record_status": [Status.PENDING.value], "is_trial": [False]}),
    _Rule(Serves.TRIAL, {"record_status": [Status.PENDING.value]}),
    _Rule(Serves.APPROVED, {}),
)


def judged(
    *, is_serving: bool, names: str, is_governed: bool, is_retired: bool, record_status: str, is_trial: bool
) -> Serves:
    """Return how a served model stands.

    `names` is "version", "unknown" (no registered version) or "unread" (nobody could say); `record_status` is that of
    the record that speaks for the version in the account, "" without one.
    """
    facts = {
        "is_serving": is_serving,
        "names": names,
        "is_governed": is_governed,
        "is_retired": is_retired,
        "record_status": record_status,
        "is_trial": is_trial,
    }
    return next(rule.word for rule in _RULES if rule.holds(facts))


def served(actor: Actor) -> QuerySet[Any]:
    """Return what serves that an actor may see, each with `verdict` (of `Serves`), `record_status`, `record_stage`.

    One row for each model behind a variant of an endpoint that is still there, by account, endpoint and variant.
    """
    return (
        with_verdict(EndpointVariant.objects.visible_to(actor).standing())
        .select_related("endpoint__account", "version__group__project")
        .defer(*(f"version__{name}" for name in HEAVY))
        .order_by("endpoint__account__alias", "endpoint__name", "is_shadow", "name", "pk")
    )


def of_endpoint(actor: Actor, endpoint: Endpoint) -> QuerySet[Any]:
    """Return what one endpoint serves, as `served` does, also when AWS has the endpoint no more."""
    rows = EndpointVariant.objects.visible_to(actor).filter(endpoint=endpoint, missing_since=None)
    return (
        with_verdict(rows)
        .select_related("endpoint__account", "version__group__project")
        .defer(*(f"version__{name}" for name in HEAVY))
        .order_by("is_shadow", "name", "pk")
    )


def monitors_of(actor: Actor, endpoint: Endpoint) -> list[MonitoringSchedule]:
    """Return the monitoring schedules of an endpoint that an actor may see, those that stand still too."""
    return list(
        MonitoringSchedule.objects.visible_to(actor)
        .filter(account=endpoint.account_id, region=endpoint.region, endpoint__iexact=endpoint.name, missing_since=None)
        .order_by("name")
    )


def with_verdict(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Give rows of what is served the facts of the rules, and the `verdict` that follows."""
    purposes = ExpressionWrapper(OuterRef("endpoint__account__purposes"), output_field=ArrayField(CharField()))
    of_account = Func(
        F("stage"), purposes, template="(%(expressions)s))", arg_joiner=" = ANY(", output_field=BooleanField()
    )
    # Of the stages an account runs, the one that stands best speaks; of one stage the account's own record.
    best = Case(
        When(status=Status.PENDING, then=Value(1)),
        When(status__in=_GONE, then=Value(2)),
        default=Value(0),
        output_field=IntegerField(),
    )
    records = (
        StageRecord.objects.filter(
            Q(account=OuterRef("endpoint__account")) | Q(account=None),
            version=OuterRef("version"),
            stage__in=GOVERNED,
        )
        .annotate(is_of_account=of_account)
        .filter(is_of_account=True)
        .order_by(F("account").asc(nulls_last=True), best, "-pk")
    )
    trials = Deployment.objects.filter(
        version=OuterRef("version"), account=OuterRef("endpoint__account"), mode=DeploymentMode.TRIAL
    ).exclude(state__in=_OVER)
    governed = Q(endpoint__account__purposes__overlap=[stage.value for stage in GOVERNED])
    word = Case(
        *[When(rule.condition(), then=Value(rule.word.value)) for rule in _RULES[:-1]],
        default=Value(_RULES[-1].word.value),
        output_field=CharField(),
    )
    is_empty = Q(model_name="", inference_component="", model_found=True) | idle()
    return rows.annotate(
        is_serving=_is(Q(endpoint__status__in=SERVING, missing_since=None, endpoint__missing_since=None) & ~is_empty),
        names=Case(
            When(version__isnull=False, then=Value("version")),
            When(problem="", then=Value("unknown")),
            default=Value("unread"),
            output_field=CharField(),
        ),
        is_governed=_is(governed),
        is_retired=_is(Q(version__stage=Stage.RETIRED)),
        record_status=Coalesce(Subquery(records.values("status")[:1]), Value("")),
        record_stage=Coalesce(Subquery(records.values("stage")[:1]), Value("")),
        is_trial=Case(
            When(is_shadow=True, then=Value(True)),
            When(Exists(trials), then=Value(True)),
            default=Value(False),
            output_field=BooleanField(),
        ),
    ).annotate(verdict=word)


def stage_of(row: Any) -> Stage | None:
    """Return the stage a served model runs for: its record's, else the first governed one of its account."""
    if row.record_stage:
        return Stage(row.record_stage)
    return next((stage for stage in GOVERNED if stage in row.endpoint.account.purposes), None)


def where(row: Any) -> str:
    """Return in words where a row serves: credit-risk, variant b (shadow)."""
    shadow = " (shadow)" if row.is_shadow else ""
    coming = " (coming up)" if row.is_pending else ""
    component = f", component {row.inference_component}" if row.inference_component else ""
    container = f", container {row.container}" if row.container else ""
    return f"{row.endpoint.name}, variant {row.name}{component}{container}{shadow}{coming}"


def _is(condition: Q) -> Case:
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())
