"""Which version runs on which endpoint: what AWS shows, and what was reported while AWS does not show otherwise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, Case, Exists, OuterRef, Q, QuerySet, Value, When

from ..choices import SyncKind, SyncState
from ..models import AwsAccount, Deployment, EndpointVariant, ModelVersion, SyncRun
from ..reports.monitor import endpoint_name
from .catalogue import HEAVY

# A region, and the name of an endpoint in small letters: one name may be taken in every region.
Place = tuple[str, str]


@dataclass(frozen=True)
class Placement:
    """One version in one account, with the endpoints it runs on there as far as they are known.

    `deployment` is what was reported, None where only AWS shows it: then `variant` is the first that serves it.
    """

    version: ModelVersion
    account: AwsAccount
    places: tuple[Place, ...]
    deployment: Deployment | None
    variant: EndpointVariant | None = None


def placements(*, versions: Collection[int] | None = None, account: AwsAccount | None = None) -> list[Placement]:
    """Return what is in place, of all versions and accounts or of these; four queries.

    A version is where AWS shows a variant of it that answers (a shadow is watched by nobody), whatever was reported. A
    report that names an endpoint counts until a later reading of the whole region does not have the version there;
    one that names none stands for every endpoint of the account that no other report names.
    """
    shown: QuerySet[Any] = EndpointVariant.objects.serving().filter(is_shadow=False).exclude(version=None)
    told: QuerySet[Any] = Deployment.objects.running()
    if versions is not None:
        shown, told = shown.filter(version__in=list(versions)), told.filter(version__in=list(versions))
    if account is not None:
        shown, told = shown.filter(endpoint__account=account), told.filter(account=account)
    observed: dict[tuple[int, int], dict[Place, EndpointVariant]] = defaultdict(dict)
    for variant in _with_version(shown.select_related("endpoint__account")):
        key = variant.version_id, variant.endpoint.account_id
        observed[key].setdefault((variant.endpoint.region, variant.endpoint.name.lower()), variant)
    reported: dict[tuple[int, int], list[tuple[Deployment, Place | None]]] = defaultdict(list)
    for row in _with_version(told.annotate(is_overruled=_is_overruled()).select_related("account")):
        place = (row.region, endpoint_name(row.endpoint)) if row.endpoint else None
        if place is not None and row.is_overruled and place not in observed[row.version_id, row.account_id]:
            place = None
        reported[row.version_id, row.account_id].append((row, place))
    found = []
    for key in {**reported, **observed}:
        rows, variants = reported.get(key, []), observed.get(key, {})
        rest = tuple(sorted(set(variants) - {place for _, place in rows}))
        takes_rest = [row for row, place in rows if place is None] or [row for row, _ in rows]
        for row, place in rows:
            own = (place,) if place else ()
            found.append(Placement(row.version, row.account, (*own, *(rest if row in takes_rest else ())), row))
        if rest and not rows:
            first = variants[rest[0]]
            assert first.version is not None
            found.append(Placement(first.version, first.endpoint.account, rest, None, first))
    return found


def _is_overruled() -> Case:
    read = SyncRun.objects.filter(
        account=OuterRef("account"),
        region=OuterRef("region"),
        kind=SyncKind.ENDPOINTS,
        state=SyncState.SUCCEEDED,
        started_at__gt=OuterRef("reported_at"),
    )
    return Case(
        When(~Q(endpoint="") & Exists(read), then=Value(True)), default=Value(False), output_field=BooleanField()
    )


def _with_version(rows: QuerySet[Any]) -> QuerySet[Any]:
    kept = [f"version__{name}" for name in HEAVY if name != "drift_baselines"]
    return (
        rows.select_related("version__group__account")
        .prefetch_related("version__use_cases")
        .defer(*kept)
        .order_by("pk")
    )
