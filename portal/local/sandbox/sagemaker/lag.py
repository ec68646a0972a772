"""Let Search be behind: a change shows up in its index as many seconds later as the settings say."""

from __future__ import annotations

import time
from collections.abc import Iterable

from ..settings import settings
from .common import Record


class Lag:
    """What records were before the changes that Search does not see yet. It is not kept over a restart."""

    def __init__(self) -> None:
        self._before: dict[tuple[str, str], list[tuple[float, Record | None]]] = {}

    def note(self, kind: str, name: str, before: Record | None) -> None:
        """Remember a record (None: there was none) that is about to change."""
        if settings.index_lag_seconds:
            due = time.monotonic() + settings.index_lag_seconds
            self._before.setdefault((kind, name), []).append((due, None if before is None else dict(before)))

    def behind(self, kind: str) -> dict[str, Record | None]:
        """The records of a kind that the index has as they were before; those it does not have as None."""
        now = time.monotonic()
        for key, changes in list(self._before.items()):
            waiting = [c for c in changes if c[0] > now]
            if waiting:
                self._before[key] = waiting
            else:
                del self._before[key]
        return {name: changes[0][1] for (of, name), changes in self._before.items() if of == kind}

    def seen(self, kind: str, rows: Iterable[Record], name: str) -> list[Record]:
        """The records of a kind as the index has them; ``name`` is the member that tells them apart."""
        behind = self.behind(kind)
        if not behind:
            return list(rows)
        current = {r[name]: r for r in rows}
        whole = {**current, **behind}
        return [r for r in whole.values() if r is not None]
