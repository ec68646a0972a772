"""What bodies of the REST API stand on: strict input, public ids, words of the vocabulary.

Read and write serializers are separate classes: a field is shown because a read serializer names it, and accepted
because a write serializer does.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rest_framework import serializers

from .vocabulary import Word

# Long enough for every reason and note, short enough that one request cannot fill a disk.
LONGEST_TEXT = 20_000
_BY_VERBS = {"stage", "status", "state"}


class Input(serializers.Serializer):
    """A body that is refused when it names a field there is not: nothing sent is ignored silently."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = {
                str(name): [
                    "It moves only by the lifecycle's verbs, such as submit, decisions and retire."
                    if name in _BY_VERBS
                    else "There is no such field here."
                ]
                for name in data
                if name not in self.fields
            }
            if unknown:
                raise serializers.ValidationError(unknown)
        return super().to_internal_value(data)


class _Idle(threading.local):
    """A thread's serializers that are in nobody's hands: their fields, copied one by one, cost more than their work."""

    def __init__(self) -> None:
        self.by_class: dict[type[serializers.Serializer], serializers.Serializer] = {}


_idle = _Idle()


@contextmanager
def _lent(kind: type[serializers.Serializer], context: Mapping[str, Any]) -> Iterator[serializers.Serializer]:
    """Lend a serializer that was used before, with another context; one that makes its fields itself is made anew."""
    is_kept = (
        kind.get_fields is serializers.Serializer.get_fields and kind.__init__ is serializers.BaseSerializer.__init__
    )
    one = (_idle.by_class.pop(kind, None) if is_kept else None) or kind()
    one._context = context  # noqa: SLF001 - where its first user's context would be
    try:
        yield one
    finally:
        for name in ("_context", "initial_data", "_validated_data", "_errors"):
            vars(one).pop(name, None)
        if is_kept:
            _idle.by_class[kind] = one


def read_by(
    kind: type[serializers.Serializer], data: Any, context: Mapping[str, Any], *, partial: bool = False
) -> dict[str, Any]:
    """Return a body as a serializer reads it. Raises DRF's ValidationError naming the fields."""
    with _lent(kind, context) as reader:
        reader.initial_data, reader.partial = data, partial
        reader.is_valid(raise_exception=True)
        values: dict[str, Any] = reader.validated_data
        return values


def shown_by(kind: type[serializers.Serializer], row: Any, context: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a row as a serializer shows it."""
    with _lent(kind, context or {}) as writer:
        shown: dict[str, Any] = writer.to_representation(row)
        return shown


class NoInput(Input):
    """An empty body."""


class Output(serializers.Serializer):
    """A representation; never used to read input."""


class NoteInput(Input):
    """A note to go with an act."""

    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=LONGEST_TEXT)


def text(**kwargs: Any) -> serializers.CharField:
    """Return an optional text field, "" unless sent."""
    return serializers.CharField(
        **{"required": False, "allow_blank": True, "default": "", "max_length": LONGEST_TEXT, **kwargs}
    )


def word(words: type[Word], **kwargs: Any) -> serializers.ChoiceField:
    """Return a field that takes or shows one word of a vocabulary."""
    return serializers.ChoiceField(choices=words.choices(), **kwargs)


def public_number(value: str, prefix: str, width: int) -> int | None:
    """Return the number in a public id (`UC-0001` -> 1), None when this is not how the portal writes one."""
    match = re.fullmatch(rf"{prefix}-([0-9]{{{width},18}})", value)
    if match is None:
        return None
    number = int(match[1])
    return number if f"{number:0{width}d}" == match[1] else None


def public_id(number: int | None, prefix: str, width: int = 6) -> str | None:
    """Return the public id of a number (`AR`, 1 -> `AR-000001`), None for None."""
    return None if number is None else f"{prefix}-{number:0{width}d}"
