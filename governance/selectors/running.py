"""What runs and what was approved to run: the findings about deployments, from what is observed and what was reported.

What AWS shows wins: a version that is seen serving in an account is judged by that alone, and a report that names an
endpoint counts until a later reading of the whole account lacks it. Where endpoints were never read, reports are all
there is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from portal.core.vocabulary import Stage, Status, SubjectKind
from registry.choices import DeploymentMode, DeploymentState
from registry.models import AwsAccount, Deployment, EndpointVariant
from registry.selectors.catalogue import HEAVY

from ..choices import Severity
from ..models import StageEvent, StageRecord
from ..serving_words import Serves
from . import seen_serving, served
from .endpoints import with_record_status
from .observed import Observation, Seen

Only = Collection[int] | None
_NAMED_AT_MOST = 5


def running_unapproved(now: datetime, only: Only = None) -> Seen:
    """Versions that run where nobody has approved them: live ones of a stage that is pending, or has no record.

    A trial beside what is live, as a shadow is, is ordered before its stage is approved, and is none.
    """
    unapproved = Q(record_status=None) | Q(record_status=Status.PENDING, mode=DeploymentMode.LIVE)
    reported = _running(only).filter(unapproved).exclude(version__stage=Stage.RETIRED)
    words = "{name} runs at {where} in {account} for {stage}, where it is not approved."
    return Seen((*_observed(Serves.UNAPPROVED, words, only), *_reported(reported, words)))


def running_rejected(now: datetime, only: Only = None) -> Seen:
    """Versions that run where they are rejected, or that are retired, by force too."""
    gone = Q(record_status__in=(Status.REJECTED, Status.RETIRED)) | Q(version__stage=Stage.RETIRED)
    words = "{name} runs at {where} in {account} for {stage}, where it is {status}."
    return Seen((*_observed(Serves.REJECTED, words, only), *_reported(_running(only).filter(gone), words)))


def approved_not_deployed(now: datetime, only: Only = None) -> Seen:
    """Versions approved for production that do not run there in time.

    One whose deployment was never reported in place is, when the days the setting allows are over; so is one that was
    reported and never seen, where a later reading of the whole account has no endpoint for it. One that was seen and
    is no more is found at once. What is seen answering requests is not, whatever was reported; a shadow answers none.
    """
    since = now - timedelta(days=settings.PORTAL_DEPLOYMENT_PATIENCE_DAYS)
    approval = StageEvent.objects.filter(
        kind=SubjectKind.MODEL_VERSION, record_id_copy=OuterRef("pk"), status=Status.APPROVED
    )
    order = Deployment.objects.filter(version=OuterRef("version"), account=OuterRef("account"), stage=Stage.PRODUCTION)
    refuted = order.exclude(endpoint="").filter(seen_serving.read_since(), state=DeploymentState.DEPLOYED)
    late = refuted.filter(reported_at__lt=since)
    records = StageRecord.objects.all() if only is None else StageRecord.objects.filter(version__in=list(only))
    waiting = (
        records.filter(Exists(order), stage=Stage.PRODUCTION)
        .exclude(seen_serving.is_observed(answering=True))
        .annotate(
            approved_at=Subquery(approval.order_by("-pk").values("at")[:1]),
            deployment_state=Subquery(order.values("state")[:1]),
            deployment_endpoint=Subquery(order.values("endpoint")[:1]),
            deployment_region=Subquery(order.values("region")[:1]),
            was_seen=seen_serving.was_observed(),
        )
        .filter(
            Q(status=Status.APPROVED, approved_at__lt=since)
            | Q(status=Status.DEPLOYED) & (Q(Exists(late)) | Q(Exists(refuted), was_seen=True))
        )
        .select_related("version__group__account", "account")
        .defer(*_heavy())
    )
    return Seen(
        tuple(
            Observation(
                record.version,
                _missed(record),
                {
                    "approved_at": record.approved_at.isoformat() if record.approved_at else None,
                    "deployment": record.deployment_state,
                    "endpoint": record.deployment_endpoint,
                    "region": record.deployment_region,
                },
                stage=Stage.PRODUCTION,
                account=record.account,
            )
            for record in waiting.order_by("pk")
        )
    )


def _missed(record: Any) -> str:
    approved = f"{record.version.name} was approved for production"
    if record.approved_at:
        approved += f" on {record.approved_at:%Y-%m-%d}"
    if record.status != Status.DEPLOYED:
        return f"{approved} and is not deployed in {record.account} yet."
    came = "ran" if record.was_seen else "was reported"
    more = " any more" if record.was_seen else ""
    return (
        f"{approved} and {came} at {record.deployment_endpoint} in {record.account} ({record.deployment_region}),"
        f" where no endpoint answers requests with it{more}."
    )


def unknown_model_running(now: datetime, only: Only = None) -> Seen:
    """Endpoints that serve a model behind which there is no registered version; one finding for each endpoint.

    In accounts that run no stage with approvals it is only worth a warning: there things are tried out.
    """
    if only is not None:
        return Seen()
    rows = served.with_verdict(EndpointVariant.objects.serving()).filter(verdict=Serves.UNKNOWN)
    endpoints: dict[int, list[Any]] = {}
    for row in rows.select_related("endpoint__account").order_by("endpoint_id", "pk"):
        endpoints.setdefault(row.endpoint_id, []).append(row)
    return Seen(tuple(_unknown(found) for found in endpoints.values()))


def observed_at(version_id: int, account: AwsAccount | None = None) -> list[EndpointVariant]:
    """Return what is seen serving a version, in one account or in all of them."""
    rows = EndpointVariant.objects.serving().filter(version=version_id)
    if account is not None:
        rows = rows.filter(endpoint__account=account)
    return list(rows.select_related("endpoint__account").order_by("endpoint__account__alias", "endpoint__name", "pk"))


def _unknown(rows: list[Any]) -> Observation:
    endpoint, first = rows[0].endpoint, rows[0]
    what = (
        f"the package {first.package_arn}, which is no version here"
        if first.package_arn
        else f"any model under {first.many_under}, none of them a registered package"
        if first.many_under
        else f"the model {first.model_name or first.inference_component}, which was made from no registered package"
        if first.model_found
        else f"the model {first.model_name or 'of its configuration'}, which AWS has no more"
    )
    more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
    return Observation(
        endpoint.account,
        f"{served.where(first)} in {endpoint.account} ({endpoint.region}) serves {what}{more}.",
        {
            "endpoint": endpoint.arn,
            "models": [row.model_arn or row.model_name for row in rows],
            "images": sorted({row.image for row in rows if row.image}),
        },
        mark=f"endpoint-{endpoint.pk}",
        severity=None if first.is_governed else Severity.WARNING,
    )


def _observed(verdict: Serves, words: str, only: Only) -> Iterable[Observation]:
    """One for each version and account with what serves it there so, however many variants."""
    rows: QuerySet[Any] = EndpointVariant.objects.serving().exclude(version=None)
    if only is not None:
        rows = rows.filter(version__in=list(only))
        # Most of what is looked at by itself is seen nowhere, and what judges it takes long to ask.
        if not rows.exists():
            return
    rows = served.with_verdict(rows).filter(verdict=verdict)
    found: dict[tuple[Any, int], list[Any]] = {}
    for row in rows.select_related("endpoint__account", "version__group__account").defer(*_heavy()).order_by("pk"):
        found.setdefault((row.version_id, row.endpoint.account_id), []).append(row)
    for places in found.values():
        row = places[0]
        stage, account = served.stage_of(row), row.endpoint.account
        named = [served.where(place) for place in places[:_NAMED_AT_MOST]]
        if len(places) > _NAMED_AT_MOST:
            named.append(f"{len(places) - _NAMED_AT_MOST} more")
        status = "retired" if row.is_retired else row.record_status
        yield Observation(
            row.version,
            words.format(
                name=row.version.name,
                where="; ".join(named),
                account=account,
                stage=stage.label if stage else "tests",
                status=status,
            ),
            {
                "endpoints": sorted({place.endpoint.arn for place in places}),
                "variants": [served.where(place) for place in places],
                "record": row.record_status or None,
                "observed": True,
            },
            stage=stage,
            account=account,
        )


def _running(only: Only) -> QuerySet[Any]:
    """Deployments reported in place and not overruled, with the status of the record that speaks for them."""
    rows = Deployment.objects.running()
    if only is not None:
        rows = rows.filter(version__in=list(only))
    return (
        with_record_status(seen_serving.reported_alone(rows))
        .select_related("account", "version__group__account")
        .defer(*_heavy())
        .order_by("pk")
    )


def _reported(deployments: QuerySet[Any], words: str) -> Iterable[Observation]:
    for deployment in deployments:
        yield Observation(
            deployment.version,
            words.format(
                name=deployment.version.name,
                where=deployment.endpoint or "an unnamed endpoint",
                account=deployment.account,
                stage=Stage(deployment.stage).label,
                status="retired" if deployment.version.stage == Stage.RETIRED else deployment.record_status,
            ),
            {
                "deployment": deployment.pk,
                "endpoint": deployment.endpoint,
                "mode": deployment.mode,
                "record": deployment.record_status,
            },
            stage=Stage(deployment.stage),
            account=deployment.account,
        )


def _heavy() -> list[str]:
    return [f"version__{name}" for name in HEAVY]
