"""Reading model cards: what the portal takes from them and what is wrong with them. Never raises on bad input."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..aws.values import json_safe
from ..choices import RiskRating

if TYPE_CHECKING:
    from jsonschema_rs import Draft7Validator, ValidationError

# The schema SageMaker validates card content against (draft-07).
_SCHEMA = Path(__file__).with_name("model_card_schema.json")
# A card of its own may say more: which model and package it is about, and what it runs in.
_OWN_SCHEMA = Path(__file__).with_name("own_card_schema.json")
_MOST_PROBLEMS = 20


@dataclass(frozen=True)
class CardFacts:
    """What a card says, in the portal's words; absent is empty, and `problems` are for people."""

    content: dict[str, Any] | None = None
    use_case_id: str = ""
    purpose: str = ""
    owner_name: str = ""
    line_of_business: str = ""
    risk_rating: RiskRating = RiskRating.UNKNOWN
    validation_metrics: dict[str, Any] | None = None
    problems: tuple[str, ...] = field(default=())


@cache
def _validator(schema: Path) -> Draft7Validator:
    from jsonschema_rs import Draft7Validator  # noqa: PLC0415 - three megabytes, where cards are read

    return Draft7Validator(json.loads(schema.read_text()))


def read(text: str | None, *, own: bool = False) -> CardFacts:
    """Read a card's JSON text. A card that breaks the schema still gives what can be read from it.

    `own` for a card of its own, which may say more than one inside a model package.
    """
    if text is None or not text.strip():
        return CardFacts()
    try:
        parsed = json.loads(text, parse_constant=str)
        content = json_safe(parsed)
        problems = problems_of(content, own=own)
        if content != parsed:
            problems += ("It holds characters or numbers that cannot be stored; they were replaced.",)
    except ValueError as error:
        return CardFacts(problems=(f"The card is not JSON: {error}.",))
    except RecursionError:
        return CardFacts(problems=("The card is nested too deeply to be read.",))
    if not isinstance(content, dict):
        return CardFacts(problems=(f"The card is a JSON {type(content).__name__}, not an object.",))
    return facts_of(content, problems)


def facts_of(content: Mapping[str, Any], problems: tuple[str, ...] = ()) -> CardFacts:
    """Return what a content says, in the portal's words. A field in another shape counts as absent."""
    overview, uses = _section(content, "model_overview"), _section(content, "intended_uses")
    details = _section(_section(content, "additional_information"), "custom_details")
    return CardFacts(
        content=dict(content),
        use_case_id=_text(details.get("UseCaseId")),
        purpose=_text(uses.get("purpose_of_model")),
        owner_name=_text(overview.get("model_owner")) or _text(overview.get("model_creator")),
        line_of_business=_text(_section(content, "business_details").get("line_of_business")),
        risk_rating=_rating(uses.get("risk_rating")),
        validation_metrics=_evaluation(content.get("evaluation_details")),
        problems=problems,
    )


def problems_of(content: Any, *, own: bool = False) -> tuple[str, ...]:
    """Return what breaks SageMaker's model card schema, at most twenty problems; empty for a valid card."""
    validator = _validator(_OWN_SCHEMA if own else _SCHEMA)
    if validator.is_valid(content):
        return ()
    found = islice(validator.iter_errors(content), _MOST_PROBLEMS)
    return tuple(f"{'.'.join(map(str, error.instance_path)) or 'card'}: {_words(error)[:300]}" for error in found)


def _words(error: ValidationError) -> str:
    if error.kind.name == "enum":
        # The library names only the first two of the values that would do.
        return f"{error.instance!r} is not one of {', '.join(map(repr, error.kind.as_dict()['options']))}"
    return error.message


def metrics_of_metadata(metadata: Mapping[str, str]) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return the numbers under `validation_*` keys, and a problem for each that is not a number."""
    metrics: dict[str, float] = {}
    problems: list[str] = []
    for key, value in sorted(metadata.items()):
        if not key.startswith("validation_"):
            continue
        try:
            number = float(value)
        except ValueError:
            problems.append(f"{key}: {value[:100]!r} is not a number.")
            continue
        if math.isfinite(number):
            metrics[key] = number
        else:
            problems.append(f"{key}: {value[:100]!r} is not a finite number.")
    return metrics, tuple(problems)


def _section(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = content.get(name)
    return section if isinstance(section, dict) else {}


def _text(value: object) -> str:
    return value.strip()[:200] if isinstance(value, str) else ""


def _rating(value: object) -> RiskRating:
    try:
        return RiskRating(str(value).lower())
    except ValueError:
        return RiskRating.UNKNOWN


def _evaluation(details: object) -> dict[str, Any] | None:
    """Flatten the simple metrics of `evaluation_details` to {group.metric: value}; null stays null."""
    metrics: dict[str, Any] = {}
    for evaluation in details if isinstance(details, list) else ():
        groups = evaluation.get("metric_groups") if isinstance(evaluation, dict) else None
        for group in groups if isinstance(groups, list) else ():
            data = group.get("metric_data") if isinstance(group, dict) else None
            for metric in data if isinstance(data, list) else ():
                if (
                    isinstance(metric, dict)
                    and isinstance(metric.get("name"), str)
                    and not isinstance(metric.get("value"), dict | list)
                ):
                    metrics[f"{_text(group.get('name'))}.{metric['name']}"] = metric.get("value")
    return metrics or None
