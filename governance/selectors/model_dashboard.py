"""The model dashboard across accounts: which versions are live where, which fail which checks, which lack a monitor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
from registry.choices import SERVING, SyncKind, SyncState
from registry.models import Deployment, EndpointVariant, MonitoringSchedule, SyncRun
from registry.selectors.catalogue import HEAVY

from ..choices import FindingState
from ..models import Finding, LiveVersion
from ..serving_words import Presence, Serves, Watched
from . import served

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
    that stands to its approval, `findings` how many stand about it there, `watched` (of `Watched`) whether a monitor
    looks at every endpoint it serves from, `read_at` when the account's endpoints were last read whole. `seen` lists
    what serves it, in every account: `places` gives those of the row's own.
    """
    here = EndpointVariant.objects.standing().filter(version=OuterRef("version"), endpoint__account=OuterRef("account"))
    serving = here.filter(endpoint__status__in=SERVING)
    verdict = served.with_verdict(here).annotate(
        badness=Case(*[When(verdict=word, then=Value(n)) for n, word in enumerate(_WORST)], default=Value(99))
    )
    reported = Deployment.objects.running().filter(version=OuterRef("version"), account=OuterRef("account"))
    read = SyncRun.objects.filter(account=OuterRef("account"), kind=SyncKind.ENDPOINTS, state=SyncState.SUCCEEDED)
    about = (
        Finding.objects.filter(Q(account=OuterRef("account")) | Q(account=OuterRef("version__group__account")))
        .filter(version=OuterRef("version"), state__in=STANDING)
        .order_by()
        .values("version")
    )
    watch = MonitoringSchedule.objects.filter(
        account=OuterRef("endpoint__account"),
        region=OuterRef("endpoint__region"),
        endpoint=OuterRef("endpoint__name"),
        missing_since=None,
    )
    return (
        LiveVersion.objects.visible_to(actor)
        .annotate(
            presence=Case(
                When(Exists(serving), then=Value(Presence.LIVE.value)),
                When(Exists(served.reported_alone(reported)), then=Value(Presence.REPORTED.value)),
                When(~Exists(read), then=Value(Presence.NOT_READ.value)),
                default=Value(Presence.NOT_THERE.value),
                output_field=CharField(),
            ),
            verdict=Coalesce(Subquery(verdict.order_by("badness").values("verdict")[:1]), Value("")),
            findings=Coalesce(
                Subquery(about.annotate(total=Count("pk")).values("total")[:1], output_field=IntegerField()), Value(0)
            ),
            watched=Case(
                When(~Exists(serving), then=Value(Watched.NOT_LIVE.value)),
                When(Exists(serving.filter(~Exists(watch))), then=Value(Watched.MISSING.value)),
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


def counts(actor: Actor) -> dict[str, int]:
    """Return the figures above the dashboard; each is the number of rows its filter gives. One query, and one more."""
    found = (
        rows(actor)
        .prefetch_related(None)
        .aggregate(
            live=Count("pk", filter=Q(presence=Presence.LIVE)),
            disagrees=Count("pk", filter=Q(verdict__in=served.DISAGREEING)),
            fails=Count("pk", filter=Q(findings__gt=0)),
            unwatched=Count("pk", filter=Q(watched=Watched.MISSING)),
            absent=Count("pk", filter=Q(presence=Presence.NOT_THERE)),
        )
    )
    return {**found, "unknown": served.served(actor).filter(verdict=Serves.UNKNOWN).count()}
