"""The catalogue of events that webhooks tell of, and which change of which table is which of them; Django-free.

A trigger on each table of `SOURCES` writes a change down in the transaction that makes it (0032 and 0035), so no
service can forget one: what it copies is the columns named here, old and new. `types_of` gives that change its names.
Names and fields are a promise to receivers: they are added to, and never renamed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

Row = Mapping[str, Any]

TEST = "webhook.test"
ALL = "*"


@dataclass(frozen=True)
class EventType:
    """One kind of event: its name, what happened when it comes, and the fields of `data` that only some events have."""

    name: str
    when: str
    fields: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """The part before the dot, by which a webhook subscribes to all of a kind: `approval.*`."""
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class Change:
    """One change of one row as the trigger wrote it down: `before` is None for a new row.

    `last` is where the same thing stood before, for rows that are added and never changed (the ledger, passes).
    """

    table: str
    before: Row | None
    after: Row
    last: Row | None = None


@dataclass(frozen=True)
class Source:
    """A table whose changes are told: the columns that are copied, the events they may be, and which one it is."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    names: Callable[[Change], Iterable[str]]


_MOVE = ("verb", "stage_before", "status_before", "stage", "status", "record", "request")
_REQUEST = ("request", "state_before", "state", "stage", "to_stage", "requester")
_FINDING = ("finding", "finding_kind", "severity", "state_before", "state", "stage", "owner", "due_on")
_DEPLOYMENT = ("deployment", "state_before", "state", "mode", "stage", "account", "region")
_SHARE = ("share", "state_before", "state", "revision", "account", "region")
_RAM_SHARE = ("ram_share", "state", "account")
_MEMBER = ("share", "ram_share", "group", "account", "region")
_PASS = ("sync_run", "sync_kind", "state", "region", "created", "updated", "missing", "error")

CATALOGUE: tuple[EventType, ...] = (
    EventType("use_case.registered", "A use case was registered.", _MOVE),
    EventType("use_case.stage_changed", "A use case went to another stage, or was sent back to one.", _MOVE),
    EventType("use_case.status_changed", "A use case stands otherwise in the stage it is in.", _MOVE),
    EventType("use_case.retired", "A use case was retired.", _MOVE),
    EventType("use_case.risk_changed", "A use case has another risk class.", ("risk_before", "risk")),
    EventType("model_version.registered", "A version was brought in and waits in development.", _MOVE),
    EventType("model_version.stage_changed", "A version went to another stage, or was sent back to one.", _MOVE),
    EventType("model_version.status_changed", "A version stands otherwise in the stage it is in.", _MOVE),
    EventType("model_version.retired", "A version was retired.", _MOVE),
    EventType("model_version.content_changed", "The bytes of a version are others than before.", ("digest",)),
    EventType("model_version.missing", "AWS no longer lists a version."),
    EventType("model_version.found_again", "AWS lists a version again that was missing."),
    EventType("approval.requested", "Somebody asks for an approval.", _REQUEST),
    EventType(
        "approval.decided", "One person has given his word.", ("request", "verdict", "role", "decided_by", "back_to")
    ),
    EventType("approval.approved", "The last word that was missing was given.", _REQUEST),
    EventType("approval.rejected", "A request was rejected.", _REQUEST),
    EventType("approval.changes_requested", "A request was sent back for changes.", _REQUEST),
    EventType("approval.withdrawn", "Who asked has withdrawn the request.", _REQUEST),
    EventType("approval.expired", "Nobody decided in time.", _REQUEST),
    EventType("approval.outdated", "The subject of an open request is something else now.", _REQUEST),
    EventType("approval.escalated", "A request is overdue and others were told of it.", _REQUEST),
    EventType(
        "approval.no_longer_holds", "What a standing approval was given for has changed.", ("record", "stage", "since")
    ),
    EventType("approval.holds_again", "A standing approval was renewed, or its content is back.", ("record", "stage")),
    EventType("override.granted", "A rule was overridden by break-glass.", ("stage", "check", "expires_at")),
    EventType("override.revoked", "An override was taken back.", ("stage", "check", "expires_at")),
    EventType("finding.opened", "Reality and the portal's word disagree.", _FINDING),
    EventType("finding.acknowledged", "Somebody has seen to a finding.", _FINDING),
    EventType("finding.accepted", "A finding was accepted for a time.", _FINDING),
    EventType("finding.resolved", "A finding is resolved, by somebody or by itself.", _FINDING),
    EventType("finding.reopened", "A finding stands again.", _FINDING),
    EventType("finding.changed", "A finding has another owner, due date or severity.", _FINDING),
    EventType("deployment.ordered", "A deployment was ordered.", ("order", "action", *_DEPLOYMENT)),
    EventType("deployment.removal_ordered", "A removal was ordered.", ("order", "action", *_DEPLOYMENT)),
    EventType("deployment.refused", "A waiting pipeline is told that it may not.", ("order", "action", *_DEPLOYMENT)),
    EventType("deployment.status_changed", "A deployment was reported, replaced, or is to go live.", _DEPLOYMENT),
    EventType("share.declared", "Somebody declared a share.", _SHARE),
    EventType("share.changed", "A declared share was changed.", _SHARE),
    EventType("share.state_changed", "RAM is further with a declared share, or failed with it.", _SHARE),
    EventType("share.drifted", "What RAM shares is not what was declared.", _FINDING),
    EventType("share.group_added", "A group came into a declared share, or into one of RAM.", _MEMBER),
    EventType("share.group_removed", "A group left a declared share, or one of RAM.", _MEMBER),
    EventType("share.appeared", "RAM has a share the portal had not seen.", _RAM_SHARE),
    EventType(
        "share.altered",
        "RAM reports another state, other principals, permissions or resources, or is further with a principal.",
        _RAM_SHARE,
    ),
    EventType("share.invited", "An account was invited to a share.", _RAM_SHARE),
    EventType("share.invitation_changed", "An invitation was accepted or is over.", _RAM_SHARE),
    EventType("sync.finished", "A pass over an account and region came to its end.", _PASS),
    EventType("sync.failed", "A pass over an account and region failed.", _PASS),
    EventType("sync.recovered", "A pass succeeded where the one before had failed; comes with `sync.finished`.", _PASS),
    EventType("policy.published", "A version of the policy matrix was published.", ("policy",)),
)
TYPES: dict[str, EventType] = {each.name: each for each in CATALOGUE}


