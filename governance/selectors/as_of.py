"""What was true at a moment: the stage table, versions and use cases, and one subject with all that was known of it.

Rights are those of today: who may see something now may see its past, and nobody sees more than he does now.
A moment before the portal knew something shows nothing of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Func, Q, QuerySet, TextField
from django.db.models.functions import Cast

from portal.core.actors import Actor
from portal.core.vocabulary import RiskClass, RiskRating, Stage
from registry.models import ModelVersion, UseCase

from ..models import (
    ApprovalRequest,
    Decision,
    PastStageRow,
    PastUseCase,
    PastVersion,
    StageEvent,
)
from ..policies.facts import Tier, UseCaseRisk
from ..policies.rules import tier_of_version
from .stage_table import monitoring_of

Subject = UseCase | ModelVersion
# What a file of use cases holds of the past.
USE_CASE_COLUMNS = ("id", "name", "stage", "status", "risk_class", "project", "line_of_business")


def stage_table_as_of(actor: Actor, moment: datetime) -> QuerySet[Any]:
    """Return the stage governance table as it was, of what the actor may see today; newest record first, one query."""
    return PastStageRow.objects.as_of(moment).visible_to(actor).order_by("-id", "row_key")


def versions_as_of(actor: Actor, moment: datetime) -> QuerySet[Any]:
    """Return the model versions there were, of those the actor may see today."""
    return PastVersion.objects.as_of(moment).visible_to(actor)


def use_cases_as_of(actor: Actor, moment: datetime) -> QuerySet[Any]:
    """Return the use cases there were, of those the actor may see today."""
    return PastUseCase.objects.as_of(moment).visible_to(actor)


def past_row(row: PastStageRow) -> dict[str, Any]:
    """Return one row of the table as of a moment as `stage_table.as_row` writes one of today.

    Its revision is None: the past is not edited.
    """
    return _as_written(
        (
            *(getattr(row, name) for name in _PLAIN),
            *(None if moment is None else moment.isoformat() for moment in (row.audit_at, row.monitoring_captured_at)),
            *(getattr(row, name) for name in _DOCUMENTS),
        )
    )


def past_rows(rows: QuerySet[Any]) -> Iterator[dict[str, Any]]:
    """Yield rows of `stage_table_as_of` as `past_row` does, for all of them at once: whatever is large is read as text.

    The rows are in memory before the first is yielded; a list that is shown in pages takes `past_row`.
    """
    texts = [*map(_IsoTime, _TIMES), *(Cast(name, TextField()) for name in _DOCUMENTS)]
    with transaction.atomic(), connection.cursor() as cursor:
        # Enough to join and sort a hundred thousand rows without writing them to disk.
        cursor.execute("SET LOCAL work_mem = '96MB'")
        found = list(rows.values_list(*_PLAIN, *texts))
    for values in found:
        yield _as_written((*values[:-3], *map(_document, values[-3:])))


def _document(text: str | None) -> Any:
    # What jsonb writes is JSON without a blank around it.
    return None if text is None else {} if text == "{}" else _DECODE(text)[0]


def past_use_case_row(use_case: PastUseCase) -> dict[str, Any]:
    """Return a use case as of a moment by USE_CASE_COLUMNS."""
    return {"id": use_case.public_id, **{name: getattr(use_case, name) for name in USE_CASE_COLUMNS[1:]}}


def tier_then(row: PastStageRow) -> Tier:
    """Return the tier of risk that policies looked at, and where it came from."""
    served = [UseCaseRisk(f"UC-{number:04d}", RiskClass(named)) for number, named in row.risks or ()]
    return tier_of_version(RiskRating(row.model_risk), served)


_PLAIN = (
    "id", "use_case_number", "use_case_name", "use_case_stage", "model_group", "model_version", "model_owner",
    "model_lob", "model_project", "model_stage", "model_status", "model_risk", "monitoring_endpoint", "audit_user",
    "arn", "artifact_url", "hub_artifact_url", "account_id",
)  # fmt: skip
_TIMES = ("audit_at", "monitoring_captured_at")
_DECODE = json.JSONDecoder().raw_decode
_DOCUMENTS = ("validation_metrics", "monitoring_metrics", "attributes")


class _IsoTime(Func):
    """A time as `datetime.isoformat` writes it in UTC: without a fraction when there is none."""

    template = (
        "replace(to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"+00:00\"'), '.000000', '')"
    )
    output_field = TextField()


def _as_written(values: Sequence[Any]) -> dict[str, Any]:
    """Return the columns of a row, in the order above, under the names of the table."""
    (
        pk, number, use_case_name, use_case_stage, group, version, owner, line, project, stage, status, risk,
        endpoint, audit_user, arn, artifact_url, hub_artifact_url, account,
        audit_at, captured_at,
        validation, monitoring, attributes,
    ) = values  # fmt: skip
    return {
        "id": pk,
        "use_case_id": None if number is None else f"UC-{number:04d}",
        "use_case_name": use_case_name,
        "use_case_stage": use_case_stage,
        "model_group": group,
        "model_version": version,
        "model_owner": owner,
        "model_lob": line,
        "model_project": project,
        "model_stage": stage,
        "model_status": status,
        "model_risk": risk,
        "validation_metrics": validation,
        "monitoring_metrics": monitoring_of(monitoring, endpoint, captured_at),
        "audit_timestamp": audit_at,
        "audit_user": audit_user,
        "model_package_arn": arn,
        "artifact_url": artifact_url or None,
        "hub_artifact_url": hub_artifact_url or None,
        "account": account,
        "attributes": attributes,
        "revision": None,
    }


def kept_since() -> datetime | None:
    """Return since when the portal has kept the past: its oldest row; None while there is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT least((SELECT min(valid_from) FROM governance_history_usecase),"
            " (SELECT min(valid_from) FROM governance_history_modelversion))"
        )
        row = cursor.fetchone()
    return row[0] if row else None


