"""What a listing or a search means for what the registry holds: a pure difference of records and rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from ..aws.records import GroupRecord, VersionRecord, VersionSummary

Key = tuple[str, datetime]


class KnownVersion(NamedTuple):
    """What the registry holds of a version, as far as a listing can contradict it."""

    approval_status: str
    status: str
    stage: str
    stage_status: str
    description: str
    is_missing: bool


class KnownGroup(NamedTuple):
    """What the registry holds of a group, as far as a listing can contradict it."""

    pk: int
    description: str
    is_missing: bool
    created_at: datetime | None = None


@dataclass(frozen=True)
class Plan:
    """The ARNs to describe again, how many are as known, and the known keys that the listing does not have."""

    describe: tuple[str, ...]
    unchanged: int
    absent: tuple[Key, ...]


@dataclass(frozen=True)
class GroupPlan:
    """The groups to take in (new, back, made anew, told differently), those as known, the known ARNs not listed."""

    take_in: tuple[GroupRecord, ...]
    unchanged: tuple[GroupRecord, ...]
    absent: tuple[str, ...]


def plan_groups(listed: Iterable[GroupRecord], known: Mapping[str, KnownGroup]) -> GroupPlan:
    """Compare a complete listing of an account's groups with what is known of them."""
    take_in: list[GroupRecord] = []
    unchanged: list[GroupRecord] = []
    present: set[str] = set()
    for record in listed:
        present.add(record.arn)
        row = known.get(record.arn)
        is_known = (
            row is not None
            and (row.description, row.is_missing) == (record.description, False)
            and record.created_at in (None, row.created_at)
        )
        (unchanged if is_known else take_in).append(record)
    absent = tuple(arn for arn, row in known.items() if arn not in present and not row.is_missing)
    return GroupPlan(tuple(take_in), tuple(unchanged), absent)


def plan_group(listed: Iterable[VersionSummary], known: Mapping[Key, KnownVersion]) -> Plan:
    """Compare a complete listing of one group with what is known of it.

    A summary carries neither a modification time nor metadata or card, so a difference only there is left to
    events and to Search: what is described again is what is new, came back, or differs in what a list says.
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
        said = (
            summary.approval_status,
            summary.status,
            summary.life_cycle_stage,
            summary.life_cycle_status,
            summary.description,
            False,
        )
        if known.get(key) == said:
            unchanged += 1
        else:
            describe.append(summary.arn)
    absent = tuple(key for key, row in known.items() if key not in present and not row.is_missing)
    return Plan(tuple(describe), unchanged, absent)


@dataclass(frozen=True)
class Found:
    """What a search has that the registry does not hold in that state yet, and how many it does.

    `doubtful` are the ARNs of versions the registry takes for missing: the index may still have what AWS has no more.
    """

    differing: tuple[VersionRecord, ...]
    unchanged: int
    doubtful: tuple[str, ...] = ()


def plan_found(found: Iterable[VersionRecord], known: Mapping[Key, datetime | None]) -> Found:
    """Compare what a search found with when each known version was last modified; None is one marked missing.

    Windows overlap and the search index lags, so most of what is found is known already, or older than what an event
    brought: only what was modified later than the registry knows is taken in.
    """
    differing: list[VersionRecord] = []
    doubtful: list[str] = []
    unchanged = 0
    for record in found:
        key = (record.arn, record.created_at) if record.created_at is not None else None
        before = known.get(key) if key else None
        if key in known and before is None:
            doubtful.append(record.arn)
        elif before is not None and record.last_modified_at is not None and record.last_modified_at <= before:
            unchanged += 1
        else:
            differing.append(record)
    return Found(tuple(differing), unchanged, tuple(doubtful))
