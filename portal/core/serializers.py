"""What bodies of the REST API stand on: strict input, public ids, words of the vocabulary.

Read and write serializers are separate classes: a field is shown because a read serializer names it, and accepted
because a write serializer does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
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
