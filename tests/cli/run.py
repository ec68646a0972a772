"""Typing `governance ...` in this process: what the console script runs, without the half second of a new Python."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest import mock

from governance_cli import __main__ as command


@dataclass(frozen=True)
class Done:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


def run(*words: str, typed: str = "", env: Mapping[str, str | None] | None = None) -> Done:
    """Run a command with this on its standard input, and these differences in its environment."""
    keyboard = mock.patch.object(sys, "stdin", io.StringIO(typed))
    with (
        redirect_stdout(io.StringIO()) as out,
        redirect_stderr(io.StringIO()) as err,
        _environment(env or {}),
        keyboard,
    ):
        code = command.run(list(words))
    assert "Traceback" not in err.getvalue(), err.getvalue()
    return Done(code, out.getvalue(), err.getvalue())


@contextmanager
def _environment(changes: Mapping[str, str | None]) -> Iterator[None]:
    with mock.patch.dict(os.environ, {name: value for name, value in changes.items() if value is not None}):
        for name in [name for name, value in changes.items() if value is None]:
            os.environ.pop(name, None)
        yield
