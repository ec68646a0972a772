"""A model card for reading: its sections and fields in order and in plain words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# The order of SageMaker's model card schema; what a card holds beyond it follows.
_ORDER = (
    "model_overview",
    "intended_uses",
    "business_details",
    "training_details",
    "evaluation_details",
    "additional_information",
)


@dataclass
class Section:
    """One section of a card: `fields` are short values by label, `documents` what only reads well as JSON."""

    name: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    documents: list[tuple[str, Any]] = field(default_factory=list)


def sections(card: Mapping[str, Any] | None) -> list[Section]:
    """Return the sections of a card that hold anything."""
    if not card:
        return []
    names = [name for name in _ORDER if name in card] + [name for name in card if name not in _ORDER]
    shown = []
    for name in names:
        section = Section(name)
        _read(section, "", card[name], depth=0)
        if section.fields or section.documents:
            shown.append(section)
    return shown


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Return every leaf of a JSON document by its dotted path, for comparing two of them."""
    if isinstance(value, Mapping):
        leaves: dict[str, Any] = {}
        for key, item in value.items():
            leaves.update(flat(item, f"{path}.{key}" if path else str(key)))
        return leaves
    if isinstance(value, list):
        leaves = {}
        for index, item in enumerate(value, start=1):
            # What has a name is known by it, so that an entry moved within its list is still the same entry.
            name = item.get("name") if isinstance(item, Mapping) else None
            leaves.update(flat(item, f"{path}.{name}" if isinstance(name, str) else f"{path} {index}"))
        return leaves
    return {path: value} if path else {}


# Levels of the card's schema that say nothing to a reader.
_EMPTY_WORDS = {"metric_groups", "metric_data", "value", "custom_details"}


def path_words(path: str) -> str:
    """Return a dotted path for reading: "Evaluation details: holdout, binary, auc"."""
    first, *rest = [part.replace("_", " ") for part in path.split(".") if part not in _EMPTY_WORDS] or [path]
    head = first[:1].upper() + first[1:]
    return f"{head}: {', '.join(rest)}" if rest else head


def _read(section: Section, label: str, value: Any, depth: int) -> None:
    if value is None or value in ("", [], {}):
        return
    if isinstance(value, Mapping) and depth < 2:
        for key, item in value.items():
            _read(section, str(key), item, depth + 1)
    elif isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        section.fields.append((label or section.name, ", ".join(str(item) for item in value)))
    elif isinstance(value, Mapping | list):
        section.documents.append((label or section.name, value))
    else:
        section.fields.append((label or section.name, str(value)))
