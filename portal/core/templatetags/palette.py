"""The one palette: which words, colour and icon a person sees for each stored value.

A value is looked up by kind first (``open`` means one thing for a request and another for a finding) and
then among the common words. Colours are named by what they mean, never by hue, and ``portal.css`` gives each
tone a light and a dark form that passes WCAG AA contrast.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Tone = Literal["wait", "good", "bad", "live", "warn", "mute", "busy", "grave"]


class Look(NamedTuple):
    """How one value looks: its words, its tone and the icon that repeats the tone without colour."""

    words: str
    tone: Tone
    icon: str


_COMMON: dict[str, Look] = {
    # Status of a stage record
    "pending": Look("Pending", "wait", "clock"),
    "approved": Look("Approved", "good", "circle-check"),
    "rejected": Look("Rejected", "bad", "circle-x"),
    "deployed": Look("Deployed", "live", "rocket"),
    "superseded": Look("Superseded", "mute", "replace"),
    "retired": Look("Retired", "mute", "archive"),
    "draft": Look("Draft", "mute", "pencil"),
    "published": Look("Published", "good", "circle-check"),
    # Work that runs: sync, outbox, deployments, downloads
    "queued": Look("Queued", "wait", "clock"),
    "ordered": Look("Ordered", "wait", "clock"),
    "scheduled": Look("Scheduled", "wait", "clock"),
    "running": Look("Running", "busy", "progress"),
    "started": Look("Running", "busy", "progress"),
    "in_progress": Look("In progress", "busy", "progress"),
    "succeeded": Look("Succeeded", "good", "circle-check"),
    "completed": Look("Completed", "good", "circle-check"),
    "done": Look("Done", "good", "circle-check"),
    "partial": Look("Partly done", "warn", "alert-triangle"),
    "failed": Look("Failed", "bad", "alert-octagon"),
    "cancelled": Look("Cancelled", "mute", "ban"),
    "skipped": Look("Skipped", "mute", "circle-minus"),
    "throttled": Look("Throttled", "warn", "gauge"),
    "rolled_back": Look("Rolled back", "warn", "arrow-back-up"),
    "replaced": Look("Replaced", "mute", "replace"),
    "removed": Look("Removed", "mute", "trash"),
    # Approval requests and decisions
    "approve": Look("Approved", "good", "circle-check"),
    "reject": Look("Rejected", "bad", "circle-x"),
    "request_changes": Look("Changes requested", "warn", "edit"),
    "changes_requested": Look("Changes requested", "warn", "edit"),
    "withdrawn": Look("Withdrawn", "mute", "arrow-back-up"),
    "expired": Look("Expired", "mute", "clock-off"),
    "outdated": Look("Outdated", "warn", "refresh-alert"),
    "overdue": Look("Overdue", "bad", "calendar-due"),
    # Findings
    "acknowledged": Look("Acknowledged", "busy", "eye"),
    "resolved": Look("Resolved", "good", "circle-check"),
    "accepted": Look("Accepted", "mute", "hand-stop"),
    # SageMaker, RAM and endpoint words as AWS spells them (already in snake case here)
    "pending_manual_approval": Look("Pending manual approval", "wait", "clock"),
    "pending_approval": Look("Pending approval", "wait", "clock"),
    "in_service": Look("In service", "live", "rocket"),
    "creating": Look("Creating", "busy", "progress"),
    "updating": Look("Updating", "busy", "progress"),
    "system_updating": Look("System updating", "busy", "progress"),
    "rolling_back": Look("Rolling back", "warn", "arrow-back-up"),
    "out_of_service": Look("Out of service", "bad", "circle-x"),
    "deleting": Look("Deleting", "mute", "trash"),
    "deleted": Look("Deleted", "mute", "trash"),
    "active": Look("Active", "good", "circle-check"),
    "associating": Look("Associating", "busy", "progress"),
    "associated": Look("Associated", "good", "circle-check"),
    "disassociating": Look("Disassociating", "busy", "progress"),
    "disassociated": Look("Not associated", "mute", "circle-minus"),
    # Accounts and connections
    "ok": Look("OK", "good", "circle-check"),
    "connected": Look("Connected", "good", "plug-connected"),
    "denied": Look("Access denied", "bad", "lock"),
    "unreachable": Look("Unreachable", "bad", "cloud-off"),
    "enabled": Look("Enabled", "good", "circle-check"),
    "disabled": Look("Disabled", "mute", "player-pause"),
    "missing": Look("Missing", "warn", "circle-dashed"),
    "unchanged": Look("Unchanged", "mute", "circle-minus"),
    # Checks
    "pass": Look("Pass", "good", "circle-check"),
    "passed": Look("Pass", "good", "circle-check"),
    "fail": Look("Fail", "bad", "circle-x"),
    "waived": Look("Overridden", "warn", "hand-stop"),
    "not_applicable": Look("Not applicable", "mute", "circle-minus"),
    "allow": Look("Allowed", "good", "circle-check"),
    "deny": Look("Denied", "bad", "circle-x"),
}

_BY_KIND: dict[str, dict[str, Look]] = {
    "request": {
        "open": Look("Waiting for a decision", "wait", "hourglass"),
    },
    "finding": {
        "open": Look("Open", "bad", "flag"),
        "accepted": Look("Accepted risk", "mute", "hand-stop"),
    },
    "pack": {
        "waiting": Look("Waiting for a worker", "wait", "hourglass"),
        "building": Look("Being built", "busy", "loader-2"),
        "ready": Look("Ready", "good", "circle-check"),
        "failed": Look("Could not be built", "bad", "alert-octagon"),
        "expired": Look("Expired", "mute", "clock-off"),
        "removed": Look("Removed", "mute", "trash"),
    },
    "severity": {
        "critical": Look("Critical", "grave", "alert-octagon"),
        "serious": Look("Serious", "bad", "alert-triangle"),
        "warning": Look("Warning", "warn", "exclamation-circle"),
        "info": Look("Information", "mute", "info-circle"),
    },
    "outbox": {
        "pending": Look("Waiting to be sent", "wait", "cloud-upload"),
        "retrying": Look("Will be tried again", "warn", "refresh-alert"),
        "failed": Look("Given up, needs a person", "bad", "alert-octagon"),
        "delivered": Look("Done in AWS", "good", "circle-check"),
        "superseded": Look("Superseded, not sent", "mute", "archive"),
        "waiting": Look("Waits for something", "wait", "hourglass"),
        "stuck": Look("Its worker is gone", "warn", "clock-off"),
    },
    "asked": {
        "pending": Look("On its way to AWS", "wait", "cloud-upload"),
        "done": Look("Done", "good", "circle-check"),
        "failed": Look("Failed", "bad", "alert-octagon"),
    },
    "agreement": {
        "agreed": Look("SageMaker agrees", "good", "circle-check"),
        "write_back_pending": Look("On its way to SageMaker", "wait", "cloud-upload"),
        "write_back_failed": Look("SageMaker could not be told", "bad", "alert-octagon"),
        "approved_outside": Look("Approved outside the portal", "bad", "arrows-diff"),
        "rejected_outside": Look("Rejected outside the portal", "bad", "arrows-diff"),
        "reverted": Look("The decision was reverted", "bad", "arrow-back-up"),
        "lifecycle_changed": Look("Stage moved outside the portal", "warn", "arrows-diff"),
        "content_changed": Look("No longer what was approved", "bad", "refresh-alert"),
        "deleted": Look("Gone from AWS", "bad", "trash"),
    },
    "running": {
        "runs_approved": Look("As approved", "good", "circle-check"),
        "on_trial": Look("On trial", "live", "flask"),
        "runs_unapproved": Look("Not approved", "bad", "alert-triangle"),
        "runs_rejected": Look("Rejected or retired", "grave", "alert-octagon"),
        "approved_not_running": Look("Not running yet", "warn", "hourglass"),
        "ordered": Look("Ordered", "wait", "clock"),
        "gone": Look("Not in AWS", "warn", "trash"),
        "over": Look("Over", "mute", "archive"),
    },
    "serves": {
        "approved": Look("Approved", "good", "circle-check"),
        "trial": Look("On trial", "live", "flask"),
        "no_approval_needed": Look("Needs no approval", "mute", "circle-minus"),
        "unapproved": Look("Not approved", "bad", "alert-triangle"),
        "rejected_or_retired": Look("Rejected or retired", "grave", "alert-octagon"),
        "unknown_model": Look("Unknown model", "bad", "alert-octagon"),
        "unreadable": Look("Could not be read", "warn", "alert-triangle"),
        "not_serving": Look("Not serving", "mute", "circle-minus"),
        "live": Look("Live", "good", "circle-check"),
        "reported_only": Look("Reported, not seen", "wait", "clock"),
        "not_there": Look("Not serving", "warn", "hourglass"),
        "not_read": Look("Not read yet", "mute", "clock"),
        "watched": Look("Has a monitor", "good", "circle-check"),
        "no_monitor": Look("No monitor", "warn", "alert-triangle"),
        "not_known": Look("Monitors not read", "mute", "clock"),
        "not_live": Look("Nothing to monitor", "mute", "circle-minus"),
    },
    "event": {
        "parked": Look("Waits for a person", "wait", "inbox"),
        "replayed": Look("Taken in", "good", "circle-check"),
        "dismissed": Look("Dismissed", "mute", "archive"),
        "read": Look("Read", "good", "circle-check"),
        "unread": Look("Nobody reads it", "warn", "clock-off"),
        "failing": Look("Does not answer", "bad", "alert-triangle"),
    },
    "sync": {
        "succeeded": Look("Up to date", "good", "circle-check"),
        "healthy": Look("Up to date", "good", "circle-check"),
        "late": Look("Behind", "warn", "refresh-alert"),
        "failing": Look("Failing", "bad", "alert-triangle"),
        "never_synced": Look("Never synced", "mute", "circle-dashed"),
        "stale": Look("Behind", "warn", "refresh-alert"),
        "never": Look("Never synced", "mute", "circle-dashed"),
    },
    "check": {
        "waiting": Look("Waiting for a worker", "wait", "clock"),
        "sound": Look("Sound", "good", "shield-check"),
        "broken": Look("Not as it was written", "grave", "alert-octagon"),
        "failed": Look("Could not be checked", "warn", "alert-triangle"),
    },
    "preflight": {
        "permitted": Look("Everything allowed", "good", "circle-check"),
        "partly_known": Look("Partly known", "warn", "alert-triangle"),
        "lacking": Look("Permissions missing", "bad", "lock"),
        "unknown": Look("Could not be checked", "warn", "alert-triangle"),
    },
    "share": {
        "accepted": Look("Accepted", "good", "circle-check"),
        "declared": Look("Declared", "wait", "clock"),
        "applying": Look("On its way", "busy", "progress"),
        "in_place": Look("In place", "good", "circle-check"),
        "failing": Look("Failing", "bad", "alert-octagon"),
        "withdrawing": Look("Being withdrawn", "busy", "hourglass"),
        "withdrawn": Look("Withdrawn", "mute", "arrow-back-up"),
        "drifted": Look("Differs from what was declared", "warn", "arrows-diff"),
    },
    "risk": {
        "unacceptable": Look("Unacceptable risk", "grave", "ban"),
        "high": Look("High risk", "bad", "alert-triangle"),
        "limited": Look("Limited risk", "wait", "exclamation-circle"),
        "medium": Look("Medium risk", "wait", "exclamation-circle"),
        "minimal": Look("Minimal risk", "good", "shield-check"),
        "low": Look("Low risk", "good", "shield-check"),
        "unknown": Look("Risk unknown", "mute", "help-circle"),
        "unclassified": Look("Not classified", "mute", "help-circle"),
    },
}

# Values whose plain words are not simply the value with spaces.
_WORDS: dict[str, str] = {
    "poc": "POC",
    "qa": "QA",
    "pre_production": "Pre-production",
    "ml_engineer": "ML engineer",
    "ml_admin": "ML admin",
    "ai_act": "AI Act",
    "missing_in_aws": "Missing in AWS",
    "write_back_pending": "Write-back pending",
    "write_back_failed": "Write-back failed",
    "transparency_explainability": "Transparency and explainability",
    "monitoring_evaluation": "Monitoring and evaluation",
    "json": "JSON",
    "sagemaker": "SageMaker",
}

_ACRONYMS = {
    "ai": "AI",
    "api": "API",
    "arn": "ARN",
    "aws": "AWS",
    "csv": "CSV",
    "iam": "IAM",
    "id": "id",
    "kms": "KMS",
    "ml": "ML",
    "ram": "RAM",
    "s3": "S3",
    "sqs": "SQS",
    "uri": "URI",
    "url": "URL",
    "lob": "line of business",
}

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def key(value: object) -> str:
    """Bring a stored or AWS spelling to one form: ``PendingManualApproval`` -> ``pending_manual_approval``."""
    text = str(getattr(value, "value", value) or "").strip()
    if text.isupper():
        text = text.lower()
    return _CAMEL.sub("_", text).replace(" ", "_").replace("-", "_").lower()


def plain_words(value: object) -> str:
    """Put an enumeration's value in plain words: ``pre_production`` -> "Pre-production"."""
    if value is None or value == "":
        return ""
    name = key(value)
    if name in _WORDS:
        return _WORDS[name]
    words = [_ACRONYMS.get(word, word) for word in name.split("_") if word]
    sentence = " ".join(words)
    return sentence[:1].upper() + sentence[1:]


def look(value: object, kind: str = "") -> Look:
    """Return how a value looks; one nobody has listed is shown in plain words, grey, and never hidden."""
    name = key(value)
    found = _BY_KIND.get(kind, {}).get(name) or _COMMON.get(name)
    return found or Look(plain_words(value) or "Unknown", "mute", "point")


def looks() -> list[tuple[str, str, Look]]:
    """List every (kind, value, look) of the palette, common ones under the kind ``""``."""
    rows = [("", name, entry) for name, entry in _COMMON.items()]
    return rows + [(kind, name, entry) for kind, group in _BY_KIND.items() for name, entry in group.items()]
