"""Telling people what happened: the occasion, what each person is told of it, and how it leaves the portal."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from portal.core.vocabulary import ChatKind, NotificationChannel, NotificationKind, NotificationState
from registry.models import User

from ..querysets import DeliveryQuerySet, NotificationQuerySet, OccasionQuerySet

LONGEST_KEY = 200


class Occasion(models.Model):
    """Something people are to be told of, written in the transaction in which it happened; a worker tells them.

    `key` says what happened to what, so that the same is told once however often it is found again. `about` and
    `about_id` name the row it is about: nobody is told who may not see that row. `actor_id_copy` is who did it: he
    knows already.
    """

    kind = models.CharField(max_length=30, choices=NotificationKind.choices())
    key = models.CharField(max_length=LONGEST_KEY, unique=True)
    about = models.CharField(max_length=20, blank=True)
    about_id = models.BigIntegerField(null=True)
    actor_id_copy = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=200, blank=True)
    details = models.JSONField(default=dict)
    happened_at = models.DateTimeField(default=timezone.now)
    told_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    problem = models.TextField(blank=True)

    objects = OccasionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["next_attempt_at", "id"], condition=Q(told_at=None), name="occasion_untold")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Notification(models.Model):
    """What one person is told of one occasion, in words that stay what they were.

    A quiet one is kept and listed, but does not ring the bell. `count` is how many things of one kind it stands for.
    A settled one has lost its meaning: what it asked for was done or is over.
    """

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notifications")
    occasion = models.ForeignKey(Occasion, on_delete=models.SET_NULL, null=True, related_name="+")
    kind = models.CharField(max_length=30, choices=NotificationKind.choices())
    key = models.CharField(max_length=LONGEST_KEY)
    title = models.CharField(max_length=300)
    text = models.TextField(blank=True)
    path = models.CharField(max_length=500)
    about = models.CharField(max_length=20, blank=True)
    about_id = models.BigIntegerField(null=True)
    count = models.PositiveIntegerField(default=1)
    is_quiet = models.BooleanField(default=False)
    in_digest = models.BooleanField(default=False)
    happened_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="notification_once_per_person")]
        indexes = [
            models.Index(fields=["person", "-happened_at", "-id"], name="notification_newest"),
            models.Index(fields=["person"], condition=Q(read_at=None, is_quiet=False), name="notification_unread"),
            models.Index(fields=["about", "about_id"], name="notification_about"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.person_id})"


class NotificationDelivery(models.Model):
    """One message to one person by one way: a notification, or the digest of one day.

    What it says is put together when it is sent; `content` holds a digest's words, which are those of its moment.
    """

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, null=True, related_name="deliveries")
    channel = models.CharField(max_length=10, choices=NotificationChannel.choices())
    digest_on = models.DateField(null=True)
    content = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=NotificationState.choices(), default=NotificationState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "notification deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(notification__isnull=False, digest_on=None) | Q(notification=None, digest_on__isnull=False),
                name="notification_delivery_of_one_thing",
            ),
            models.UniqueConstraint(fields=["notification", "channel"], name="notification_delivered_once_a_way"),
            models.UniqueConstraint(
                fields=["person", "digest_on"], condition=Q(notification=None), name="notification_digest_once_a_day"
            ),
        ]
        indexes = [
            models.Index(
                fields=["channel", "next_attempt_at", "id"],
                condition=Q(state=NotificationState.PENDING),
                name="notification_delivery_due",
            ),
            models.Index(fields=["person", "-id"], name="notification_delivery_person"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} to {self.person_id}: {self.state}"


class NotificationSettings(models.Model):
    """What one person wants to be told of, and how; without a row everything is as it is for everybody.

    `choices` holds, per kind, only what differs from that. The address of the chat is a secret, for whoever has it can
    write there: it is stored encrypted, and people see its host.
    """

    person = models.OneToOneField(User, on_delete=models.CASCADE, related_name="notification_settings")
    choices: Any = models.JSONField(default=dict)
    is_digest_on = models.BooleanField(default=True)
    digest_hour = models.PositiveSmallIntegerField(default=8)
    time_zone = models.CharField(max_length=64, default="UTC")
    chat_kind = models.CharField(max_length=10, choices=ChatKind.choices(), blank=True)
    chat_url = models.TextField(blank=True, editable=False)
    chat_host = models.CharField(max_length=255, blank=True)
    chat_problem = models.TextField(blank=True)
    last_digest_on = models.DateField(null=True)
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = verbose_name_plural = "notification settings"
        constraints = [
            models.CheckConstraint(condition=Q(digest_hour__lte=23), name="notification_digest_hour_of_a_day"),
            models.CheckConstraint(
                condition=Q(chat_kind="", chat_url="", chat_host="")
                | (~Q(chat_kind="") & ~Q(chat_url="") & ~Q(chat_host="")),
                name="notification_chat_as_a_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"settings of {self.person_id}"
