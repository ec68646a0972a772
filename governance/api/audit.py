"""The audit trail, read and verified."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.filters import Filters, exactly
from portal.core.serializers import Output
from portal.core.viewsets import Listed

from ..models import AuditEvent
from ..selectors import resources
from ..services import verification


class AuditEventOutput(Output):
    """One change of one governed row: who, when, what, why, before and after."""

    sequence = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor = serializers.CharField(allow_null=True, help_text="Null for a change made outside of any service.")
    reason = serializers.CharField(allow_null=True)
    correlation = serializers.CharField(allow_null=True)
    table = serializers.CharField()
    object_id = serializers.CharField()
    action = serializers.CharField()
    changes = serializers.JSONField(help_text="By column: [before, after] of an update, the values otherwise.")
    transaction = serializers.IntegerField()
    database_user = serializers.CharField()
    chain = serializers.CharField()
    previous_hash = serializers.SerializerMethodField()
    hash = serializers.SerializerMethodField()

    def get_previous_hash(self, event: AuditEvent) -> str | None:
        return None if event.previous_hash is None else bytes(event.previous_hash).hex()

    def get_hash(self, event: AuditEvent) -> str:
        return bytes(event.hash).hex()


class VerificationOutput(Output):
    """What a pass over the trail found."""

    rows = serializers.IntegerField()
    chains = serializers.IntegerField()
    first_bad_sequence = serializers.IntegerField(allow_null=True)
    problem = serializers.CharField(help_text='What is wrong with the first bad row, "" when every row is sound.')


class AuditFilters(Filters):
    """Filters of the list."""

    table = exactly("table", "The name of a table, such as registry_usecase.")
    object_id = exactly("object_id", "The key of a row, as text.")
    actor = exactly("actor", "As the trail writes it, such as user:model.owner or system:sync.")
    correlation = exactly("correlation", "The id that ties together what one request or task caused.")


class AuditEvents(Listed):
    """The audit trail, newest first."""

    noun = "audit event"
    problem_statuses = (403,)
    serializer_class = AuditEventOutput
    filterset_class = AuditFilters
    ordering = ("-sequence",)
    ordering_fields = {"sequence": "sequence"}
    tie_breaker = ("sequence",)

    def get_queryset(self) -> QuerySet[AuditEvent]:
        return resources.audit_events(self.actor)

    @extend_schema(responses=VerificationOutput)
    @action(detail=False, methods=["get"])
    def verify(self, request: Request) -> Response:
        """Check every row's hash and its link to the row before it; names the first bad row."""
        return Response(VerificationOutput(verification.verified_for(self.actor)).data)
