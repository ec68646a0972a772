"""The editions there are: dated data files, each read once and checked whole before anybody is asked anything."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from .edition import Edition
from .reading import read_editions

FOLDER = Path(__file__).parent / "editions"


class UnknownEdition(LookupError):
    """There is no edition of that id."""


def files() -> list[Path]:
    """Return the data files, by name."""
    return sorted(FOLDER.glob("*.toml"))


@cache
def editions() -> tuple[Edition, ...]:
    """Return every edition, the earliest adopted first. Raises EditionInvalid when a file cannot be used."""
    read = read_editions({path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in files()})
    return tuple(sorted(read, key=lambda found: (found.adopted_on, found.id)))


def edition(edition_id: str) -> Edition:
    """Return one edition. Raises UnknownEdition."""
    for found in editions():
        if found.id == edition_id:
            return found
    raise UnknownEdition(edition_id)


def current() -> Edition:
    """Return the edition that no other amends: the one asked by default."""
    amended = {found.extends for found in editions()}
    return [found for found in editions() if found.id not in amended][-1]
