"""Libraries that other libraries load for their own tests and documents, left out of the processes that serve pages.

rest_framework looks for `requests` and `pygments` (for its test client and its own document pages), drf_spectacular
takes a request factory from rest_framework's test client, and with it comes Django's, with unittest, jinja2 and
minidom: ten megabytes in each process. What of the portal needs one of them imports it where it is used.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, cast

# Looked for inside a `try`: what looks for them does without.
OPTIONAL = ("requests", "pygments")
TEST_CLIENT = "rest_framework.test"


@contextmanager
def left_out() -> Iterator[None]:
    """Have imports inside the block go without these libraries; afterwards they can be imported as ever.

    What is loaded already stays.
    """
    absent = [name for name in OPTIONAL if name not in sys.modules]
    # How the import system is told that there is no such module: "The module cache" in Python's language reference.
    sys.modules.update(cast("dict[str, ModuleType]", dict.fromkeys(absent)))
    if is_placed := TEST_CLIENT not in sys.modules:
        placeholder = ModuleType(TEST_CLIENT)
        placeholder.APIRequestFactory = _request_factory  # type: ignore[attr-defined]  # what makes it stand for another
        sys.modules[TEST_CLIENT] = placeholder
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
        if is_placed:
            del sys.modules[TEST_CLIENT]
            # An attribute of the package would be found before the module.
            vars(sys.modules.get("rest_framework", placeholder)).pop("test", None)


def _request_factory(*args: Any, **kwargs: Any) -> Any:
    """Stand for the class of that name, which the OpenAPI document is written with."""
    from rest_framework.test import APIRequestFactory  # noqa: PLC0415 - what this stands for

    return APIRequestFactory(*args, **kwargs)
