"""The one list of periodic work: what runs, how often, and why that often."""

from __future__ import annotations

from typing import Any

SCHEDULE: dict[str, dict[str, Any]] = {
    # A version registered in SageMaker is to be seen within ten seconds, so the event queue is read
    # more than twice in that time.
    "read-registry-events": {
        "task": "governance.read_registry_events",
        "schedule": 3.0,
        "options": {"expires": 3},
    },
    # Enqueued on commit as well; this sweep finds what a killed worker or a lost broker left behind.
    "deliver-outbox": {"task": "governance.deliver_outbox", "schedule": 5.0, "options": {"expires": 5}},
    # Requests live for days: to the quarter of an hour is close enough.
    "expire-requests": {"task": "governance.expire_requests", "schedule": 900.0, "options": {"expires": 600}},
    # What an event tells is found at once; this finds what only time or silence tells.
    "review-findings": {"task": "governance.review_findings", "schedule": 300.0, "options": {"expires": 240}},
    # The full pass remains the truth: it finds what no event told.
    "sync-accounts": {"task": "governance.sync_accounts", "schedule": 300.0, "options": {"expires": 240}},
}