def _moved(prefix: str, change: Change) -> Iterable[str]:
    if change.after["verb"] == "register":
        return (f"{prefix}.registered",)
    if change.after["verb"] == "retire":
        return (f"{prefix}.retired",)
    before = (change.last or {}).get("position_stage")
    return (f"{prefix}.stage_changed" if change.after["position_stage"] != before else f"{prefix}.status_changed",)


def _ledger(change: Change) -> Iterable[str]:
    return _moved(str(change.after["kind"]), change)


def _use_case(change: Change) -> Iterable[str]:
    return ("use_case.risk_changed",)


def _version(change: Change) -> Iterable[str]:
    before = change.before or {}
    if before.get("content_digest") != change.after["content_digest"]:
        yield "model_version.content_changed"
    if bool(before.get("missing_since")) != bool(change.after["missing_since"]):
        yield "model_version.missing" if change.after["missing_since"] else "model_version.found_again"


def _request(change: Change) -> Iterable[str]:
    if change.before is None:
        yield "approval.requested"
        return
    if change.before["state"] != change.after["state"]:
        yield f"approval.{change.after['state']}"
    if change.before["escalated_at"] is None and change.after["escalated_at"] is not None:
        yield "approval.escalated"


def _decision(change: Change) -> Iterable[str]:
    return ("approval.decided",)


def _standing(change: Change) -> Iterable[str]:
    return ("approval.no_longer_holds" if change.after["outdated_at"] else "approval.holds_again",)


def _override(change: Change) -> Iterable[str]:
    return ("override.granted" if change.before is None else "override.revoked",)


def _finding(change: Change) -> Iterable[str]:
    before, state = change.before, change.after["state"]
    if before is None or before["state"] != state:
        opened = "opened" if before is None else "reopened"
        yield f"finding.{opened if state == 'open' else state}"
        if change.after["kind"] == "share_drift" and state == "open":
            yield "share.drifted"
    elif any(before[name] != change.after[name] for name in ("owner_id", "due_on", "severity")):
        yield "finding.changed"


_ORDERED = {"deploy": "ordered", "remove": "removal_ordered", "refuse": "refused"}


def _order(change: Change) -> Iterable[str]:
    return (f"deployment.{_ORDERED[str(change.after['action'])]}",)


def _deployment(change: Change) -> Iterable[str]:
    # What is ordered anew has its order, which tells of it.
    is_order = change.after["state"] == "ordered" and (change.before or {}).get("state") != "ordered"
    return () if is_order else ("deployment.status_changed",)


def _declared(change: Change) -> Iterable[str]:
    if change.before is None:
        yield "share.declared"
        return
    if change.before["state"] != change.after["state"]:
        yield "share.state_changed"
    elif change.before["revision"] != change.after["revision"]:
        yield "share.changed"


def _ram_share(change: Change) -> Iterable[str]:
    return ("share.appeared" if change.before is None else "share.altered",)


def _principal(change: Change) -> Iterable[str]:
    return ("share.altered",)


def _member(change: Change) -> Iterable[str]:
    # The trigger copies a row that is gone as both.
    return ("share.group_added" if change.before is None else "share.group_removed",)


