"""What an edit changed in custom attributes, one line each, in the words people gave them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from registry.choices import ObjectKind
from registry.selectors import attributes

from ..models import AuditEvent
from .words import value_words

COLUMN = "attributes"
_KINDS = {
    "registry_usecase": ObjectKind.USE_CASE,
    "registry_modelgroup": ObjectKind.MODEL_GROUP,
    "governance_stagerecord": ObjectKind.STAGE_RECORD,
}


def attribute_changes(events: Iterable[AuditEvent]) -> dict[int, list[dict[str, Any]]]:
    """Return the changes of attributes by the sequence of their entry: field, before and after; absent is None."""
    changed = [event for event in events if _pair(event) is not None]
    sheets = {kind: attributes.sheet(kind, archived=True) for kind in {_KINDS[event.table] for event in changed}}
    return {event.sequence: list(_lines(event, sheets[_KINDS[event.table]])) for event in changed}


def _pair(event: AuditEvent) -> tuple[dict[str, Any], dict[str, Any]] | None:
    pair = event.changes.get(COLUMN)
    if event.action != "update" or event.table not in _KINDS or not isinstance(pair, list):
        return None
    before, after = (side if isinstance(side, dict) else {} for side in pair)
    return before, after


def _lines(event: AuditEvent, sheet: attributes.Sheet) -> Iterable[dict[str, Any]]:
    before, after = _pair(event) or ({}, {})
    for attribute in sheet.attributes:
        was, now = before.get(attribute.key), after.get(attribute.key)
        if was != now:
            words = [None if value is None else value_words(sheet.worded(attribute, value)) for value in (was, now)]
            yield {"field": attribute.label, "before": words[0], "after": words[1]}
