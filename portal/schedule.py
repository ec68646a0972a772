"""The one list of periodic work: what runs, how often, and why that often."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from celery.schedules import crontab

_READ = "governance.read_aws_everywhere"

SCHEDULE: dict[str, dict[str, Any]] = {
    # A listener takes events in within moments. Without one a version registered in SageMaker is still to be seen
    # within ten seconds, so the queues are read more than twice in that time; those a listener reads are passed over.
    "read-registry-events": {
        "task": "governance.read_registry_events",
        "schedule": 3.0,
        "options": {"expires": 3},
    },
    # Enqueued on commit as well; this sweep finds what a killed worker or a lost broker left behind.
    "deliver-outbox": {"task": "governance.deliver_outbox", "schedule": 5.0, "options": {"expires": 5}},
    # A pipeline that waits is paid for by the minute; without a channel that looks for them this costs one query.
    "read-callbacks": {"task": "governance.read_callbacks", "schedule": 20.0, "options": {"expires": 20}},
    # A run that goes on is read every five minutes; what was named with a registration waits for its version.
    "read-runs": {"task": "governance.read_runs", "schedule": 60.0, "options": {"expires": 50}},
    # Requests live for days: to the quarter of an hour is close enough.
    "expire-requests": {"task": "governance.expire_requests", "schedule": 900.0, "options": {"expires": 600}},
    # The bell asks once a minute, and a decision should not wait for a broker to tell of it: some seconds are soon.
    "tell-people": {"task": "governance.tell_people", "schedule": 5.0, "options": {"expires": 5}},
    # Enqueued where something is to be sent; these find what a killed worker left and what waits for its next attempt.
    "send-e-mails": {
        "task": "governance.deliver_notifications",
        "schedule": 30.0,
        "kwargs": {"channel": "email"},
        "options": {"expires": 30},
    },
    "send-chats": {
        "task": "governance.deliver_notifications",
        "schedule": 30.0,
        "kwargs": {"channel": "chat"},
        "options": {"expires": 30},
    },
    # No change waits for a broker to be told of: two seconds are soon, and cost two questions when there is nothing.
    "send-webhooks": {"task": "governance.send_webhooks", "schedule": 2.0, "options": {"expires": 2}},
    "prune-webhooks": {
        "task": "governance.prune_webhooks",
        "schedule": crontab(hour=2, minute=23),
        "options": {"expires": 43200},
    },
    # Reminders are about hours and days, digests about an hour of the day.
    "remind-people": {"task": "governance.remind_people", "schedule": 300.0, "options": {"expires": 240}},
    "prune-notifications": {
        "task": "governance.prune_notifications",
        "schedule": crontab(hour=2, minute=11),
        "options": {"expires": 43200},
    },
    # What an event tells is found at once; this finds what only time or silence tells.
    "review-findings": {"task": "governance.review_findings", "schedule": 300.0, "options": {"expires": 240}},
    # Somebody who names a bucket waits for what lies in it, but not in front of the screen.
    "settle-artifacts": {"task": "governance.settle_artifacts", "schedule": 120.0, "options": {"expires": 100}},
    # The full pass remains the truth: it finds what neither event nor search told, and what is gone.
    "sync-accounts": {"task": "governance.sync_accounts", "schedule": 900.0, "options": {"expires": 840}},
    # One search a region finds what changed where no event came; it costs one call when nothing did.
    "sync-changes": {"task": "governance.sync_changes_everywhere", "schedule": 60.0, "options": {"expires": 50}},
    # Somebody may change a share in the console; an invitation lives for hours, so minutes are soon enough.
    "sync-shares": {"task": "governance.sync_shares", "schedule": 300.0, "options": {"expires": 240}},
    # Where no execution began, it costs a listing of the pipelines; whoever waits for one to end looks here meanwhile.
    "read-pipelines": {
        "task": _READ,
        "schedule": 300.0,
        "kwargs": {"kind": "pipelines"},
        "options": {"expires": 240},
    },
    # A job that is over says the same for ever: most passes cost the listing of labeling jobs that changed.
    "read-training": {
        "task": _READ,
        "schedule": 900.0,
        "kwargs": {"kind": "training"},
        "options": {"expires": 840},
    },
    # A graph is read when its version changed, or is a day old: most passes find nothing due.
    "read-lineage": {
        "task": _READ,
        "schedule": 900.0,
        "kwargs": {"kind": "lineage"},
        "options": {"expires": 840},
    },
    # What is as known costs one listing; who writes a card in SageMaker looks for it within the quarter of an hour.
    "read-model-cards": {
        "task": _READ,
        "schedule": 900.0,
        "kwargs": {"kind": "cards"},
        "options": {"expires": 840},
    },
    # One call a region when nothing changed; what runs without an approval is not left for long.
    "read-endpoints": {
        "task": _READ,
        "kwargs": {"kind": "endpoints"},
        "schedule": 600.0,
        "options": {"expires": 540},
    },
    # Looks at each report's ETag and reads those that changed; they belong to a training that is over.
    "read-reports": {
        "task": _READ,
        "kwargs": {"kind": "reports"},
        "schedule": crontab(minute=23, hour="*/3"),
        "options": {"expires": 7200},
    },
    # CloudWatch has an hour's numbers some minutes after it ended; each metric asked for is paid for.
    "read-endpoint-metrics": {
        "task": _READ,
        "schedule": crontab(minute=12),
        "kwargs": {"kind": "endpoint_metrics"},
        "options": {"expires": 3000},
    },
    # Roles change by the week, and each of them costs some calls.
    "read-roles": {
        "task": _READ,
        "schedule": crontab(hour=3, minute=42),
        "kwargs": {"kind": "personas"},
        "options": {"expires": 43200},
    },
    # A search a minute leaves a row each.
    "prune-sync-runs": {
        "task": "governance.prune_sync_runs",
        "schedule": crontab(hour=2, minute=41),
        "options": {"expires": 43200},
    },
    # Answers live for hours: what an hour adds is little.
    "prune-idempotency": {
        "task": "governance.prune_idempotency",
        "schedule": crontab(minute=37),
        "options": {"expires": 3000},
    },
    # Every stored byte is read: once a day is what a store can bear, and each download looks at its own file anyway.
    "check-evidence": {
        "task": "governance.check_evidence",
        "schedule": crontab(hour=3, minute=17),
        "options": {"expires": 43200},
    },
    # Until the next anchor an owner of the database could take back the last entries unseen: minutes, not hours.
    "anchor-audit-trail": {"task": "governance.anchor_audit_trail", "schedule": 600.0, "options": {"expires": 540}},
    # Enqueued on commit as well; this finds what a killed worker left, while whoever asked still watches its page.
    "sweep-packs": {"task": "governance.sweep_packs", "schedule": 30.0, "options": {"expires": 25}},
    # Every entry and every anchor is read: some seconds for a million of them.
    "check-audit-trail": {
        "task": "governance.check_audit_trail",
        "schedule": crontab(hour=4, minute=23),
        "options": {"expires": 43200},
    },
    # A right that was taken away is better found at night than by the next approval.
    "check-permissions": {
        "task": "registry.check_permissions",
        "schedule": crontab(hour=2, minute=41),
        "options": {"expires": 43200},
    },
    # Executions come hourly at most; alerts and violations should be known within a quarter of an hour.
    "read-monitors": {
        "task": _READ,
        "schedule": 900.0,
        "kwargs": {"kind": "monitors"},
        "options": {"expires": 840},
    },
}


def reading_kinds() -> set[str]:
    """Return the kinds of readings of AWS beside the registry that run by this list."""
    return {str(entry["kwargs"]["kind"]) for entry in SCHEDULE.values() if entry["task"] == _READ}


def late_after(schedule: Mapping[str, Mapping[str, Any]]) -> dict[str, timedelta]:
    """Return by kind of reading after how long without one something is wrong: the time of three of them."""
    reading = [entry for entry in schedule.values() if entry["task"] == _READ]
    return {str(entry["kwargs"]["kind"]): 3 * _between(entry["schedule"]) for entry in reading}


def _between(schedule: Any) -> timedelta:
    if isinstance(schedule, int | float):
        return timedelta(seconds=schedule)
    # A crontab, of which each hour and minute is a time of the day.
    return timedelta(days=1) / (len(schedule.hour) * len(schedule.minute))


def as_wished(minutes: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """Return the list with the named kinds of readings so many minutes apart; 0 leaves a kind out."""
    found = {}
    for name, entry in SCHEDULE.items():
        wished = minutes.get(entry["kwargs"]["kind"]) if entry["task"] == _READ else None
        if wished is None:
            found[name] = entry
        elif wished:
            found[name] = {**entry, "schedule": wished * 60.0, "options": {"expires": wished * 54}}
    return found
