"""Evaluate SageMaker's Search over model packages and groups."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from moto.core.utils import get_service_model

from .errors import ValidationError

Record = dict[str, Any]
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": lambda a, b: a > b,
    "GreaterThanOrEqualTo": lambda a, b: a >= b,
    "LessThan": lambda a, b: a < b,
    "LessThanOrEqualTo": lambda a, b: a <= b,
}
_MOST_FILTERS = 50


@functools.cache
def _members(resource: str) -> frozenset[str]:
    shape = get_service_model("sagemaker").shape_for(resource)
    return frozenset(shape.members)  # type: ignore[attr-defined]  # it is a structure


def check_property(resource: str, name: str) -> None:
    """Raise ValidationException unless the property begins with a member of the resource's record."""
    if name.split(".", maxsplit=1)[0] not in _members(resource):
        raise ValidationError(f"Unknown property name: {name}")


def value_of(record: Record, name: str) -> Any:
    """Follow a dotted property name; ``Tags.<key>`` gives the tag's value. None when it is absent."""
    if name.startswith("Tags."):
        return next((t["Value"] for t in record.get("Tags") or [] if t["Key"] == name[5:]), None)
    found: Any = record
    parts = name.split(".")
    for index, part in enumerate(parts):
        if isinstance(found, dict):
            whole = ".".join(parts[index:])
            if whole in found:  # a metadata key may hold dots itself
                return found[whole]
            found = found.get(part)
        elif isinstance(found, list):
            return [value_of(item, ".".join(parts[index:])) for item in found if isinstance(item, dict)]
        else:
            return None
    return found


def moment(text: str) -> datetime:
    """Read a timestamp as Search takes it, ``2024-05-01T12:00:00`` in UTC. Raises ValidationException."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValidationError(f"Value {text} is not a timestamp of the form YYYY-mm-ddTHH:MM:SS.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def aware(moment: datetime | None) -> datetime | None:
    """Take a time without a zone for UTC, as moto's parser gives it."""
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _comparable(actual: Any, wanted: str) -> Any:
    if isinstance(actual, datetime):
        return moment(wanted)
    if isinstance(actual, bool):
        return wanted.lower() == "true"
    if isinstance(actual, (int, float)):
        try:
            return float(wanted)
        except ValueError:
            raise ValidationError(f"Value {wanted} is not a number.") from None
    return wanted


def _holds(actual: Any, operator: str, wanted: str | None, name: str) -> bool:
    if operator in ("Exists", "NotExists"):
        return (actual not in (None, [], {})) == (operator == "Exists")
    if wanted is None:
        raise ValidationError(f"Filter on {name} needs a Value for the operator {operator}.")
    if isinstance(actual, list):
        return any(_holds(item, operator, wanted, name) for item in actual)
    if actual is None:
        return operator == "NotEquals"
    return _compares(actual, operator, wanted, name)


def _compares(actual: Any, operator: str, wanted: str, name: str) -> bool:
    if operator in ("Equals", "NotEquals"):
        return bool(actual == _comparable(actual, wanted)) == (operator == "Equals")
    if operator == "In":
        return any(actual == _comparable(actual, part) for part in re.split(r"\s*,\s*", wanted.strip()))
    if operator == "Contains":
        if not isinstance(actual, str):
            raise ValidationError(f"Operator Contains works on text, and {name} is not text.")
        return wanted in actual
    if operator in _ORDER:
        if isinstance(actual, (str, dict, bool)):
            raise ValidationError(f"Operator {operator} works on numbers and timestamps, and {name} is neither.")
        return _ORDER[operator](actual, _comparable(actual, wanted))
    raise ValidationError(f"Operator {operator} is unknown.")


def _filter(record: Record, wanted: dict[str, Any]) -> bool:
    # Without an operator AWS assumes Equals when there is a value and Exists when there is none.
    operator = wanted.get("Operator") or ("Equals" if wanted.get("Value") is not None else "Exists")
    return _holds(value_of(record, wanted["Name"]), operator, wanted.get("Value"), wanted["Name"])


def _nested(record: Record, wanted: dict[str, Any]) -> bool:
    prefix = wanted["NestedPropertyName"]
    items = value_of(record, prefix)
    filters = [{**f, "Name": f["Name"].removeprefix(prefix + ".")} for f in wanted["Filters"]]
    return any(all(_filter(item, f) for f in filters) for item in items if isinstance(item, dict)) if items else False


def matches(record: Record, expression: dict[str, Any] | None) -> bool:
    """Whether a record satisfies a SearchExpression (Filters, NestedFilters, SubExpressions, And/Or)."""
    if not expression:
        return True
    filters, nested, subs = (expression.get(n) or [] for n in ("Filters", "NestedFilters", "SubExpressions"))
    if not (filters or nested or subs):
        return True
    held = chain(
        (_filter(record, f) for f in filters),
        (_nested(record, n) for n in nested),
        (matches(record, s) for s in subs),
    )
    return any(held) if expression.get("Operator") == "Or" else all(held)


def check_expression(resource: str, expression: dict[str, Any] | None) -> int:
    """Check property names and the number of filters; return that number. Raises ValidationException."""
    if not expression:
        return 0
    count = 0
    for wanted in expression.get("Filters") or []:
        check_property(resource, wanted["Name"])
        count += 1
    for nested in expression.get("NestedFilters") or []:
        check_property(resource, nested["NestedPropertyName"])
        count += len(nested["Filters"])
    for sub in expression.get("SubExpressions") or []:
        count += check_expression(resource, sub)
    if count > _MOST_FILTERS:
        raise ValidationError(f"A search may have {_MOST_FILTERS} filters, this one has {count}.")
    return count


def sort_key(name: str, identity: str) -> Callable[[Record], list[Any]]:
    """Order records by a property, those without it first, ties by the ``identity`` member."""

    def key(record: Record) -> list[Any]:
        value = value_of(record, name)
        if isinstance(value, datetime):
            value = value.timestamp()
        if isinstance(value, (bool, int, float)):
            return [1, value, "", record[identity]]
        return [0 if value is None else 2, 0, "" if value is None else str(value), record[identity]]

    return key
