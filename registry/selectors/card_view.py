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


# The order of a section's fields, which the database does not keep; what the schema does not have follows.
_FIELDS = [
    "model_id",
    "model_name",
    "model_version",
    "model_description",
    "model_owner",
    "model_creator",
    "problem_type",
    "algorithm_type",
    "model_artifact",
    "inference_environment",
    "model_package_arn",
    "model_package_name",
    "model_package_group_name",
    "model_package_version",
    "model_package_description",
    "model_package_status",
    "model_approval_status",
    "approval_description",
    "created_by",
    "domain",
    "task",
    "source_algorithms",
    "inference_specification",
    "purpose_of_model",
    "intended_uses",
    "factors_affecting_model_efficiency",
    "risk_rating",
    "explanations_for_risk_rating",
    "business_problem",
    "business_stakeholders",
    "line_of_business",
    "objective_function",
    "function",
    "facet",
    "condition",
    "notes",
    "training_observations",
    "training_job_details",
    "training_arn",
    "training_datasets",
    "training_environment",
    "container_image",
    "training_metrics",
    "user_provided_training_metrics",
    "hyper_parameters",
    "user_provided_hyper_parameters",
    "name",
    "evaluation_observation",
    "evaluation_job_arn",
    "datasets",
    "metadata",
    "metric_groups",
    "ethical_considerations",
    "caveats_and_recommendations",
    "custom_details",
]
_RANK = {key: rank for rank, key in enumerate(_FIELDS)}


def in_order(values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the fields of a section as the schema orders them, then the others as they come."""
    return sorted(values.items(), key=lambda item: _RANK.get(item[0], len(_RANK)))


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
        seen: dict[str, int] = {}
        for index, item in enumerate(value, start=1):
            # What has a name is known by it, so that an entry moved within its list is still the same entry.
            name = item.get("name") if isinstance(item, Mapping) else None
            if not isinstance(name, str):
                leaves.update(flat(item, f"{path} {index}"))
                continue
            seen[name] = seen.get(name, 0) + 1
            place = f"{path}.{name}" if seen[name] == 1 else f"{path}.{name} ({seen[name]})"
            found = flat(item, place)
            # Its place says its name already, unless there is nothing else to say.
            if len(found) > 1:
                found.pop(f"{place}.name", None)
            leaves.update(found)
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
        for key, item in in_order(value):
            _read(section, str(key), item, depth + 1)
    elif isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        section.fields.append((label or section.name, ", ".join(str(item) for item in value)))
    elif isinstance(value, Mapping | list):
        section.documents.append((label or section.name, value))
    else:
        section.fields.append((label or section.name, str(value)))
