"""What only time tells people: due dates that come near or have passed, escalations that help nobody, days that begin.

Everything here may run as often as it likes: the keys of what is told hold the date it is about, so each is told once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.operations import operation
from portal.core.vocabulary import NotificationKind
from registry.models import AwsAccount, UseCase
from registry.selectors import sync_health

from ..choices import Severity
from ..models import ApprovalRequest, Delegation, Finding, Notification, NotificationDelivery, Occasion
from .notifications import tell
from .recipients import ADMINS

# One failed pass is a hiccup that the next one, a minute later, mends.
FAILING_PASSES = 3
_FINDING_SOON = timedelta(days=1)
# What was read goes after a quarter, everything after half a year: the trail and the ledger keep what happened.
KEEP_READ = timedelta(days=90)
KEEP = timedelta(days=180)
KEEP_OCCASIONS = timedelta(days=30)
_BATCH = 5000


def remind(*, actor: Actor, now: datetime | None = None) -> None:
    """Tell people of what is due, overdue, escalated further, begun or ended by now; twice tells nothing new."""
    moment = now or timezone.now()
    with operation(actor, "remind people"):
        _requests(moment)
        _findings(moment)
        _reviews(moment)
        _delegations(moment)
        _accounts(moment)


def _requests(now: datetime) -> None:
    lead = settings.PORTAL_REMINDER
    rows = ApprovalRequest.objects.open().defer("facts", "requirements")
    for request in rows.filter(due_at__gt=now, due_at__lte=now + lead).order_by("pk"):
        # Of what is asked for the day before it is due, nobody needs to be reminded within the hour.
        if request.due_at - now <= (request.due_at - request.created_at) / 2:
            key = f"request:{request.pk}:due:{request.due_at:%Y-%m-%dT%H:%M}"
            tell(NotificationKind.REQUEST_DUE_SOON, key=key, about=request)
    for request in rows.filter(escalated_at__lte=now - settings.PORTAL_ESCALATION).order_by("pk"):
        tell(NotificationKind.REQUEST_ESCALATED, key=f"request:{request.pk}:{ADMINS}", about=request, step=ADMINS)


def _findings(now: datetime) -> None:
    soon = now.date() + _FINDING_SOON
    # What has long been due was told when it came to be, also where that was before there was anybody to tell.
    rows = Finding.objects.standing().filter(due_on__lte=soon, due_on__gte=now.date() - _FINDING_SOON)
    # Lesser ones that are nobody's are for the list, not for everybody's bell.
    whose = Q(owner__isnull=False) | Q(severity__in=(Severity.SERIOUS, Severity.CRITICAL))
    for finding in rows.filter(whose).defer("evidence").order_by("pk"):
        key = f"finding:{finding.pk}:due:{finding.due_on}"
        tell(NotificationKind.FINDING_DUE, key=key, about=finding)


def _reviews(now: datetime) -> None:
    until = now.date() + settings.PORTAL_REVIEW_REMINDER
    rows = UseCase.objects.active().filter(next_review_on__gte=now.date(), next_review_on__lte=until)
    for use_case in rows.order_by("pk"):
        key = f"use_case:{use_case.pk}:review:{use_case.next_review_on}"
        tell(NotificationKind.REVIEW_DUE, key=key, about=use_case)


def _delegations(now: datetime) -> None:
    today = now.date()
    live = Delegation.objects.filter(revoked_at=None).filter(Q(starts_on=today) | Q(ends_on=today))
    for row in live.order_by("pk"):
        if row.starts_on == today and row.made_at.date() < today:
            tell(NotificationKind.DELEGATION_BEGINS, key=f"delegation:{row.pk}:begins", about=row, begins=True)
        if row.ends_on == today:
            tell(NotificationKind.DELEGATION_ENDS, key=f"delegation:{row.pk}:ends", about=row)


def _accounts(now: datetime) -> None:
    accounts = {account.pk: account for account in AwsAccount.objects.enabled()}
    for pk, regions in sync_health.health(list(accounts.values())).items():
        for region in regions:
            if region.failing < FAILING_PASSES:
                continue
            known = region.known_as_of
            tell(
                NotificationKind.SYNC_FAILING,
                # Once until a pass ends well again.
                key=f"account:{pk}:{region.region}:{known.isoformat() if known else 'never'}",
                about=accounts[pk],
                region=region.region,
                failing=region.failing,
                known=f"{known:%Y-%m-%d %H:%M} UTC" if known else "",
                error=region.error[:500],
            )


def prune(*, now: datetime | None = None) -> int:
    """Remove what people were told so long ago that nobody looks for it; returns how many notifications went."""
    moment = now or timezone.now()
    with operation(Actor.system("clock"), "remove old notifications"):
        old = Q(happened_at__lt=moment - KEEP) | Q(read_at__isnull=False, happened_at__lt=moment - KEEP_READ)
        ids = list(Notification.objects.filter(old).values_list("pk", flat=True)[:_BATCH])
        Notification.objects.filter(pk__in=ids).delete()
        NotificationDelivery.objects.filter(notification=None, created_at__lt=moment - KEEP_READ).delete()
        # An occasion whose key may come again stays as long as that: the keys hold their dates.
        Occasion.objects.filter(told_at__lt=moment - KEEP_OCCASIONS, kind__in=_ONCE).delete()
        Occasion.objects.filter(told_at__lt=moment - KEEP).delete()
    return len(ids)


# Nobody finds these again: they are written where they happen, and only once.
_ONCE = (
    NotificationKind.FINDING_OPENED,
    NotificationKind.SHARE_DRIFT,
    NotificationKind.WRITE_BACK_GIVEN_UP,
    NotificationKind.DEPLOYMENT_DONE,
    NotificationKind.DEPLOYMENT_FAILED,
)
