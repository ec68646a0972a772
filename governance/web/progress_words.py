"""How far the long work of governance is, in the one form pages show it in."""

from __future__ import annotations

from typing import Any

from portal.core.progress import Progress, ProgressState
from registry.choices import AskedState

from ..choices import AuditCheckState
from ..models import AuditCheck


def check_progress(check: AuditCheck) -> Progress:
    """Say how far a check of the audit trail is; one that ended is done, whatever it found."""
    states = {AuditCheckState.WAITING: ProgressState.WAITING, AuditCheckState.RUNNING: ProgressState.RUNNING}
    return Progress(
        states.get(AuditCheckState(check.state), ProgressState.DONE),
        "Checking the audit trail",
        "Comparing entries with their seals",
        done=check.rows if check.rows_to_check else None,
        total=check.rows_to_check,
        unit="entries",
        asked_at=check.requested_at,
        started_at=check.started_at,
        finished_at=check.finished_at,
    )


def asked_progress(row: Any, order: Any, label: str, result_url: str, result: Any) -> Progress:
    """Say how far a registration or a new group is; `order` is the message that carries it to AWS."""
    states = {AskedState.DONE: ProgressState.DONE, AskedState.FAILED: ProgressState.FAILED}
    state = states.get(AskedState(row.state))
    if state is None:
        state = ProgressState.RUNNING if order and (order.attempts or order.waiting_for) else ProgressState.WAITING
    step = f"Waits for {order.waiting_for}" if order and order.waiting_for else "On its way to AWS"
    return Progress(
        state,
        label,
        step,
        asked_at=row.requested_at,
        started_at=row.requested_at if state == ProgressState.RUNNING else None,
        finished_at=row.finished_at,
        problem=row.error,
        result_url=result_url,
        result_label=f"Open {result}" if result else "",
    )


def share_progress(share: Any, *, has_pending: bool, has_differences: bool) -> Progress | None:
    """Say what a share that is under way waits for; None when what is wrong is said in other words."""
    if has_pending:
        step = "An account has still to accept its invitation"
    elif share.state == "declared" or not has_differences:
        step = "A worker tells RAM and reads what it answers"
    else:
        return None
    return Progress(ProgressState.RUNNING, "Bringing RAM in line", step)
