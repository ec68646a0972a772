"""Which operations the sandbox performs itself, and whether an answer has the shape botocore's model says."""

from __future__ import annotations

import inspect
import json
import pkgutil
from collections.abc import Iterator
from datetime import datetime
from importlib import import_module
from typing import Any
from xml.etree import ElementTree as ET

from botocore import xform_name
from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape
from botocore.utils import parse_timestamp
from moto.core.utils import get_service_model

import portal.local.sandbox as sandbox
from portal.local.sandbox.install import SERVICES


def operations() -> list[tuple[str, str]]:
    """Every operation a class of the sandbox has a method for, as (service, name): what it extends or overrides."""
    found: set[tuple[str, str]] = set()
    for module in pkgutil.walk_packages(sandbox.__path__, sandbox.__name__ + "."):
        service = module.name.split(".")[3]
        if service not in SERVICES:
            continue
        named = {xform_name(str(o)): str(o) for o in get_service_model(service).operation_names}
        for kind in vars(import_module(module.name)).values():
            if inspect.isclass(kind) and kind.__module__ == module.name:
                found.update((service, named[name]) for name in vars(kind) if name in named)
    return sorted(found)


def _problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        yield from _in_structure(shape, value, path)
    elif isinstance(shape, ListShape):
        if not isinstance(value, list):
            yield f"{path} is no list: {value!r}"
            return
        for index, item in enumerate(value):
            yield from _problems(shape.member, item, f"{path}[{index}]")
    elif isinstance(shape, MapShape):
        if not isinstance(value, dict):
            yield f"{path} is no map: {value!r}"
            return
        for key, item in value.items():
            yield from _problems(shape.key, key, f"{path} key {key}")
            yield from _problems(shape.value, item, f"{path}.{key}")
    else:
        yield from _in_scalar(shape, value, path)


def _in_structure(shape: StructureShape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path} is no structure: {value!r}"
        return
    names = {m.serialization.get("name", n): m for n, m in shape.members.items()}
    required = {shape.members[n].serialization.get("name", n) for n in shape.required_members}
    for name in sorted(required - {n for n, v in value.items() if v is not None}):
        yield f"{path}.{name} is missing"
    for name, item in value.items():
        if name not in names:
            yield f"{path}.{name} is unknown"
        elif item is not None:
            yield from _problems(names[name], item, f"{path}.{name}")


def _in_scalar(shape: Shape, value: Any, path: str) -> Iterator[str]:
    kinds = {"integer": int, "long": int, "boolean": bool, "float": (int, float), "double": (int, float)}
    wanted = kinds.get(shape.type_name, str)
    if shape.type_name == "timestamp":
        try:
            moment = value if isinstance(value, datetime) else parse_timestamp(value)
        except (ValueError, TypeError, RuntimeError):
            yield f"{path} is no timestamp: {value!r}"
            return
        if moment.year < 2020:
            yield f"{path} is long ago: {moment}"
    elif shape.type_name != "blob" and not isinstance(value, wanted):  # type: ignore[arg-type]  # a type per shape
        yield f"{path} is no {shape.type_name}: {value!r}"
    elif isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        yield f"{path} is {value!r}, which is not one of {shape.enum}"


def problems(model: OperationModel, body: bytes, parsed: dict[str, Any]) -> list[str]:
    """What is wrong with an answer: members unknown, missing, of a wrong type, outside their enum.

    JSON is compared as it was sent; the XML of the query protocol as botocore reads it, and tag by tag for what
    botocore would leave out.
    """
    shape = model.output_shape
    if shape is None:
        return [] if body in (b"", b"{}") or body.startswith(b"<") else [f"an answer where none is: {body[:80]!r}"]
    read = {k: v for k, v in parsed.items() if k != "ResponseMetadata"}
    found = list(_problems(shape, read, model.name))
    if model.metadata["protocol"] == "query":
        return found + _foreign_tags(shape, body)
    return found + [p for p in _problems(shape, json.loads(body or b"{}"), model.name) if p not in found]


def _names(shape: Shape, known: set[str]) -> set[str]:
    """The member names a shape can hold at any depth."""
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            known.add(str(member.serialization.get("name", name)))
            _names(member, known)
    elif isinstance(shape, ListShape):
        _names(shape.member, known)
    elif isinstance(shape, MapShape):
        known.update(("entry", "key", "value"))
        _names(shape.value, known)
    return known


def _foreign_tags(shape: StructureShape, body: bytes) -> list[str]:
    known = _names(shape, {"member", "ResponseMetadata", "RequestId", shape.name})
    tags = {element.tag.rsplit("}", 1)[-1] for element in ET.fromstring(body).iter()}
    return [
        f"{tag} is unknown" for tag in sorted(tags - known) if not tag.endswith(("Response", "Result")) or tag in known
    ]
