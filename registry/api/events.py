"""How the events of an account are doing, as its page and the API say it."""

from __future__ import annotations

from rest_framework import serializers

from portal.core.serializers import Output


class EventHealthOutput(Output):
    """How the event queue of one account is read, what it holds, and how far behind the last event was."""

    has_queue = serializers.BooleanField()
    is_read = serializers.BooleanField(help_text="Whether somebody read it within the last minute.")
    reader = serializers.CharField(help_text='The listener\'s machine and process, or "sweep".')
    heartbeat_at = serializers.DateTimeField(allow_null=True)
    waiting = serializers.IntegerField(allow_null=True)
    in_flight = serializers.IntegerField(allow_null=True)
    dead_letters = serializers.IntegerField(allow_null=True)
    measured_at = serializers.DateTimeField(allow_null=True)
    measure_error = serializers.CharField()
    oldest_left_seconds = serializers.FloatField(
        allow_null=True, help_text="The age of the oldest message that was received and left on the queue."
    )
    last_handled_at = serializers.DateTimeField(allow_null=True)
    lag_seconds = serializers.FloatField(
        allow_null=True, help_text="How long the last handled event lay between SQS and the portal."
    )
    received = serializers.IntegerField()
    taken_in = serializers.IntegerField()
    known = serializers.IntegerField()
    own = serializers.IntegerField()
    other = serializers.IntegerField()
    parked = serializers.IntegerField(help_text="Parked so far.")
    parked_now = serializers.IntegerField(help_text="Parked, and neither replayed nor dismissed.")
    failures = serializers.IntegerField()
    failing_since = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField()
