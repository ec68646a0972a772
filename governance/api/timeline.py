"""The ledger of one subject."""

from __future__ import annotations

from rest_framework import serializers

from portal.core.serializers import Output, public_id, word

from ..choices import Stage, Status
from ..lifecycle import Verb
from ..models import StageEvent


class EventOutput(Output):
    """One move of a subject; `stage` and `status` are those of the record that moved."""

    id = serializers.IntegerField(source="pk")
    at = serializers.DateTimeField()
    verb = serializers.ChoiceField(choices=[(verb.value, verb.value) for verb in Verb])
    stage = word(Stage)
    from_status = serializers.CharField()
    status = word(Status)
    position_stage = word(Stage, help_text="Where the subject stands afterwards.")
    position_status = word(Status)
    account = serializers.CharField(source="account.account_id", allow_null=True)
    request = serializers.SerializerMethodField()
    actor = serializers.CharField()
    reason = serializers.CharField()
    correlation = serializers.CharField()

    def get_request(self, event: StageEvent) -> str | None:
        return public_id(event.request_id_copy, "AR")


# The ledger of a subject is a list inside its detail: newest first, without the filters of the subjects' own list.
TIMELINE: dict[str, object] = {
    "detail": True,
    "is_list": True,
    "filterset_class": None,
    "search_fields": (),
    "ordering_fields": {},
    "ordering": ("-id",),
    "tie_breaker": ("pk",),
}
