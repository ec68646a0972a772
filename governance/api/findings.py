"""Findings: where reality, AWS and the portal's word do not agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.filters import Filters, account_filter, arn_filter, exactly, one_of, use_case_filter
from portal.core.orderings import day_or_never, text_or_nothing
from portal.core.serializers import LONGEST_TEXT, Input, NoInput, Output, text, word
from portal.core.sparse import FIELDS
from portal.core.viewsets import ByPublicId, Detailed, Listed
from registry.api.serializers import PersonField, username

from ..choices import FindingKind, FindingState, Severity, Stage
from ..models import Finding
from ..selectors import findings as selectors
from ..services import findings
from .many import ManyFindings

_CHUNK = 500


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
    stage = serializers.SerializerMethodField()
    account = serializers.CharField(source="account.account_id", allow_null=True)
    owner = username("owner")
    due_on = serializers.DateField(allow_null=True)
    overdue = serializers.BooleanField(source="is_overdue")
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    accepted_until = serializers.DateField(allow_null=True, help_text="The last day it may stand.")
    accepted_by = username("accepted_by")
    acceptance_reason = serializers.CharField()
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

    @extend_schema_field(word(Stage, allow_null=True))
    def get_stage(self, finding: Finding) -> str | None:
        return finding.stage or None


class FindingEvent(Output):
    """One thing that happened to a finding."""

    at = serializers.DateTimeField()
    what = serializers.CharField(source="title")
    who = serializers.CharField(source="person")
    words = serializers.CharField(source="text")


class FindingDetail(FindingOutput):
    """One disagreement, with what happened to it, newest first."""

    history = serializers.SerializerMethodField()

    @extend_schema_field(FindingEvent(many=True))
    def get_history(self, finding: Finding) -> Any:
        return FindingEvent(selectors.history(finding), many=True).data


class ResolveInput(Input):
    """What was done about it."""

    note = serializers.CharField(max_length=LONGEST_TEXT)


class AcceptInput(Input):
    """Why it may stand, and until the end of which day: at most a year ahead."""

    reason = serializers.CharField(max_length=LONGEST_TEXT)
    until = serializers.DateField()


class ReopenInput(Input):
    """Why it is opened again."""

    reason = serializers.CharField(max_length=LONGEST_TEXT)


class AssignInput(Input):
    """Who deals with it; null is nobody."""

    owner = PersonField(allow_null=True)
    reason = text()


class DueInput(Input):
    """By when it is to be dealt with; null is no date."""

    due_on = serializers.DateField(allow_null=True)
    reason = text()


class FindingFilters(Filters):
    """Filters of the list."""

    kind = one_of(FindingKind, "kind")
    state = one_of(FindingState, "state")
    severity = one_of(Severity, "severity")
    owner = exactly("owner__username", "A sign-in name.")
    overdue = django_filters.ChoiceFilter(
        choices=[("true", "true"), ("false", "false")],
        method="by_due_date",
        help_text="`true`: those that stand past their due date; `false`: all the others.",
    )
    use_case = use_case_filter("use_case__number")
    version = exactly("version__pk", "The number of a model version.", method="by_version")
    group = exactly("group__name", "The name of a model group.")
    model_package_arn = arn_filter("version__arn")
    account = account_filter("account__account_id")

    def by_due_date(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        late = selectors.overdue(rows)
        return late if value == "true" else rows.exclude(pk__in=late.values("pk"))

    def by_version(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        known = value.isdecimal() and value.isascii() and len(value) < 19
        return rows.filter(version__pk=int(value)) if known else rows.none()


class Findings(ManyFindings, ByPublicId, Listed, Detailed):
    """Findings."""

    noun = "finding"
    lookup_field = "pk"
    public_id_prefix = "FND"
    id_example = "FND-000001"
    serializer_class = FindingDetail
    list_serializer_class = FindingOutput
    filterset_class = FindingFilters
    search_fields = ("summary",)
    ordering_fields = {
        "id": "pk",
        "kind": "kind",
        "severity": "gravity",
        "state": "state",
        "owner": text_or_nothing("owner__username"),
        "due_on": day_or_never("due_on"),
        "first_seen_at": "first_seen_at",
        "last_seen_at": "last_seen_at",
    }

    def get_queryset(self) -> QuerySet[Finding]:
        return selectors.findings(self.actor)

    def cells(self, rows: QuerySet[Any], row: Any) -> tuple[Sequence[str], Iterator[Mapping[str, Any]]]:
        """Return the columns and rows of the page's file; with `fields=` those it names of what the list shows."""
        if FIELDS in self.request.query_params:
            return super().cells(rows, row)
        return selectors.COLUMNS, map(selectors.as_row, rows.iterator(chunk_size=_CHUNK))

    @extend_schema(request=NoInput)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, **kwargs: Any) -> Response:
        """Take a finding on; whoever does owns it."""
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

    @extend_schema(request=AcceptInput)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, **kwargs: Any) -> Response:
        """Let a disagreement stand until the end of a day; after it the finding opens again by itself."""
        finding = self.get_object()
        values = self.read(AcceptInput)
        return self.show(findings.accept(actor=self.actor, finding_id=finding.pk, **values))

    @extend_schema(request=ReopenInput)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, **kwargs: Any) -> Response:
        """Take an acceptance or a resolution back, with a new due date."""
        finding = self.get_object()
        values = self.read(ReopenInput)
        return self.show(findings.reopen(actor=self.actor, finding_id=finding.pk, **values))

    @extend_schema(request=AssignInput)
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, **kwargs: Any) -> Response:
        """Give a finding to somebody who can see it, or to nobody."""
        finding = self.get_object()
        values = self.read(AssignInput)
        return self.show(findings.assign(actor=self.actor, finding_id=finding.pk, **values))

    @extend_schema(request=DueInput)
    @action(detail=True, methods=["post"])
    def due(self, request: Request, **kwargs: Any) -> Response:
        """Change by when a finding is to be dealt with."""
        finding = self.get_object()
        values = self.read(DueInput)
        return self.show(findings.set_due(actor=self.actor, finding_id=finding.pk, **values))
