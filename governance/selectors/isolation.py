"""Models trained, or running, without the network isolation that the policy in force asks for."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from django.db.models import QuerySet

from portal.core.vocabulary import Provenance, RiskRating, Stage, Status, SubjectKind
from registry.models import EndpointVariant, TrainingProvenance
from registry.selectors.catalogue import HEAVY

from ..models import StageRecord
from . import policy as policies
from .observed import Observation, Seen, key_of

_CHUNK = 1000
# What is rejected, superseded or retired is held to nothing.
_WATCHED = (Status.PENDING, Status.APPROVED, Status.DEPLOYED)


def network_isolation_off(now: datetime, only: Collection[int] | None = None) -> Seen:
    """Stage records whose rule asks for network isolation, of versions known to be trained or to run without it.

    What AWS did not say is no finding: the check of a decision says that it is not known. A version whose training
    could not be read last is left as it was found.
    """
    asked = cells()
    if not asked:
        return Seen()
    records = _records(asked, only)
    running = _running_open(records)
    holds, unsure = [], set()
    for record in records.iterator(chunk_size=_CHUNK):
        if (Stage(record.stage), policies.tier_of(record.version).value) not in asked:
            continue
        training = getattr(record.version, "training", None)
        words = [*_trained(training), *running.get(record.version_id, ())]
        if words:
            holds.append(_observed(record, training, words))
        elif training is not None and training.problem:
            unsure.add(key_of(record.version, stage=Stage(record.stage), account=record.account))
    return Seen(tuple(holds), unsure=frozenset(unsure))


def cells() -> set[tuple[Stage, RiskRating]]:
    """Return the stages and tiers of risk at which the policy in force asks for network isolation."""
    return {
        (rule.stage, rule.tier)
        for rule in policies.rules_of(policies.in_force())
        if rule.kind is SubjectKind.MODEL_VERSION and Provenance.NETWORK_ISOLATION in rule.provenance
    }


def _records(asked: set[tuple[Stage, RiskRating]], only: Collection[int] | None) -> QuerySet[StageRecord]:
    records = StageRecord.objects.filter(stage__in={stage for stage, _ in asked}, status__in=_WATCHED)
    if only is not None:
        records = records.filter(version_id__in=list(only))
    return (
        records.exclude(version__stage=Stage.RETIRED)
        .select_related("version__group__account", "version__training", "account")
        .prefetch_related("version__use_cases")
        .defer("validation_metrics", *(f"version__{name}" for name in HEAVY))
        .order_by("pk")
    )


def _running_open(records: QuerySet[StageRecord]) -> dict[int, list[str]]:
    """What of those versions runs without isolation, in words by version."""
    rows = EndpointVariant.objects.serving().filter(
        network_isolation=False, version_id__in=records.order_by().values("version_id")
    )
    found: dict[int, list[str]] = {}
    for row in rows.select_related("endpoint").order_by("pk"):
        words = f"{row.name} of the endpoint {row.endpoint.name} runs without it"
        found.setdefault(row.version_id or 0, []).append(words)
    return found


def _trained(training: TrainingProvenance | None) -> Iterator[str]:
    if training is not None and training.network_isolation is False:
        yield f"the training job {training.job_name} ran without it"


def _observed(record: StageRecord, training: TrainingProvenance | None, words: list[str]) -> Observation:
    where = f"{Stage(record.stage).label} ({record.account})" if record.account else Stage(record.stage).label
    return Observation(
        record.version,
        f"The policy asks for network isolation of {record.version.name} in {where}: {'; '.join(words[:5])}.",
        {
            "stage_record": record.pk,
            "training_job": training.job_arn if training else "",
            "training_isolated": training.network_isolation if training else None,
            "running_without": len(words) - len([*_trained(training)]),
        },
        stage=Stage(record.stage),
        account=record.account,
    )
