"""Registry events: what could not be taken in and is kept, and how the queue of each account is doing."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from ..choices import EventProblem, ParkedEventState
from ..querysets import OperationsQuerySet
from .account import AwsAccount
from .user import User


class ParkedEvent(models.Model):
    """One message of an account's event queue that could not be taken in, kept until somebody settles it.

    `body` holds the bytes of the message as the queue gave them: nothing of it is cut off or replaced. `attempts`
    counts deliveries by the queue and replays. The database keeps what it is about and refuses its removal.
    """

    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, related_name="parked_events")
    message_id = models.CharField("message id", max_length=200)
    body = models.BinaryField()
    model_package_arn = models.CharField("model package ARN", max_length=2048, blank=True)
    queued_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=20, choices=EventProblem.choices())
    error = models.TextField()
    attempts = models.PositiveIntegerField(default=1)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=ParkedEventState.choices(), default=ParkedEventState.PARKED)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    note = models.TextField(blank=True)

    objects = OperationsQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "message_id"], name="parked_event_once"),
            models.CheckConstraint(
                name="parked_event_settled",
                condition=Q(state=ParkedEventState.PARKED, settled_at=None, settled_by=None, note="")
                | Q(state=ParkedEventState.REPLAYED, settled_at__isnull=False)
                | (Q(state=ParkedEventState.DISMISSED, settled_at__isnull=False) & ~Q(note="")),
            ),
        ]
        indexes = [models.Index(fields=["account", "state"]), models.Index(fields=["state", "-last_seen_at"])]

    @property
    def text(self) -> str:
        """The body for people: bytes that are no text, and NUL, show as the mark for what cannot be shown."""
        return bytes(self.body).decode("utf-8", "replace").replace("\x00", "\ufffd")

    @property
    def original(self) -> str:
        """The body exactly as the queue gave it, to be read again."""
        return bytes(self.body).decode("utf-8", "surrogatepass")

    def __str__(self) -> str:
        return f"event {self.message_id}"


class EventQueueHealth(models.Model):
    """How the event queue of one account is read: by whom, how far behind, what it holds. One row per account.

    `waiting`, `in_flight` and `dead_letters` are SQS's own approximate numbers, None where it was not asked or refused
    to say. `lag_ms` is how long the oldest event of the last batch lay between SQS and its commit here. The counters
    only grow: `received` messages, of which `known` said nothing new, `own` were echoes of the portal's own
    write-backs, `other` of another kind, `parked` kept; `taken_in` are versions read from AWS and recorded.
    """

    account = models.OneToOneField(
        AwsAccount, on_delete=models.PROTECT, primary_key=True, related_name="event_queue_health"
    )
    reader = models.CharField(max_length=200, blank=True)
    heartbeat_at = models.DateTimeField(null=True)
    waiting = models.PositiveBigIntegerField(null=True)
    in_flight = models.PositiveBigIntegerField(null=True)
    dead_letters = models.PositiveBigIntegerField(null=True)
    measured_at = models.DateTimeField(null=True)
    measure_error = models.TextField(blank=True)
    oldest_left_at = models.DateTimeField(null=True)
    last_handled_at = models.DateTimeField(null=True)
    lag_ms = models.PositiveBigIntegerField(null=True)
    received = models.PositiveBigIntegerField(default=0)
    taken_in = models.PositiveBigIntegerField(default=0)
    known = models.PositiveBigIntegerField(default=0)
    own = models.PositiveBigIntegerField(default=0)
    other = models.PositiveBigIntegerField(default=0)
    parked = models.PositiveBigIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    objects = OperationsQuerySet.as_manager()

    class Meta:
        verbose_name = "event queue health"
        verbose_name_plural = "event queue health"

    def __str__(self) -> str:
        return f"event queue of {self.account_id}"
