"""Check a request against the lengths, patterns and value lists that AWS's own model states.

botocore checks names, types and minimum lengths only; maximum lengths, patterns and enumerations are refused
by the service, after the round trip and for a write-back after the decision. Reading them from botocore's
model keeps this list as current as the installed boto3.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from registry.aws.descriptions import without_prose
from registry.aws.errors import AwsInvalid

if TYPE_CHECKING:
    from registry.aws.session import AwsSession

# Character classes such as ([\p{L}\p{Z}\p{N}_.:/=+\-@]*): Java's, unknown to `re`.
_UNICODE_CLASS = re.compile(r"^\(?\[((?:\\p\{[A-Z]\})+)((?:\\.|[^\]\\])*)\]")

# How a shape names those it is made of, besides its members.
_PARTS = ("member", "key", "value")

# The lines of botocore's report.
_MISSING = re.compile(r'Missing required parameter in (?P<path>\S+): "(?P<name>[^"]+)"')
_UNKNOWN = re.compile(r'Unknown parameter in (?P<path>\S+): "(?P<name>[^"]+)", must be one of: (?P<known>.+)')
_ELSEWHERE = re.compile(r"(?P<what>.+?) (?:for|in) parameter (?P<path>[^,]+)(?:,.*)?")


def require_valid(session: AwsSession, service: str, operation: str, request: Mapping[str, Any]) -> None:
    """Refuse a request that the service would refuse, naming every offending field.

    Raises AwsInvalid (code "FieldLimit") before anything is sent. Source: the service's model in botocore.
    """
    shape = session.client(service).meta.service_model.operation_model(operation).input_shape
    problems = list(_problems(shape, request, "")) if shape is not None else []
    if problems:
        raise AwsInvalid(
            service=service,
            operation=operation,
            account_id=session.account.account_id,
            code="FieldLimit",
            message="; ".join(problems),
        )


def problems_of(service: str, operation: str, request: Mapping[str, Any]) -> list[str]:
    """Return what botocore or the service would refuse in a request: names, types, presence, lengths, patterns.

    Each begins with AWS's name of the field. Nothing is sent. Source: the service's model in botocore.
    """
    shape = _input_shape(service, operation)
    if shape is None:
        return []
    from botocore.validate import ParamValidator  # noqa: PLC0415 - megabytes, where a request is judged

    report = ParamValidator().validate(dict(request), shape)
    if report.has_errors():
        return [_as_field(line) for line in report.generate_report().splitlines()]
    return list(_problems(shape, request, ""))


@cache
def _input_shape(service: str, operation: str) -> Any:
    """Return the shape of an operation's request, and keep no more of the model than it is made of.

    SageMaker's whole model takes six megabytes, in web processes that send nothing.
    """
    from botocore.model import ServiceModel  # noqa: PLC0415 - as above

    described = without_prose(service)
    asked = described["operations"][operation]
    named = [asked["input"]["shape"]] if "input" in asked else []
    shapes: dict[str, Any] = {}
    while named:
        name = named.pop()
        if name not in shapes:
            shapes[name] = shape = described["shapes"][name]
            parts = [*shape.get("members", {}).values(), *(shape[part] for part in _PARTS if part in shape)]
            named += [part["shape"] for part in parts]
    request = {name: asked[name] for name in ("name", "http", "input") if name in asked}
    # Written and read again: objects of the whole model among those kept would keep its memory.
    kept = json.dumps({"metadata": described["metadata"], "operations": {operation: request}, "shapes": shapes})
    del described, asked, shapes, request
    return ServiceModel(json.loads(kept), service).operation_model(operation).input_shape


def _as_field(line: str) -> str:
    """Put the field first in one line of botocore's report, without its name for the whole request."""
    missing = _MISSING.fullmatch(line)
    if missing:
        path = missing["path"].removeprefix("input").removeprefix(".")
        return f"{path}.{missing['name']} is missing" if path else f"{missing['name']} is missing"
    unknown = _UNKNOWN.fullmatch(line)
    if unknown:
        path = unknown["path"].removeprefix("input").removeprefix(".")
        place = f"{path}.{unknown['name']}" if path else unknown["name"]
        return f"{place} is not known to AWS; there are {unknown['known']}"
    other = _ELSEWHERE.fullmatch(line)
    return f"{other['path']} is not what AWS takes there ({other['what'].lower()})" if other else line


def _problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure" and isinstance(value, Mapping):
        for name, member in shape.members.items():
            if name in value:
                yield from _problems(member, value[name], f"{path}.{name}" if path else name)
    elif shape.type_name == "list" and isinstance(value, list | tuple):
        yield from _size(shape, len(value), path, "entries")
        for index, item in enumerate(value):
            yield from _problems(shape.member, item, f"{path}[{index}]")
    elif shape.type_name == "map" and isinstance(value, Mapping):
        yield from _size(shape, len(value), path, "entries")
        for key, item in value.items():
            yield from _problems(shape.key, key, f"key {key!r} of {path}")
            yield from _problems(shape.value, item, f"{path}[{key!r}]")
    elif shape.type_name == "string" and isinstance(value, str):
        yield from _text(shape, value, path)


def _text(shape: Any, value: str, path: str) -> Iterator[str]:
    yield from _size(shape, len(value), path, "characters")
    allowed = getattr(shape, "enum", None)
    # Long lists (instance types, storage classes) grow faster than botocore is updated; the service knows them.
    if allowed and value not in allowed and len(allowed) <= 10:
        yield f"{path} is {value!r}, not one of {', '.join(allowed)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not _matches(pattern, value):
        yield _explain(path, pattern, value)


def _size(shape: Any, size: int, path: str, unit: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if most is not None and size > most:
        yield f"{path} has {size} {unit}, at most {most} are allowed"
    if least is not None and size < least:
        yield f"{path} has {size} {unit}, at least {least} are needed"


def _explain(path: str, pattern: str, value: str) -> str:
    shown = value if len(value) <= 80 else value[:77] + "..."
    hint = " (line breaks are not allowed)" if any(c in value for c in "\r\n") else ""
    return f"{path} is {shown!r}, which does not match {pattern}{hint}"


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern)
    except re.error:
        return None


def _matches(pattern: str, value: str) -> bool:
    unicode_class = _UNICODE_CLASS.match(pattern)
    if unicode_class:
        categories = set(re.findall(r"\\p\{([A-Z])\}", unicode_class[1]))
        literals = set(unicode_class[2].replace("\\", ""))
        return all(unicodedata.category(c)[0] in categories or c in literals for c in value)
    compiled = _compiled(pattern)
    # A pattern this language cannot read is left to the service.
    return compiled is None or compiled.fullmatch(value) is not None