@dataclass(frozen=True)
class UseCaseRecordThen:
    """A use case's record of one stage as of a moment."""

    stage: Stage
    status: str
    audit_at: datetime
    audit_user: str


@dataclass(frozen=True)
class Then:
    """All that was known of one subject at a moment: where it stood, its records, what waited, what had been decided.

    `position` is its row then, None before the portal knew it. `rows` are a version's rows of the stage table,
    `records` a use case's records. `waiting` are the requests that were open then, `decisions` all that had been given.
    """

    moment: datetime
    position: Any
    rows: tuple[Any, ...]
    records: tuple[UseCaseRecordThen, ...]
    waiting: tuple[ApprovalRequest, ...]
    decisions: tuple[Decision, ...]
    moves: tuple[StageEvent, ...]


def then(actor: Actor, subject: Subject, moment: datetime) -> Then:
    """Return what was known of a subject, which the caller has found visible, at a moment."""
    past = (use_cases_as_of if isinstance(subject, UseCase) else versions_as_of)(actor, moment)
    requests = ApprovalRequest.objects.about(subject)
    return Then(
        moment=moment,
        position=past.filter(pk=subject.pk).first(),
        rows=tuple(_rows_of(actor, subject, moment)) if isinstance(subject, ModelVersion) else (),
        records=tuple(_records_of(subject, moment)) if isinstance(subject, UseCase) else (),
        waiting=tuple(
            requests.filter(created_at__lte=moment)
            .filter(Q(closed_at=None) | Q(closed_at__gt=moment))
            .select_related("requester", "policy")
            .order_by("pk")
        ),
        decisions=tuple(
            Decision.objects.filter(request__in=requests.values("pk"), decided_at__lte=moment)
            .select_related("decider", "on_behalf_of", "request__policy")
            .order_by("-pk")
        ),
        moves=tuple(
            StageEvent.objects.about(subject).filter(at__lte=moment).select_related("account").order_by("-pk")[:50]
        ),
    )


def _rows_of(actor: Actor, version: ModelVersion, moment: datetime) -> list[Any]:
    order = [str(stage) for stage in Stage]
    found = stage_table_as_of(actor, moment).filter(version_id=version.pk)
    return sorted(found, key=lambda row: (-order.index(row.model_stage), row.pk, row.row_key))


def _records_of(use_case: UseCase, moment: datetime) -> list[UseCaseRecordThen]:
    order = [str(stage) for stage in Stage]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT stage, status, audit_at, audit_user FROM governance_history_usecasestagerecord"
            " WHERE use_case_id = %s AND valid_from <= %s AND valid_to > %s",
            [use_case.pk, moment, moment],
        )
        found = [UseCaseRecordThen(Stage(row[0]), *row[1:]) for row in cursor.fetchall()]
    return sorted(found, key=lambda record: order.index(record.stage))
