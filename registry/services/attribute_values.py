"""What a value of each type of custom attribute looks like, and what an object holds after an edit.

The trigger `attributes_fit` refuses the same from anywhere else; the limits here are its limits.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from portal.core.errors import InvalidInput

from ..aws.values import plain_text
from ..choices import AttributeType, ObjectKind
from ..models import CustomAttribute, User
from ..selectors import attributes as selectors

LONGEST_TEXT = 2000
LARGEST, SMALLEST = Decimal(10) ** 15, Decimal(10) ** -15
EARLIEST, LATEST = date(1000, 1, 1), date(2999, 12, 31)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class Unfit(ValueError):
    """What was given is no value of the attribute; its text says what would be one."""


def clean(
    kind: ObjectKind, values: object, *, current: Mapping[str, Any] | None = None, project_id: int | None = None
) -> dict[str, Any]:
    """Return what an object of this kind holds when `values` are put over `current`, in canonical form.

    None takes a value away, a key left out stays as it is. Text is kept without outer blanks, a number as a JSON
    number, a day as YYYY-MM-DD, a choice by its value, a person (given as a User or by sign-in name) by id. Whoever is
    named holds a role on the project. Raises InvalidInput with one error per `attributes.<key>`: unknown or archived
    attributes, values that do not fit, and required attributes that would stay empty.
    """
    if not isinstance(values, Mapping):
        raise InvalidInput("Some fields need your attention.", errors={"attributes": ["Send an object of keys."]})
    held = dict(current or {})
    known = {attribute.key: attribute for attribute in selectors.every(kind)}
    errors: dict[str, list[str]] = {}
    for key, value in values.items():
        attribute = known.get(key) if isinstance(key, str) else None
        if attribute is None:
            named = ", ".join(key for key, found in known.items() if not found.is_archived) or "none yet"
            errors[field_of(ascii(key).strip("'")[:60])] = [f"There is no such attribute here; known are: {named}."]
        elif attribute.is_archived:
            errors[field_of(attribute.key)] = ["This attribute is archived: what it holds is read only."]
        elif value is None:
            held.pop(attribute.key, None)
        else:
            try:
                held[attribute.key] = canonical(attribute, value, held.get(attribute.key), project_id)
            except Unfit as error:
                errors[field_of(attribute.key)] = [str(error)]
    for attribute in known.values():
        if attribute.is_required and not attribute.is_archived and attribute.key not in held:
            errors.setdefault(field_of(attribute.key), ["This is required."])
    if errors:
        raise InvalidInput("Some attributes need your attention.", errors=errors)
    return held


def field_of(key: str) -> str:
    """Return the name of an attribute's field in bodies, forms and refusals."""
    return f"attributes.{key}"


def canonical(attribute: CustomAttribute, value: object, held: object = None, project_id: int | None = None) -> Any:
    """Return a value as it is kept. Raises Unfit with a sentence for people."""
    if attribute.type == AttributeType.CHOICE:
        return _choice(value, attribute.choices)
    if attribute.type == AttributeType.USER:
        return _person(value, held, project_id)
    return _PLAIN[AttributeType(attribute.type)](value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Unfit("Give a text.")
    text = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not text:
        raise Unfit("Give a text, or null to take it away.")
    if len(text) > LONGEST_TEXT:
        raise Unfit(f"Give at most {LONGEST_TEXT:,} characters; these are {len(text):,}.")
    if plain_text(text) != text or any(unicodedata.category(sign) == "Cc" and sign not in "\n\t" for sign in text):
        raise Unfit("Control characters and halves of characters are not allowed.")
    return text


def _number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Unfit("Give a number.")
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not exact.is_finite():
        raise Unfit("Give a finite number.")
    if exact and not SMALLEST <= exact.copy_abs() <= LARGEST:
        raise Unfit("Give 0 or a number between 10^-15 and 10^15 in size.")
    if exact == exact.to_integral_value():
        return int(exact)
    kept = float(exact)
    if Decimal(repr(kept)) != exact:
        raise Unfit("These are more digits than can be kept; 15 are safe.")
    return kept


def _day(value: object) -> str:
    wrong = "Give a day that exists as YYYY-MM-DD, such as 2026-02-28."
    if isinstance(value, datetime):
        raise Unfit(wrong)
    if isinstance(value, str):
        if not _DAY.fullmatch(value):
            raise Unfit(wrong)
        try:
            value = date.fromisoformat(value)
        except ValueError:
            raise Unfit(wrong) from None
    if not isinstance(value, date):
        raise Unfit(wrong)
    if not EARLIEST <= value <= LATEST:
        raise Unfit("Give a day between the years 1000 and 2999.")
    return value.isoformat()


def _choice(value: object, choices: list[str]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise Unfit(f"Give one of: {', '.join(choices)}.")
    return value


def _person(value: object, held: object, project_id: int | None) -> int:
    # Who was named stays named, also when he has left the project since.
    if isinstance(value, User) and value.pk == held:
        return value.pk
    name = value.username if isinstance(value, User) else value
    if not isinstance(name, str):
        raise Unfit("Give the sign-in name of a person.")
    found = selectors.person_named(name, project_id, held) if plain_text(name) == name and "\0" not in name else None
    if found is None:
        where = "" if project_id is None else " with a role on this project"
        raise Unfit(f"There is no active person of this name{where}.")
    return found


_PLAIN: dict[AttributeType, Callable[[object], Any]] = {
    AttributeType.TEXT: _text,
    AttributeType.NUMBER: _number,
    AttributeType.DATE: _day,
}
