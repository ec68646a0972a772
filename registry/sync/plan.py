"""What a listing of a group means: which versions to describe, which are as known, which are gone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ..aws.records import VersionSummary

Key = tuple[str, datetime]


@dataclass(frozen=True)
class KnownVersion:
    """What the registry holds of a version, as far as a listing can contradict it."""

    approval_status: str
    status: str
    stage: str
    stage_status: str
    description: str
    is_missing: bool


@dataclass(frozen=True)
class Plan:
    """The ARNs to describe again, how many are as known, and every key the listing has."""

    describe: tuple[str, ...]
    unchanged: int
    present: frozenset[Key]


def plan_group(listed: Iterable[VersionSummary], known: Mapping[Key, KnownVersion]) -> Plan:
    """Compare a complete listing of one group with what is known of it.

    A summary carries neither a modification time nor metadata or card, so a difference only there is left to
    events (and to Search): what is described again is what is new, came back, or differs in what a list says.
    """
    describe: list[str] = []
    present: set[Key] = set()
    unchanged = 0
    for summary in listed:
        if summary.created_at is None:
            describe.append(summary.arn)
            continue
        key = (summary.arn, summary.created_at)
        present.add(key)
        said = KnownVersion(
            approval_status=summary.approval_status,
            status=summary.status,
            stage=summary.life_cycle_stage,
            stage_status=summary.life_cycle_status,
            description=summary.description,
            is_missing=False,
        )
        if known.get(key) == said:
            unchanged += 1
        else:
            describe.append(summary.arn)
    return Plan(tuple(describe), unchanged, frozenset(present))
