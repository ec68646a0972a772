"""What the pages about policies say, line by line."""

from __future__ import annotations

from typing import Any

from portal.core.vocabulary import RiskRating, Stage, SubjectKind

from ..models import PolicyVersion
from ..policies.differences import Difference, approvals_words, metric_rule_words
from ..policies.engine import evidence_words, provenance_words
from ..policies.facts import Matrix, Requirements, Rule
from ..policies.validation import problems_of
from ..selectors import policy_preview as previews
from .wording import check_lines, request_url


def needs_lines(needs: Rule | Requirements) -> list[dict[str, Any]]:
    """Return what is needed, a line for each thing."""
    return [
        {"icon": "user-check", "label": "Approvals", "items": [approvals_words(needs.approvals)]},
        {"icon": "paperclip", "label": "Evidence", "items": list(map(evidence_words, needs.evidence))},
        {"icon": "chart-bar", "label": "Metrics", "items": list(map(metric_rule_words, needs.metrics))},
        {"icon": "sitemap", "label": "Provenance", "items": list(map(provenance_words, needs.provenance))},
        {
            "icon": "calendar-due",
            "label": "Time",
            "items": [f"due in {_days(needs.days_until_due)}, expires in {_days(needs.days_until_expiry)}"],
        },
    ]


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _place_words(name: str) -> str:
    """Put the name of a place in a policy in plain words: "model_version.qa.high", "model_path"."""
    if "." not in name:
        return "Stages of a model version" if name == "model_path" else "Stages of a use case"
    kind, stage, tier = name.split(".")
    return f"{SubjectKind(kind).label} at {Stage(stage).label}, {RiskRating(tier).label.lower()} risk"


def problem_lines(matrix: Matrix) -> list[str]:
    """Return what keeps a draft from being published, a line for each cell."""
    return [f"{_place_words(name)}: {' '.join(texts)}" for name, texts in problems_of(matrix).items()]


def _rows(differences: tuple[Difference, ...]) -> list[dict[str, str]]:
    return [{"field": one.label, "before": one.before, "after": one.after} for one in differences]


def change_groups(policy: PolicyVersion, since: PolicyVersion) -> list[dict[str, Any]]:
    """Return what a policy asks for differently from another, a group of rows for each cell."""
    found = previews.changes(policy, since)
    paths = [{"title": "Stages to pass", "rows": _rows(found.paths)}] if found.paths else []
    responses = [{"title": "Changes made in SageMaker", "rows": _rows(found.responses)}] if found.responses else []
    return (
        paths
        + responses
        + [
            {
                "title": f"{cell.kind.label} at {cell.stage.label}, {cell.tier.label.lower()} risk",
                "rows": _rows(cell.differences),
            }
            for cell in found.cells
        ]
    )


def request_lines(found: list[previews.RequestPreview]) -> list[dict[str, Any]]:
    """Return the open requests a policy would change, each with what changes and what would be missing."""
    return [
        {
            "request": one.request,
            "url": request_url(one.request),
            "rows": _rows(one.differences),
            "checks": check_lines(one.unmet),
        }
        for one in found
    ]
