"""What changes: a version against the last approved one of its group, a use case against its last request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.core.vocabulary import Stage
from registry.models import ModelVersion, UseCase
from registry.selectors.card_view import flat, path_words

from ..models import ApprovalRequest, AuditEvent, StageRecord
from .policy import STANDING
from .words import field_words, value_words


@dataclass(frozen=True)
class Comparison:
    """One group of differences: rows of {field, before, after}."""

    title: str
    rows: list[dict[str, Any]]
    compared: int


@dataclass(frozen=True)
class Predecessor:
    """The version a decision compares with, and where it was approved."""

    version: ModelVersion
    stage: Stage


def predecessor(version: ModelVersion, stage: Stage) -> Predecessor | None:
    """Return the version of the group last approved at this stage, or else at any; None when there is none."""
    approved = (
        StageRecord.objects.filter(version__group_id=version.group_id, status__in=STANDING)
        .exclude(version=version)
        .select_related("version__group")
        .order_by("-audit_at", "-pk")
    )
    found = approved.filter(stage=stage).first() or approved.first()
    return Predecessor(found.version, Stage(found.stage)) if found is not None else None


def compare(before: ModelVersion, after: ModelVersion) -> list[Comparison]:
    """Return what differs between two versions, in groups; a group that agrees has no rows."""
    return [
        _compared("Containers and artifact", _containers(before), _containers(after)),
        _compared("Validation metrics", metrics_of(before), metrics_of(after)),
        _compared("Risk and ownership", _answers(before), _answers(after)),
        _compared("Metadata", before.metadata, after.metadata),
        _compared("Model card", _card(before), _card(after)),
    ]


def metrics_of(version: ModelVersion) -> dict[str, Any]:
    """Return the validation metrics last reported at any stage of a version, flattened; empty when there are none."""
    record = (
        StageRecord.objects.filter(version=version, validation_metrics__isnull=False)
        .order_by("-validation_captured_at", "-pk")
        .first()
    )
    return flat(record.validation_metrics) if record is not None else {}


def changed_since_last_request(request: ApprovalRequest) -> tuple[ApprovalRequest | None, list[dict[str, Any]]]:
    """Return the request before this one about the same use case, and what was edited since it was closed."""
    use_case = request.use_case
    if use_case is None:
        return None, []
    earlier = (
        ApprovalRequest.objects.about(use_case).filter(pk__lt=request.pk, closed_at__isnull=False).order_by("-pk")
    ).first()
    if earlier is None:
        return None, []
    return earlier, edits_since(use_case, earlier.closed_at)


def edits_since(use_case: UseCase, moment: Any) -> list[dict[str, Any]]:
    """Return what was edited in a use case and its documents since a moment: the first and the last value."""
    documents = dict(use_case.documents.values_list("pk", "kind"))
    chains = [f"registry_usecase:{use_case.pk}", *(f"registry_usecasedocument:{pk}" for pk in documents)]
    events = AuditEvent.objects.filter(chain__in=chains, at__gt=moment).order_by("sequence")
    changes: dict[str, list[Any]] = {}
    for event in events:
        if event.table == "registry_usecasedocument":
            name = documents[int(event.object_id)]
            pair = event.changes.get("text") if event.action == "update" else [None, event.changes.get("text")]
            _note(changes, name, pair)
            continue
        if event.action == "update":
            for name, pair in event.changes.items():
                if name in _TOLD:
                    _note(changes, name, pair)
    return [
        {"field": field_words(name), "before": value_words(before), "after": value_words(after)}
        for name, (before, after) in changes.items()
        if before != after
    ]


_TOLD = ("name", "intended_purpose", "description", "business_owner", "risk_class", "risk_reason", "next_review_on")


def _note(changes: dict[str, list[Any]], name: str, pair: Any) -> None:
    if not isinstance(pair, list) or len(pair) != 2:
        return
    if name in changes:
        changes[name][1] = pair[1]
    else:
        changes[name] = list(pair)


def _compared(title: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Comparison:
    names = list(dict.fromkeys([*after, *before]))
    rows = [
        {"field": name, "before": value_words(before.get(name)), "after": value_words(after.get(name))}
        for name in names
        if before.get(name) != after.get(name)
    ]
    return Comparison(title, rows, len(names))


def _containers(version: ModelVersion) -> dict[str, Any]:
    words = {
        "image": "Image",
        "image_digest": "Image digest",
        "model_data_url": "Artifact",
        "model_data_etag": "Artifact ETag",
        "framework": "Framework",
        "framework_version": "Framework version",
    }
    many = len(version.containers) > 1
    return {
        f"Container {index}: {label}" if many else label: container.get(key) or None
        for index, container in enumerate(version.containers, start=1)
        for key, label in words.items()
    }


def _card(version: ModelVersion) -> dict[str, Any]:
    return {path_words(path): value for path, value in flat(version.card or {}).items()}


def _answers(version: ModelVersion) -> dict[str, Any]:
    return {
        "Risk rating": version.risk_rating,
        "Purpose": version.purpose or None,
        "Owner on the card": version.owner_name or None,
        "Line of business": version.line_of_business or None,
        "Description": version.description or None,
    }
