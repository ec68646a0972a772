"""Use cases and model groups as rows of a file: the same columns from the page and from the API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..models import ModelGroup, UseCase
from .attributes import Sheet

USE_CASE_COLUMNS = (
    "id",
    "name",
    "stage",
    "status",
    "risk_class",
    "project",
    "line_of_business",
    "model_owner",
    "business_owner",
    "intended_purpose",
    "next_review_on",
    "registered_by",
    "registered_at",
)
GROUP_COLUMNS = (
    "id",
    "name",
    "arn",
    "account",
    "region",
    "description",
    "project",
    "owner",
    "use_cases",
    "aws_created_at",
    "missing_since",
)


def use_case_row(use_case: UseCase) -> dict[str, Any]:
    """Return a use case by USE_CASE_COLUMNS; absent is None."""
    return {
        "id": use_case.public_id,
        "name": use_case.name,
        "stage": use_case.stage,
        "status": use_case.status,
        "risk_class": use_case.risk_class,
        "project": use_case.project.key,
        "line_of_business": use_case.project.line_of_business.name,
        "model_owner": use_case.model_owner.username if use_case.model_owner else None,
        "business_owner": use_case.business_owner or None,
        "intended_purpose": use_case.intended_purpose,
        "next_review_on": use_case.next_review_on,
        "registered_by": use_case.registered_by.username,
        "registered_at": use_case.registered_at.isoformat(),
    }


def group_row(group: ModelGroup) -> dict[str, Any]:
    """Return a model group by GROUP_COLUMNS; absent is None, use cases are separated by blanks."""
    return {
        "id": group.pk,
        "name": group.name,
        "arn": group.arn,
        "account": group.account.account_id,
        "region": group.region,
        "description": group.description or None,
        "project": group.project.key if group.project else None,
        "owner": group.owner.username if group.owner else None,
        "use_cases": " ".join(use_case.public_id for use_case in group.use_cases.all()) or None,
        "aws_created_at": group.aws_created_at.isoformat() if group.aws_created_at else None,
        "missing_since": group.missing_since.isoformat() if group.missing_since else None,
    }


def with_attributes(
    rows: Iterable[Any], row_of: Callable[[Any], dict[str, Any]], sheet: Sheet
) -> Iterator[dict[str, Any]]:
    """Yield rows of a file with a cell per custom attribute on the sheet."""
    for row in rows:
        yield {**row_of(row), **sheet.cells(row.attributes)}