def _invitation(change: Change) -> Iterable[str]:
    return ("share.invited" if change.before is None else "share.invitation_changed",)


def _pass(change: Change) -> Iterable[str]:
    if change.after["state"] == "failed":
        yield "sync.failed"
        return
    yield "sync.finished"
    if change.last is not None and change.last["state"] == "failed":
        yield "sync.recovered"


def _policy(change: Change) -> Iterable[str]:
    return ("policy.published",)


def _of(*families: str) -> tuple[str, ...]:
    return tuple(each.name for each in CATALOGUE if each.name in families or each.family in families)


_MOVES = tuple(
    f"{kind}.{what}"
    for kind in ("use_case", "model_version")
    for what in ("registered", "stage_changed", "status_changed", "retired")
)
_MEMBERS = ("share.group_added", "share.group_removed")
_STANDING = ("approval.no_longer_holds", "approval.holds_again")
_REQUESTS = tuple(name for name in _of("approval") if name not in (*_STANDING, "approval.decided"))

SOURCES: dict[str, Source] = {
    "governance_stageevent": Source(
        (
            *("kind", "use_case_id", "version_id", "record_id_copy", "verb", "stage", "status"),
            *("position_stage", "position_status", "request_id_copy"),
        ),
        _MOVES,
        _ledger,
    ),
    "registry_usecase": Source(("risk_class",), ("use_case.risk_changed",), _use_case),
    "registry_modelversion": Source(
        ("content_digest", "missing_since"),
        ("model_version.content_changed", "model_version.missing", "model_version.found_again"),
        _version,
    ),
    "governance_approvalrequest": Source(
        ("use_case_id", "version_id", "stage", "to_stage", "state", "requester_id", "escalated_at"), _REQUESTS, _request
    ),
    "governance_decision": Source(
        ("request_id", "verdict", "role", "decider_name", "back_to"), ("approval.decided",), _decision
    ),
    "governance_stagerecord": Source(("version_id", "stage", "outdated_at"), _STANDING, _standing),
    "governance_usecasestagerecord": Source(("use_case_id", "stage", "outdated_at"), _STANDING, _standing),
    "governance_override": Source(
        ("use_case_id", "version_id", "stage", "check_key", "expires_at", "revoked_at"), _of("override"), _override
    ),
    "governance_finding": Source(
        (
            *("kind", "severity", "state", "use_case_id", "group_id", "version_id", "account_id"),
            *("stage", "owner_id", "due_on"),
        ),
        (*_of("finding"), "share.drifted"),
        _finding,
    ),
    "governance_deploymentorder": Source(
        ("deployment_id", "action"),
        ("deployment.ordered", "deployment.removal_ordered", "deployment.refused"),
        _order,
    ),
    "registry_deployment": Source(
        ("version_id", "account_id", "region", "stage", "mode", "state"), ("deployment.status_changed",), _deployment
    ),
    "registry_declaredshare": Source(
        ("number", "account_id", "region", "state", "revision"),
        ("share.declared", "share.changed", "share.state_changed"),
        _declared,
    ),
    "registry_resourceshare": Source(
        ("arn", "account_id", "region", "state"), ("share.appeared", "share.altered"), _ram_share
    ),
    "registry_shareprincipal": Source(("share_id", "status"), ("share.altered",), _principal),
    "registry_declaredshare_groups": Source(("declaredshare_id", "modelgroup_id"), _MEMBERS, _member),
    "registry_resourceshare_groups": Source(("resourceshare_id", "modelgroup_id"), _MEMBERS, _member),
    "registry_shareinvitation": Source(
        ("share_arn", "receiver_id", "region", "status"), ("share.invited", "share.invitation_changed"), _invitation
    ),
    "registry_syncrun": Source(
        ("account_id", "region", "kind", "state", "created", "updated", "missing", "error"), _of("sync"), _pass
    ),
    "governance_policyversion": Source(("state",), ("policy.published",), _policy),
}


def types_of(change: Change) -> list[str]:
    """Return the names of what a change means, in the order they are told; empty when it is no news."""
    return list(SOURCES[change.table].names(change))


def is_known(pattern: str) -> bool:
    """Whether a pattern is `*`, a family such as `approval.*`, or one event of the catalogue."""
    return pattern == ALL or pattern in TYPES or pattern in {f"{each.family}.*" for each in CATALOGUE}


def matches(patterns: Iterable[str], name: str) -> bool:
    """Whether somebody who subscribed to these patterns wants an event of that name."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def sources_of(patterns: Iterable[str]) -> list[str]:
    """Return the tables whose changes may be what somebody subscribed to, sorted."""
    wanted = list(patterns)
    return sorted(table for table, source in SOURCES.items() if any(matches(wanted, name) for name in source.types))
