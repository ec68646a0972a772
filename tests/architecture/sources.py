"""The project's own Python files, parsed once."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = ("portal", "registry", "governance")


@dataclass(frozen=True)
class Source:
    """One file: its path from the project's root, its text, its tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def is_migration(self) -> bool:
        return "/migrations/" in self.path

    def within(self, *prefixes: str) -> bool:
        """Whether the file lies in one of these folders, or is one of these files."""
        return self.path.startswith(prefixes)


@cache
def sources() -> tuple[Source, ...]:
    """Return every Python file of the three packages."""
    found = []
    for package in PACKAGES:
        for path in sorted((PROJECT / package).rglob("*.py")):
            text = path.read_text()
            found.append(Source(str(path.relative_to(PROJECT)), text, ast.parse(text)))
    return tuple(found)


def production() -> tuple[Source, ...]:
    """Return the files that run in production: no migrations, no laptop stand-ins."""
    return tuple(source for source in sources() if not source.is_migration and not source.within("portal/local/"))
