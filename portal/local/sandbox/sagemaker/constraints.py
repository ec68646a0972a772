"""Check requests against the limits of SageMaker's service model, which botocore leaves to the service."""

from __future__ import annotations

import functools
import re
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


def _walk(shape: Shape, value: Any, path: str, found: list[str]) -> None:
    limits = shape.metadata

    def fail(constraint: str) -> None:
        found.append(f"Value '{value}' at '{path}' failed to satisfy constraint: Member must {constraint}")

    if isinstance(shape, StructureShape) and isinstance(value, dict):
        for name in shape.required_members:
            if value.get(name) is None:
                found.append(
                    f"Value null at '{path + '.' if path else ''}{_lower(name)}' failed to satisfy constraint: "
                    "Member must not be null"
                )
        for name, member in shape.members.items():
            if value.get(name) is not None:
                _walk(member, value[name], f"{path}.{_lower(name)}" if path else _lower(name), found)
        return
    size = value if isinstance(value, (int, float)) else len(value) if hasattr(value, "__len__") else None
    kind = "value" if isinstance(value, (int, float)) else "length"
    if size is not None and not isinstance(value, bool):
        if "max" in limits and size > limits["max"]:
            fail(f"have {kind} less than or equal to {limits['max']}")
        if "min" in limits and size < limits["min"]:
            fail(f"have {kind} greater than or equal to {limits['min']}")
    if isinstance(shape, ListShape) and isinstance(value, list):
        for index, item in enumerate(value, 1):
            _walk(shape.member, item, f"{path}.{index}.member", found)
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        for key, item in value.items():
            _walk(shape.key, key, f"{path}.key", found)
            _walk(shape.value, item, f"{path}.{key}", found)
    elif isinstance(value, str):
        if shape.metadata.get("enum") and value not in shape.metadata["enum"]:
            fail(f"satisfy enum value set: [{', '.join(shape.metadata['enum'])}]")
        pattern = _pattern(limits["pattern"]) if "pattern" in limits else None
        if pattern and not pattern.fullmatch(value):
            fail(f"satisfy regular expression pattern: {limits['pattern']}")


def check(operation: str, parameters: dict[str, Any]) -> None:
    """Raise ValidationException, in AWS's words, for lengths, counts, enums, patterns and missing members."""
    shape = get_service_model("sagemaker").operation_model(operation).input_shape
    found: list[str] = []
    _walk(shape, parameters, "", found)
    if found:
        plural = "errors" if len(found) > 1 else "error"
        raise ValidationError(f"{len(found)} validation {plural} detected: {'; '.join(found)}")
