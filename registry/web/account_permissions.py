"""What a preflight found, as the account's page shows it: regions that are alike together, the lacking first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..choices import PreflightMethod
from ..models import AccountPreflight


@dataclass
class Alike:
    """Regions of which the same is known."""

    method: str
    error: str
    missing: list[dict[str, Any]]
    not_tried: list[dict[str, Any]]
    allowed: int
    checked_at: datetime
    regions: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        if self.missing:
            return "lacking"
        if self.method == PreflightMethod.FAILED:
            return "unknown"
        return "partly_known" if self.not_tried else "permitted"


def alike(preflights: Iterable[AccountPreflight]) -> list[Alike]:
    """Return the regions by what is known of them, those that lack something first."""
    found: dict[Any, Alike] = {}
    for row in preflights:
        missing, not_tried = _by_action(row.missing), _by_action(row.not_tried)
        key = (row.method, row.error, *(_key(missing)), "|", *(_key(not_tried)))
        same = found.setdefault(
            key, Alike(row.method, row.error, missing, not_tried, len(_by_action(row.allowed)), row.checked_at)
        )
        same.regions.append(row.region)
        same.checked_at = min(same.checked_at, row.checked_at)
    order = {"lacking": 0, "unknown": 1, "partly_known": 2, "permitted": 3}
    return sorted(found.values(), key=lambda one: order[one.state])


def _by_action(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    by_action: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in entries:
        one = by_action.setdefault((entry["action"], entry["needed_for"]), {**entry, "resources": []})
        one["resources"].append(entry["resource"])
    return list(by_action.values())


def _key(entries: list[dict[str, Any]]) -> tuple[tuple[str, str], ...]:
    return tuple((entry["action"], entry["detail"]) for entry in entries)
