"""Findings: where reality, AWS and the portal's word do not agree."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.filters import Filters, account_filter, arn_filter, one_of, use_case_filter
from portal.core.serializers import LONGEST_TEXT, Input, NoInput, Output, word
from portal.core.viewsets import ByPublicId, Detailed, Listed
from registry.api.serializers import username

from ..choices import FindingKind, FindingState, Severity
from ..models import Finding
from ..selectors import resources
from ..services import findings


class FindingSubject(Output):
    """What a finding is about."""

    kind = serializers.ChoiceField(
        choices=[(name, name) for name in ("use_case", "model_version", "model_group", "account")]
    )
    id = serializers.CharField()
    name = serializers.CharField()


class FindingOutput(Output):
    """One disagreement."""

    id = serializers.CharField(source="public_id")
    kind = word(FindingKind)
    severity = word(Severity)
    state = word(FindingState)
    summary = serializers.CharField()
    evidence = serializers.JSONField()
    subject = serializers.SerializerMethodField()
    model_package_arn = serializers.CharField(source="version.arn", allow_null=True)
    account = serializers.CharField(source="account.account_id", allow_null=True)
    owner = username("owner")
    due_on = serializers.DateField(allow_null=True)
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    closing_note = serializers.CharField()

    @extend_schema_field(FindingSubject(allow_null=True))
    def get_subject(self, finding: Finding) -> dict[str, str] | None:
        if finding.use_case is not None:
            return {"kind": "use_case", "id": finding.use_case.public_id, "name": finding.use_case.name}
        if finding.version is not None:
            return {"kind": "model_version", "id": str(finding.version.pk), "name": finding.version.name}
        if finding.group is not None:
            return {"kind": "model_group", "id": str(finding.group.pk), "name": finding.group.name}
        if finding.account is not None:
            return {"kind": "account", "id": finding.account.account_id, "name": finding.account.alias}
        return None


class ResolveInput(Input):
    """What was done about it."""

    note = serializers.CharField(max_length=LONGEST_TEXT)


class FindingFilters(Filters):
    """Filters of the list."""

    kind = one_of(FindingKind, "kind")
    state = one_of(FindingState, "state")
    severity = one_of(Severity, "severity")
    use_case = use_case_filter("use_case__number")
    model_package_arn = arn_filter("version__arn")
    account = account_filter("account__account_id")


class Findings(ByPublicId, Listed, Detailed):
    """Findings."""

    noun = "finding"
    lookup_field = "pk"
    public_id_prefix = "FND"
    id_example = "FND-000001"
    serializer_class = FindingOutput
    filterset_class = FindingFilters
    search_fields = ("summary",)
    ordering_fields = {
        "id": "pk",
        "kind": "kind",
        "state": "state",
        "first_seen_at": "first_seen_at",
        "last_seen_at": "last_seen_at",
    }

    def get_queryset(self) -> QuerySet[Finding]:
        return resources.findings(self.actor)

    @extend_schema(request=NoInput)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, **kwargs: Any) -> Response:
        """Take a finding on."""
        finding = self.get_object()
        self.read(NoInput)
        return self.show(findings.acknowledge(actor=self.actor, finding_id=finding.pk))

    @extend_schema(request=ResolveInput)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, **kwargs: Any) -> Response:
        """Close a finding by hand, saying what was done; it opens again when reality still disagrees."""
        finding = self.get_object()
        values = self.read(ResolveInput)
        return self.show(findings.resolve(actor=self.actor, finding_id=finding.pk, note=values["note"]))
