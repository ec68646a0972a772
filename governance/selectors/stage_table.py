"""The model stage governance table: fifteen attributes per version, stage, account and use case."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Case, F, QuerySet, Value, When

from portal.core.actors import Actor
from portal.core.vocabulary import Stage
from registry.querysets import seen_use_cases

from ..models import StageRecord

# DOMAIN section 3, in its order and under the names the API promises.
ATTRIBUTES: tuple[str, ...] = (
    "use_case_id",
    "use_case_name",
    "use_case_stage",
    "model_group",
    "model_version",
    "model_owner",
    "model_lob",
    "model_project",
    "model_stage",
    "model_status",
    "model_risk",
    "validation_metrics",
    "monitoring_metrics",
    "audit_timestamp",
    "audit_user",
)


def stage_table(actor: Actor) -> QuerySet[Any]:
    """Return the table's rows that an actor may see, newest record first: one per record and use case, in one query."""
    return expanded(StageRecord.objects.visible_to(actor), actor).order_by("-id", "row_use_case_number")


def expanded(records: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """Return records multiplied by the use cases their version serves, with what a row needs.

    Of a use case the actor may not see (the group was shown to him by name) a row has nothing but that there is one:
    `row_use_case_hidden`. Filters and searches ask for what the row shows.
    """
    seen = seen_use_cases(actor, "version__use_cases__")
    told: dict[str, Any] = {
        f"row_use_case_{name}": F(f"version__use_cases__{name}")
        if seen is None
        else Case(When(seen, then=F(f"version__use_cases__{name}")))
        for name in ("number", "name", "stage")
    }
    if seen is not None:
        nobody = When(version__use_cases__number=None, then=Value(False))
        told["row_use_case_hidden"] = Case(nobody, When(seen, then=Value(False)), default=Value(True))
    related = ("account", "version__group__owner", "version__group__project__line_of_business")
    return records.select_related(*related).annotate(**told)


def as_row(record: Any) -> dict[str, Any]:
    """Return one row of `expanded` as the fifteen attributes and what identifies the row; absent is None.

    Custom attributes are as they are kept, people by their id.
    """
    version = record.version
    group = version.group
    project = group.project
    number = record.row_use_case_number
    return {
        "id": record.pk,
        "use_case_id": None if number is None else f"UC-{number:04d}",
        "use_case_name": record.row_use_case_name,
        "use_case_stage": record.row_use_case_stage,
        "model_group": group.name,
        "model_version": version.number,
        "model_owner": version.owner_name or (str(group.owner) if group.owner else None),
        "model_lob": version.line_of_business or (project.line_of_business.name if project else None),
        "model_project": project.key if project else None,
        "model_stage": record.stage,
        "model_status": record.status,
        "model_risk": version.risk_rating,
        "validation_metrics": record.validation_metrics,
        "monitoring_metrics": monitoring_of(
            record.monitoring_metrics, record.monitoring_endpoint, _iso(record.monitoring_captured_at)
        ),
        "audit_timestamp": _iso(record.audit_at),
        "audit_user": record.audit_user,
        "model_package_arn": version.arn,
        "artifact_url": version.artifact_url or None,
        "hub_artifact_url": version.hub_artifact_url or None,
        "account": record.account.account_id if record.account else None,
        "attributes": record.attributes,
        "revision": record.revision,
    }


def monitoring_of(metrics: Any, endpoint: str, captured_at: str | None) -> dict[str, Any] | None:
    """Return the attribute monitoring metrics: what was captured, from which endpoint and when; None if nothing was."""
    if metrics is None:
        return None
    return {"metrics": metrics, "endpoint": endpoint or None, "captured_at": captured_at}


def rows(records: Iterable[StageRecord]) -> list[dict[str, Any]]:
    """Return rows of `stage_table` or `expanded` as dictionaries."""
    return [as_row(record) for record in records]


def stage_label(stage: str) -> str:
    """Return a stage in plain words."""
    return Stage(stage).label


def _iso(moment: Any) -> str | None:
    return moment.isoformat() if moment else None
