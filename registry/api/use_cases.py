"""Use cases: read, edited, classified, documented. Their lifecycle's verbs are added by the governance app."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from portal.core.conditional import agreed_mark, revision_tag
from portal.core.filters import exactly, one_of
from portal.core.orderings import day_or_never, text_or_nothing
from portal.core.serializers import LONGEST_TEXT, Input, Output, text, word
from portal.core.viewsets import ByPublicId, Revised

from ..choices import DocumentKind, ObjectKind, RiskClass, Stage, Status
from ..models import UseCase
from ..selectors import resources
from ..selectors.exports import USE_CASE_COLUMNS, use_case_row
from ..services import use_cases
from ..services.use_cases import UseCaseText
from .attributes import AttributeFilters, AttributesInput, AttributesOutput, Exported, exports
from .classifications import Classified
from .serializers import GroupReference, PersonField, ProjectField, VersionReference, username


class UseCaseSummary(Output):
    """A use case as a list shows it."""

    id = serializers.CharField(source="public_id")
    name = serializers.CharField()
    description = serializers.CharField()
    intended_purpose = serializers.CharField()
    business_owner = serializers.CharField()
    model_owner = username("model_owner")
    project = serializers.CharField(source="project.key")
    line_of_business = serializers.CharField(source="project.line_of_business.name")
    risk_class = word(RiskClass)
    risk_reason = serializers.CharField()
    risk_classified_by = username("risk_classified_by")
    risk_classified_at = serializers.DateTimeField(allow_null=True)
    stage = word(Stage)
    status = word(Status)
    next_review_on = serializers.DateField(allow_null=True)
    registered_by = username("registered_by")
    registered_at = serializers.DateTimeField()
    attributes = AttributesOutput(ObjectKind.USE_CASE)
    revision = serializers.IntegerField()


class DocumentOutput(Output):
    """One of the five parts of use-case governance."""

    kind = word(DocumentKind)
    text = serializers.CharField()
    author = username("author")
    written_at = serializers.DateTimeField()


class UseCaseLinks(Output):
    """Where to go from a use case."""

    self = serializers.URLField()
    timeline = serializers.URLField()
    model_versions = serializers.URLField()
    stage_records = serializers.URLField()
    approvals = serializers.URLField()


class UseCaseDetail(UseCaseSummary):
    """A use case in full: documents, models, links."""

    documents = DocumentOutput(many=True, source="documents.all")
    model_groups = GroupReference(many=True, source="groups.all")
    model_versions = VersionReference(many=True, source="versions.all")
    links = serializers.SerializerMethodField()

    @extend_schema_field(UseCaseLinks)
    def get_links(self, use_case: UseCase) -> dict[str, str]:
        request = self.context["request"]

        def address(name: str, **lookup: str) -> str:
            return str(reverse(name, kwargs=lookup or None, request=request))

        return {
            "self": address("use-case-detail", id=use_case.public_id),
            "timeline": address("use-case-timeline", id=use_case.public_id),
            "model_versions": f"{address('model-version-list')}?use_case={use_case.public_id}",
            "stage_records": f"{address('stage-record-list')}?use_case_id={use_case.public_id}",
            "approvals": f"{address('approval-list')}?use_case={use_case.public_id}",
        }


class UseCaseEdit(Input):
    """What may be edited; what is left out stays."""

    name = serializers.CharField(max_length=200)
    intended_purpose = serializers.CharField(max_length=LONGEST_TEXT)
    description = text()
    business_owner = text(max_length=200)
    model_owner = PersonField(required=False, allow_null=True)
    next_review_on = serializers.DateField(required=False, allow_null=True)
    attributes = AttributesInput()


class UseCaseRegistration(UseCaseEdit):
    """A new use case."""

    project = ProjectField()


class DocumentsInput(Input):
    """Texts of the parts of governance; a part left out, or empty, stays as it is."""

    risk_assessment = text()
    mitigation_strategies = text()
    transparency_explainability = text()
    human_oversight = text()
    monitoring_evaluation = text()


class UseCaseFilters(AttributeFilters):
    """Filters of the list."""

    attribute_kind = ObjectKind.USE_CASE
    stage = one_of(Stage, "stage")
    status = one_of(Status, "status")
    risk_class = one_of(RiskClass, "risk_class")
    project = exactly("project__key", "The key of a project.")
    line_of_business = exactly("project__line_of_business__name", "The name of a line of business.")
    model_owner = exactly("model_owner__username", "A sign-in name.")
    registered_by = exactly("registered_by__username", "A sign-in name.")


def text_of(values: dict[str, Any], use_case: UseCase | None = None) -> UseCaseText:
    """Return what people write about a use case: what was sent, and for the rest what it says now."""
    names = ("name", "intended_purpose", "description", "business_owner", "model_owner", "next_review_on")
    current = {name: getattr(use_case, name) for name in names} if use_case is not None else {}
    return UseCaseText(**{**current, **{name: values[name] for name in names if name in values}})


class UseCases(ByPublicId, Classified, Exported, Revised):
    """Use cases."""

    noun = "use case"
    lookup_field = "number"
    public_id_prefix, public_id_width = "UC", 4
    id_example = "UC-0001"
    serializer_class = UseCaseDetail
    list_serializer_class = UseCaseSummary
    filterset_class = UseCaseFilters
    search_fields = ("name", "description", "intended_purpose", "business_owner")
    ordering = ("-id",)
    ordering_fields = {
        "id": "number",
        "name": "name",
        "stage": "stage",
        "status": "status",
        "risk_class": "risk_class",
        "project": "project__key",
        "line_of_business": "project__line_of_business__name",
        "model_owner": text_or_nothing("model_owner__username"),
        "business_owner": "business_owner",
        "next_review_on": day_or_never("next_review_on"),
        "registered_by": "registered_by__username",
        "registered_at": "registered_at",
    }
    tie_breaker = ("number",)
    attribute_kind = ObjectKind.USE_CASE
    export_columns = USE_CASE_COLUMNS

    def headers_of(self, row: UseCase) -> dict[str, str]:
        # Its documents count no revision of the use case's: their mark stands beside it.
        return {"ETag": revision_tag(row.revision, use_cases.documents_mark(row))}

    def export_row(self, row: Any) -> dict[str, Any]:
        return use_case_row(row)

    @exports(UseCaseSummary)
    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the use cases, page by page as JSON, or all that match as CSV."""
        return super().list(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[UseCase]:
        return resources.use_cases(self.actor) if self.is_list else resources.use_cases_in_detail(self.actor)

    @extend_schema(request=UseCaseEdit)
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """Edit what people wrote; If-Match says on which state."""
        use_case = self.get_object()
        revision = self.agreed_revision(use_case)
        values = self.read(UseCaseEdit, partial=True)
        edited = use_cases.edit(
            actor=self.actor,
            use_case_id=use_case.pk,
            revision=revision,
            text=text_of(values, use_case),
            attributes=values.get("attributes"),
        )
        return self.show(edited)

    @extend_schema(request=DocumentsInput)
    @action(detail=True, methods=["put"], is_conditional=True)
    def documents(self, request: Request, **kwargs: Any) -> Response:
        """Write parts of the use case's governance; each keeps its author and time. If-Match says on which state."""
        use_case = self.get_object()
        read_mark = agreed_mark(self.request, "use case's documents", use_cases.documents_mark(use_case))
        values = self.read(DocumentsInput)
        use_cases.write_documents(
            actor=self.actor,
            use_case_id=use_case.pk,
            texts={kind: values[kind.value] for kind in DocumentKind if values.get(kind.value)},
            read_mark=read_mark,
        )
        return self.show(use_case)
