"""The model dashboard across accounts: which versions are live where, which fail which checks, which lack a monitor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Case,
    CharField,
    Count,
    DateTimeField,
    Exists,
    IntegerField,
    Max,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from portal.core.actors import Actor
from registry.choices import WATCHING, SyncKind, SyncState
from registry.models import Deployment, EndpointVariant, MonitoringSchedule, SyncRun
from registry.selectors.catalogue import HEAVY

from ..choices import FindingState
from ..models import Finding, LiveVersion
from ..serving_words import Presence, Serves, Watched
from . import seen_serving, served

# The worst of several verdicts about one version in one account speaks for the row.
_WORST = (
    Serves.REJECTED,
    Serves.UNAPPROVED,
    Serves.TRIAL,
    Serves.APPROVED,
    Serves.FREE,
    Serves.NOT_SERVING,
)
STANDING = (FindingState.OPEN, FindingState.ACKNOWLEDGED)


def rows(actor: Actor) -> QuerySet[Any]:
    """Return one row for each version and account an actor may see, each with what is known of it there.

    `presence` (of `Presence`) says whether it is seen serving, `verdict` (of `Serves`, "" where it is not seen) how
    that stands to its approval, `findings` how many stand about it there or where its package lies, `failing` of which
    kinds they are, `watched` (of `Watched`) whether a monitor that runs looks at every endpoint it serves from,
    `read_at` when the account's endpoints were last read whole. `seen` lists what serves it, in every account: `places`
    gives those of the row's own.
    """
    here = EndpointVariant.objects.standing().filter(version=OuterRef("version"), endpoint__account=OuterRef("account"))
    serving = here.serving()
    verdict = served.with_verdict(here).annotate(
        badness=Case(*[When(verdict=word, then=Value(n)) for n, word in enumerate(_WORST)], default=Value(99))
    )
    reported = Deployment.objects.running().filter(version=OuterRef("version"), account=OuterRef("account"))
    read = SyncRun.objects.filter(account=OuterRef("account"), kind=SyncKind.ENDPOINTS, state=SyncState.SUCCEEDED)
    about = (
        Finding.objects.filter(Q(account=OuterRef("account")) | Q(account=OuterRef("version__group__account")))
        .filter(version=OuterRef("version"), state__in=STANDING)
        .order_by()
    )
    place = {"account": OuterRef("endpoint__account"), "region": OuterRef("endpoint__region")}
    schedules = MonitoringSchedule.objects.filter(**place)
    # CloudWatch and Model Monitor write an endpoint's name in small letters or as it is.
    watch = schedules.filter(endpoint__iexact=OuterRef("endpoint__name"), missing_since=None, status__in=WATCHING)
    looked = SyncRun.objects.filter(**place, kind=SyncKind.MONITORS, state=SyncState.SUCCEEDED)
    bare = serving.filter(~Exists(watch))
    return (
        LiveVersion.objects.visible_to(actor)
        .annotate(
            presence=Case(
                When(Exists(serving), then=Value(Presence.LIVE.value)),
                When(Exists(seen_serving.reported_alone(reported)), then=Value(Presence.REPORTED.value)),
                When(~Exists(read), then=Value(Presence.NOT_READ.value)),
                default=Value(Presence.NOT_THERE.value),
                output_field=CharField(),
            ),
            verdict=Coalesce(Subquery(verdict.order_by("badness").values("verdict")[:1]), Value("")),
            findings=Coalesce(
                Subquery(
                    about.values("version").annotate(total=Count("pk")).values("total")[:1],
                    output_field=IntegerField(),
                ),
                Value(0),
            ),
            failing=ArraySubquery(about.values("kind").distinct().order_by("kind")),
            watched=Case(
                When(~Exists(serving), then=Value(Watched.NOT_LIVE.value)),
                When(Exists(bare.filter(Exists(looked) | Exists(schedules))), then=Value(Watched.MISSING.value)),
                When(Exists(bare), then=Value(Watched.UNKNOWN.value)),
                default=Value(Watched.WATCHED.value),
                output_field=CharField(),
            ),
            read_at=Subquery(
                read.order_by().values("account").annotate(last=Max("started_at")).values("last")[:1],
                output_field=DateTimeField(),
            ),
        )
        .select_related("account", "version__group__project")
        .defer(*(f"version__{name}" for name in HEAVY))
        .prefetch_related(
            Prefetch(
                "version__served_by",
                EndpointVariant.objects.standing().select_related("endpoint").order_by("endpoint__name", "name", "pk"),
                to_attr="seen",
            )
        )
        .order_by("version__group__name", "-version__number", "account__alias", "pk")
    )


def places(row: Any) -> Sequence[EndpointVariant]:
    """Return what serves a row's version in its account."""
    return [one for one in row.version.seen if one.endpoint.account_id == row.account_id]


def in_region(found: QuerySet[Any], region: str) -> QuerySet[Any]:
    """Return those of the rows of `rows` that are seen in a region."""
    here = EndpointVariant.objects.standing().filter(version=OuterRef("version"), endpoint__account=OuterRef("account"))
    return found.filter(Exists(here.filter(endpoint__region=region)))


def failing(found: QuerySet[Any], kind: str) -> QuerySet[Any]:
    """Return those of the rows of `rows` about which a finding of a kind stands."""
    return found.filter(failing__contains=[kind])


def counts(actor: Actor) -> dict[str, int]:
    """Return the figures above the dashboard; each is the number of rows its filter gives. Two queries."""
    groups = (
        rows(actor)
        .prefetch_related(None)
        .order_by()
        .annotate(fails=Case(When(findings__gt=0, then=Value(1)), default=Value(0)))
        .values_list("presence", "verdict", "watched", "fails")
        .annotate(total=Count("pk"))
    )
    found = dict.fromkeys(("live", "disagrees", "fails", "unwatched", "absent"), 0)
    for presence, verdict, watched, fails, total in groups:
        found["live"] += total * (presence == Presence.LIVE)
        found["disagrees"] += total * (verdict in served.DISAGREEING)
        found["fails"] += total * fails
        found["unwatched"] += total * (watched == Watched.MISSING)
        found["absent"] += total * (presence == Presence.NOT_THERE)
    return {**found, "unknown": served.served(actor).filter(verdict=Serves.UNKNOWN).count()}
