"""Check requests against the limits of SageMaker's service model, which botocore leaves to the service."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from moto.core.utils import get_service_model

from .errors import ValidationError


@functools.cache
def _pattern(text: str) -> re.Pattern[str] | None:
    try:
        return re.compile(text, re.DOTALL)
    except re.error:
        return None  # the model's patterns are Java's; \p{L} and its like are not checked


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _broken_limits(shape: Shape, value: Any) -> Iterator[str]:
    """Say which of the shape's own limits a value breaks: size, enum, pattern."""
    limits = shape.metadata
    number = isinstance(value, (int, float))
    size = value if number else len(value) if hasattr(value, "__len__") else None
    kind = "value" if number else "length"
    if size is not None and not isinstance(value, bool):
        if size > limits.get("max", size):
            yield f"have {kind} less than or equal to {limits['max']}"
        if size < limits.get("min", size):
            yield f"have {kind} greater than or equal to {limits['min']}"
    if isinstance(value, str):
        if limits.get("enum") and value not in limits["enum"]:
            yield f"satisfy enum value set: [{', '.join(limits['enum'])}]"
        pattern = _pattern(limits["pattern"]) if "pattern" in limits else None
        if pattern and not pattern.fullmatch(value):
            yield f"satisfy regular expression pattern: {limits['pattern']}"


def _walk_structure(shape: StructureShape, value: dict[str, Any], path: str, found: list[str]) -> None:
    prefix = path + "." if path else ""
    for name in shape.required_members:
        if value.get(name) is None:
            found.append(
                f"Value null at '{prefix}{_lower(name)}' failed to satisfy constraint: Member must not be null"
            )
    for name, member in shape.members.items():
        if value.get(name) is not None:
            _walk(member, value[name], prefix + _lower(name), found)


def _walk(shape: Shape, value: Any, path: str, found: list[str]) -> None:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        _walk_structure(shape, value, path, found)
        return
    for constraint in _broken_limits(shape, value):
        found.append(f"Value '{value}' at '{path}' failed to satisfy constraint: Member must {constraint}")
    if isinstance(shape, ListShape) and isinstance(value, list):
        for index, item in enumerate(value, 1):
            _walk(shape.member, item, f"{path}.{index}.member", found)
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        for key, item in value.items():
            _walk(shape.key, key, f"{path}.key", found)
            _walk(shape.value, item, f"{path}.{key}", found)


def check(operation: str, parameters: dict[str, Any]) -> None:
    """Raise ValidationException, in AWS's words, for lengths, counts, enums, patterns and missing members."""
    shape = get_service_model("sagemaker").operation_model(operation).input_shape
    found: list[str] = []
    _walk(shape, parameters, "", found)
    if found:
        plural = "errors" if len(found) > 1 else "error"
        raise ValidationError(f"{len(found)} validation {plural} detected: {'; '.join(found)}")
