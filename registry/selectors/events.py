"""Registry events: what is parked, how the queues are doing, and which event says nothing new."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, Count, IntegerField, QuerySet, Value, When
from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.permissions import Act, require_anywhere

from ..aws.records import RegistryEvent
from ..choices import ParkedEventState
from ..models import AwsAccount, EventQueueHealth, ModelVersion, ParkedEvent

# A reader writes its heartbeat before each wait, which lasts 20 s at most.
ALIVE = timedelta(seconds=60)
_MILLISECOND = timedelta(milliseconds=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class EventHealth:
    """How the events of one account are doing, in numbers people and machines can act on.

    `is_read` says whether somebody read the queue within the last minute, `reader` who: a listener's machine and
    process, or "sweep". `waiting`, `in_flight` and `dead_letters` are SQS's approximate numbers at `measured_at`.
    `oldest_left_seconds` is the age of the oldest message that was received and had to be left on the queue,
    `lag_seconds` how long the last handled event lay between SQS and its commit here. `parked_now` waits for people.
    """

    has_queue: bool
    is_read: bool = False
    reader: str = ""
    heartbeat_at: datetime | None = None
    waiting: int | None = None
    in_flight: int | None = None
    dead_letters: int | None = None
    measured_at: datetime | None = None
    measure_error: str = ""
    oldest_left_seconds: float | None = None
    last_handled_at: datetime | None = None
    lag_seconds: float | None = None
    received: int = 0
    taken_in: int = 0
    known: int = 0
    own: int = 0
    other: int = 0
    parked: int = 0
    parked_now: int = 0
    failures: int = 0
    failing_since: datetime | None = None
    error: str = ""


def health_of(account: AwsAccount) -> EventHealth:
    """Return how the event queue of an account is doing; two queries."""
    parked_now = ParkedEvent.objects.filter(account=account, state=ParkedEventState.PARKED).count()
    return _health(account, EventQueueHealth.objects.filter(account=account).first(), parked_now)


def health_of_all(actor: Actor) -> list[tuple[AwsAccount, EventHealth]]:
    """Return the accounts an actor may see that have an event queue or parked events, each with how it is doing.

    Three queries however many there are.
    """
    waiting = ParkedEvent.objects.filter(state=ParkedEventState.PARKED).values("account").annotate(events=Count("pk"))
    parked = dict(waiting.values_list("account", "events"))
    rows = {row.account_id: row for row in EventQueueHealth.objects.all()}
    seen = AwsAccount.objects.visible_to(actor).order_by("account_id")
    return [
        (account, _health(account, rows.get(account.pk), parked.get(account.pk, 0)))
        for account in seen
        if account.event_queue_url or account.pk in parked
    ]


def _health(account: AwsAccount, row: EventQueueHealth | None, parked_now: int) -> EventHealth:
    has_queue = bool(account.event_queue_url)
    if row is None:
        return EventHealth(has_queue=has_queue, parked_now=parked_now)
    now = timezone.now()
    return EventHealth(
        has_queue=has_queue,
        is_read=row.heartbeat_at is not None and now - row.heartbeat_at < ALIVE and not row.failures,
        reader=row.reader,
        heartbeat_at=row.heartbeat_at,
        waiting=row.waiting,
        in_flight=row.in_flight,
        dead_letters=row.dead_letters,
        measured_at=row.measured_at,
        measure_error=row.measure_error,
        oldest_left_seconds=(now - row.oldest_left_at).total_seconds() if row.oldest_left_at else None,
        last_handled_at=row.last_handled_at,
        lag_seconds=None if row.lag_ms is None else row.lag_ms / 1000,
        received=row.received,
        taken_in=row.taken_in,
        known=row.known,
        own=row.own,
        other=row.other,
        parked=row.parked,
        parked_now=parked_now,
        failures=row.failures,
        failing_since=row.failing_since,
        error=row.error,
    )


def parked_events(actor: Actor) -> QuerySet[ParkedEvent]:
    """Return the events kept aside, those that wait first, without their bodies. Raises Forbidden."""
    require_anywhere(actor, Act.SEE_OPERATIONS)
    urgency = Case(When(state=ParkedEventState.PARKED, then=Value(0)), default=Value(1), output_field=IntegerField())
    return (
        ParkedEvent.objects.visible_to(actor)
        .select_related("account", "settled_by")
        .defer("body")
        .annotate(urgency=urgency)
        .order_by("urgency", "-last_seen_at", "-pk")
    )


def parked_events_in_detail(actor: Actor) -> QuerySet[ParkedEvent]:
    """Return the events kept aside with their bodies."""
    return ParkedEvent.objects.visible_to(actor).select_related("account", "settled_by")


def parked_event(actor: Actor, pk: int) -> ParkedEvent:
    """Return one event kept aside, with its body. Raises NotFound."""
    return access.get(ParkedEvent, actor, pk=pk)


def parked_count(actor: Actor) -> int:
    """Return how many events wait for people."""
    return ParkedEvent.objects.visible_to(actor).filter(state=ParkedEventState.PARKED).count()


def version_ids(arns: Iterable[str]) -> dict[str, int]:
    """Return the keys of the versions AWS still lists under these ARNs."""
    return dict(ModelVersion.objects.present().filter(arn__in=list(arns)).values_list("arn", "pk"))


def says_nothing_new(events: Iterable[RegistryEvent]) -> set[str]:
    """Return the message ids of those events whose news is provably stored already, so that AWS need not be asked.

    An event is a picture of its version. A picture whose LastModifiedTime is older than the stored one was taken before
    what is stored was read. One of the same time adds nothing either when it also says the same; but times may come cut
    to the second, and within one second two changes fit: such a picture must be a whole second older. Versions that are
    unknown or missing are always asked for.
    """
    told = [event for event in events if event.modified_at is not None]
    if not told:
        return set()
    columns = ("arn", "aws_modified_at", "aws_status", "aws_approval_status", "aws_stage", "aws_stage_status")
    rows = ModelVersion.objects.present().filter(arn__in={event.model_package_arn for event in told}).only(*columns)
    # A deleted version's ARN may come back as something else: of several, none is trusted.
    stored: dict[str, ModelVersion | None] = {}
    for row in rows:
        stored[row.arn] = None if row.arn in stored else row
    return {
        event.message_id
        for event in told
        if (version := stored.get(event.model_package_arn)) is not None and _covers(version, event)
    }


def _covers(version: ModelVersion, event: RegistryEvent) -> bool:
    assert event.modified_at is not None
    known = version.aws_modified_at
    if event.modified_at.microsecond == 0:
        return event.modified_at + _SECOND <= known
    said = event.modified_at - timedelta(microseconds=event.modified_at.microsecond % 1000)
    known -= timedelta(microseconds=known.microsecond % 1000)
    if said + _MILLISECOND <= known:
        return True
    claims = event.claims
    return said == known and (claims.status, claims.approval_status, claims.stage, claims.stage_status) == (
        version.aws_status,
        version.aws_approval_status,
        version.aws_stage,
        version.aws_stage_status,
    )
