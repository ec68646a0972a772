"""The audit trail, read and verified."""

from __future__ import annotations

import re

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.errors import InvalidInput
from portal.core.filters import Filters, exactly, one_of, since, until
from portal.core.serializers import Input, Output, word
from portal.core.viewsets import ROW_ID, Detailed, Listed

from ..choices import AuditCheckScope, AuditCheckState
from ..models import AuditAnchor, AuditCheck, AuditEvent
from ..selectors import anchors, audit_trail, resources
from ..services import audit_checks, verification


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
    """What a check of the trail and its anchors found."""

    is_intact = serializers.BooleanField()
    rows = serializers.IntegerField(help_text="Entries read.")
    chains = serializers.IntegerField(help_text="Chains that begin in what was read.")
    anchors = serializers.IntegerField(help_text="Anchors read.")
    since = serializers.IntegerField(allow_null=True, help_text="Only what comes after this anchor was read.")
    verified_to = serializers.IntegerField(allow_null=True, help_text="The last entry read.")
    anchor = serializers.IntegerField(allow_null=True, help_text="The newest anchor read.")
    anchored_to = serializers.IntegerField(allow_null=True, help_text="The last entry that it covers.")
    first_bad_sequence = serializers.IntegerField(allow_null=True)
    first_bad_anchor = serializers.IntegerField(allow_null=True)
    unguarded = serializers.ListField(
        child=serializers.CharField(), help_text="Guards of the database that are not in force."
    )
    problem = serializers.CharField(help_text='What is wrong with the first bad row or anchor, "" when all is sound.')


class AuditAnchorOutput(Output):
    """One signed anchor, as the index has it."""

    number = serializers.IntegerField()
    first_sequence = serializers.IntegerField(help_text="It covers the entries from here ...")
    last_sequence = serializers.IntegerField(help_text="... to here, both included.")
    rows = serializers.IntegerField()
    chains = serializers.IntegerField(help_text="Chains that begin in it.")
    total_rows = serializers.IntegerField(help_text="Entries from the first of the trail to its end.")
    total_chains = serializers.IntegerField()
    digest = serializers.CharField(
        help_text="SHA-256 over number (8 bytes, big-endian) and hash (32 bytes) of each entry it covers, in order."
    )
    file_sha256 = serializers.CharField(help_text="What the next anchor names it by.")
    signed_at = serializers.DateTimeField()


class SignedAnchorOutput(AuditAnchorOutput):
    """One anchor with its file."""

    token = serializers.SerializerMethodField(help_text="The file: a compact JWS of type anchor+jwt; see gate/keys/.")

    def get_token(self, anchor: AuditAnchor) -> str:
        return anchors.anchor_file(self.context["actor"], anchor.number)[1]


class AuditCheckOutput(Output):
    """One check that a worker carries out, and what it found."""

    id = serializers.IntegerField(source="pk")
    scope = word(AuditCheckScope)
    state = word(AuditCheckState)
    requested_by = serializers.CharField(
        source="requested_by.username", allow_null=True, help_text="Null for the daily one."
    )
    requested_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    since = serializers.IntegerField(allow_null=True)
    rows_to_check = serializers.IntegerField(allow_null=True)
    rows = serializers.IntegerField(help_text="Entries read so far.")
    verified_to = serializers.IntegerField(allow_null=True)
    anchor = serializers.IntegerField(allow_null=True)
    first_bad_sequence = serializers.IntegerField(allow_null=True)
    first_bad_anchor = serializers.IntegerField(allow_null=True)
    problem = serializers.CharField()


class AuditCheckInput(Input):
    """What to check."""

    scope = word(AuditCheckScope, default=AuditCheckScope.RECENT)


class AuditFilters(Filters):
    """Filters of the list."""

    table = exactly("table", "The name of a table, such as registry_usecase.")
    object_id = exactly("object_id", "The key of a row, as text.")
    actor = exactly("actor", "As the trail writes it, such as user:model.owner or system:sync.")
    correlation = exactly("correlation", "The id that ties together what one request or task caused.")
    action = one_of([(name, name) for name in ("insert", "update", "delete")], "action")
    since = since("at")
    until = until("at")


class AuditEvents(Listed):
    """The audit trail, newest first."""

    noun = "audit event"
    problem_statuses = (403,)
    serializer_class = AuditEventOutput
    filterset_class = AuditFilters
    search_fields = ("actor", "reason")
    ordering = ("-sequence",)
    ordering_fields = {"sequence": "sequence"}
    tie_breaker = ("sequence",)

    def get_queryset(self) -> QuerySet[AuditEvent]:
        return resources.audit_events(self.actor)

    @extend_schema(
        parameters=[
            OpenApiParameter("since_anchor", OpenApiTypes.INT64, description="Check only what comes after this anchor.")
        ],
        responses=VerificationOutput,
    )
    @action(detail=False, methods=["get"], query_parameters=("since_anchor",), problem_statuses=(400, 403, 404, 503))
    def verify(self, request: Request) -> Response:
        """Check every entry, chain and anchor now; names the first bad row and the first bad anchor.

        A million entries take some seconds; `POST audit-checks/` has a worker do it.
        """
        since = request.query_params.get("since_anchor")
        if since is not None and not re.fullmatch(r"[0-9]{1,18}", since):
            raise InvalidInput("The number of an anchor, such as 7.", errors={"since_anchor": ["Give a number."]})
        found = verification.verified_for(self.actor, int(since) if since is not None else None)
        return Response(VerificationOutput(found).data)


class AnchorFilters(Filters):
    """Filters of the list."""

    since = since("signed_at")
    until = until("signed_at")


class CheckFilters(Filters):
    """Filters of the list."""

    scope = one_of(AuditCheckScope, "scope")
    state = one_of(AuditCheckState, "state")
    since = since("requested_at")
    until = until("requested_at")


class AuditAnchors(Listed, Detailed):
    """The signed anchors of the audit trail, newest first."""

    noun = "anchor"
    problem_statuses = (403,)
    lookup_field = "number"
    lookup_value_regex = ROW_ID
    list_serializer_class = AuditAnchorOutput
    serializer_class = SignedAnchorOutput
    filterset_class = AnchorFilters
    search_fields = ("digest",)
    ordering = ("-number",)
    ordering_fields = {"number": "number"}
    tie_breaker = ("number",)

    def get_queryset(self) -> QuerySet[AuditAnchor]:
        return anchors.anchors(self.actor)


class AuditChecks(Listed, Detailed):
    """Checks of the audit trail, newest first: what is not known at once, because a worker does it."""

    noun = "audit check"
    problem_statuses = (403,)
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    serializer_class = AuditCheckOutput
    filterset_class = CheckFilters
    search_fields = ("problem",)
    ordering_fields = {"id": "pk", "requested_at": "requested_at", "scope": "scope", "state": "state"}

    def get_queryset(self) -> QuerySet[AuditCheck]:
        return audit_trail.checks(self.actor)

    @extend_schema(request=AuditCheckInput, responses={202: AuditCheckOutput})
    def create(self, request: Request) -> Response:
        """Have a worker check the whole trail, or what is new; watch the answer's id for what it finds."""
        scope = AuditCheckScope(self.read(AuditCheckInput)["scope"])
        return self.show(audit_checks.request(actor=self.actor, scope=scope), 202)
