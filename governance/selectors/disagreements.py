"""What disagrees now, kind by kind, from what the portal holds: no AWS is read here.

Every rule is a fixed number of queries over all subjects, or over the versions an event names; it says what holds and
what it cannot judge at this moment. What no rule looks for is told by events alone (cards, metadata, unreadable
events, broken glass).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from portal.core.vocabulary import Stage
from registry.models import ModelGroup, ModelVersion, UseCase
from registry.selectors.catalogue import HEAVY

from ..choices import FindingKind, OutboxKind, OutboxState, RequestState
from ..models import ApprovalRequest, OutboxMessage, StageRecord, UseCaseStageRecord
from . import monitor_findings, out_of_band, running, sharing
from . import policy as policies
from .breaches import metric_breached
from .isolation import network_isolation_off
from .observed import Observation, Rule, Seen, key_of
from .reports import report_unreadable

Only = Collection[int] | None


def write_back_pending(now: datetime, only: Only = None) -> Seen:
    """Versions whose decision has waited too long for its way to SageMaker."""
    patience = timedelta(minutes=settings.PORTAL_WRITE_BACK_PATIENCE_MINUTES)
    waiting = _messages(only).filter(
        kind=OutboxKind.WRITE_BACK, state=OutboxState.PENDING, created_at__lt=now - patience
    )
    oldest: dict[int, OutboxMessage] = {}
    for message in waiting.order_by("pk"):
        oldest.setdefault(message.version_id or 0, message)
    return Seen(
        tuple(
            Observation(
                message.version,
                f"{message.summary}: ordered at {message.created_at:%Y-%m-%d %H:%M} UTC and not done yet.",
                {"outbox_message": message.pk, "last_error": message.last_error},
            )
            for message in oldest.values()
            if message.version is not None
        )
    )


def write_back_failed(now: datetime, only: Only = None) -> Seen:
    """Subjects with something in the outbox that was given up; one that is tried again is not settled yet."""
    done = (OutboxState.DELIVERED, OutboxState.SUPERSEDED)
    rows = [_messages(only)]
    if only is None:
        about_others = OutboxMessage.objects.filter(version=None).select_related("group__account", "account")
        rows.append(about_others.defer("payload"))
    given_up: dict[str, Observation] = {}
    retried: set[str] = set()
    for undelivered in rows:
        for message in (
            undelivered.exclude(state__in=done).exclude(state=OutboxState.PENDING, last_error="").order_by("pk")
        ):
            subject = message.version or message.group or message.account
            if subject is None:
                continue
            if message.state != OutboxState.FAILED:
                retried.add(key_of(subject))
                continue
            words = f"{message.summary}: given up after {message.attempts} attempts. {message.last_error}"
            evidence = {"outbox_message": message.pk, "error": message.last_error}
            given_up[key_of(subject)] = Observation(subject, words, evidence)
    return Seen(tuple(given_up.values()), unsure=frozenset(retried), retell=False)


def content_changed(now: datetime, only: Only = None) -> Seen:
    """Subjects whose standing approval was given for something else, or whose request was outdated and not renewed."""
    stale = Q(outdated_at__isnull=False, status__in=policies.STANDING)
    records = _of(StageRecord.objects.filter(stale), "version_id", only).select_related("version__group__account")
    stages: dict[UseCase | ModelVersion, set[str]] = {}
    for record in records.defer(*_heavy("version")).order_by("pk"):
        stages.setdefault(record.version, set()).add(record.stage)
    if only is None:
        for case in UseCaseStageRecord.objects.filter(stale).select_related("use_case").order_by("pk"):
            stages.setdefault(case.use_case, set()).add(case.stage)
    return Seen(
        tuple(
            Observation(
                subject,
                f"{_name(subject)} is no longer what was approved in {_labels(found)}.",
                {"approved_stages": [stage.value for stage in Stage if stage in found]},
            )
            for subject, found in stages.items()
        ),
        unsure=_not_renewed(only),
        retell=False,
    )


def missing_in_aws(now: datetime, only: Only = None) -> Seen:
    """Versions a complete listing no longer has."""
    rows = _of(ModelVersion.objects.exclude(missing_since=None), "pk", only)
    return Seen(
        tuple(
            Observation(version, f"A complete listing of AWS no longer has {version.name}.", {"arn": version.arn})
            for version in rows.select_related("group__account").defer(*HEAVY).order_by("pk")
        ),
        retell=False,
    )


def group_unlinked(now: datetime, only: Only = None) -> Seen:
    """Model groups that belong to no project."""
    rows = ModelGroup.objects.unlinked().filter(missing_since=None).select_related("account").order_by("pk")
    return Seen(
        tuple(
            Observation(
                group,
                f"The model group {group.name} belongs to no project, so only people with a global role see it.",
                {"arn": group.arn},
            )
            for group in rows
        ),
        retell=False,
    )


def review_overdue(now: datetime, only: Only = None) -> Seen:
    """Use cases in service whose review date has passed."""
    rows = UseCase.objects.active().filter(next_review_on__lt=now.date()).order_by("pk")
    return Seen(
        tuple(
            Observation(
                use_case,
                f"The review of {use_case} was due on {use_case.next_review_on}.",
                {"next_review_on": str(use_case.next_review_on)},
            )
            for use_case in rows
        )
    )


def _outside(kind: FindingKind, now: datetime, only: Only = None) -> Seen:
    """What somebody changed in SageMaker past the portal, as `policies.out_of_band` judges it."""
    return out_of_band.seen(now, only)[kind]


RULES: dict[FindingKind, Rule] = {
    **{kind: partial(_outside, kind) for kind in out_of_band.OUTSIDE_KINDS},
    FindingKind.WRITE_BACK_PENDING: write_back_pending,
    FindingKind.WRITE_BACK_FAILED: write_back_failed,
    FindingKind.CONTENT_CHANGED: content_changed,
    FindingKind.RUNNING_UNAPPROVED: running.running_unapproved,
    FindingKind.RUNNING_REJECTED: running.running_rejected,
    FindingKind.APPROVED_NOT_DEPLOYED: running.approved_not_deployed,
    FindingKind.UNKNOWN_MODEL_RUNNING: running.unknown_model_running,
    FindingKind.MISSING_IN_AWS: missing_in_aws,
    FindingKind.GROUP_UNLINKED: group_unlinked,
    FindingKind.REVIEW_OVERDUE: review_overdue,
    FindingKind.METRIC_BREACHED: metric_breached,
    FindingKind.REPORT_UNREADABLE: report_unreadable,
    FindingKind.MONITOR_MISSING: monitor_findings.monitor_missing,
    FindingKind.MONITOR_VIOLATIONS: monitor_findings.monitor_violations,
    FindingKind.NETWORK_ISOLATION_OFF: network_isolation_off,
    **sharing.RULES,
}
# What a rule about other things than versions has nothing to say of when asked about some versions.
ABOUT_NO_VERSION = frozenset({FindingKind.GROUP_UNLINKED, FindingKind.REVIEW_OVERDUE, *sharing.RULES})


def _messages(only: Only) -> QuerySet[OutboxMessage]:
    rows = OutboxMessage.objects.exclude(version=None).select_related("version__group__account")
    return _of(rows, "version_id", only).defer("payload", *_heavy("version"))


def _not_renewed(only: Only) -> frozenset[str]:
    """Subjects whose newest request was outdated: nobody has asked for what they are now."""
    newer = ApprovalRequest.objects.filter(pk__gt=OuterRef("pk"))
    outdated = ApprovalRequest.objects.filter(state=RequestState.OUTDATED)
    versions = _of(outdated.exclude(version=None), "version_id", only).exclude(version__stage=Stage.RETIRED)
    keys = {
        f"modelversion:{pk}"
        for pk in versions.filter(~Exists(newer.filter(version=OuterRef("version")))).values_list(
            "version_id", flat=True
        )
    }
    if only is None:
        cases = outdated.exclude(use_case=None).exclude(use_case__stage=Stage.RETIRED)
        keys |= {
            f"usecase:{pk}"
            for pk in cases.filter(~Exists(newer.filter(use_case=OuterRef("use_case")))).values_list(
                "use_case_id", flat=True
            )
        }
    return frozenset(keys)


def _of(rows: Any, path: str, only: Only) -> Any:
    """Rows about these versions; about all of them without any named."""
    return rows.all() if only is None else rows.filter(**{f"{path}__in": list(only)})


def _heavy(path: str) -> list[str]:
    return [f"{path}__{name}" for name in HEAVY]


def _labels(stages: Collection[str]) -> str:
    return ", ".join(stage.label for stage in Stage if stage in stages)


def _name(subject: UseCase | ModelVersion) -> str:
    return subject.name if isinstance(subject, ModelVersion) else subject.public_id
