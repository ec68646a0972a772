"""Evidence: listed, attached as a file or as an object in S3, downloaded, withdrawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from portal.core.downloads import AnyFile, attachment
from portal.core.errors import InvalidInput, NotFound
from portal.core.filters import Filters, arn_filter, one_of, use_case_filter
from portal.core.serializers import LONGEST_TEXT, Input, NoInput, Output, public_number, text, word
from portal.core.uploads import too_large
from portal.core.viewsets import ByPublicId, Detailed, Listed
from registry.api.serializers import username
from registry.models import ModelVersion, UseCase
from registry.selectors import catalogue

from ..choices import EvidenceKind, EvidenceSource, SubjectKind
from ..models import Evidence
from ..selectors import evidence as evidence_of
from ..services import evidence, evidence_checks
from ..services.evidence_files import too_large as too_large_words
from .approvals import SubjectOutput


class EvidenceOutput(Output):
    """One edition of one piece of evidence, and what pins its content."""

    id = serializers.CharField(source="public_id")
    kind = word(EvidenceKind)
    title = serializers.CharField()
    note = serializers.CharField()
    subject = serializers.SerializerMethodField()
    series = serializers.UUIDField(help_text="The same for all editions of one piece of evidence.")
    edition = serializers.IntegerField()
    is_standing = serializers.BooleanField(help_text="Whether it counts: the latest edition, and not withdrawn.")
    origin = word(EvidenceSource, source="source")
    filename = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField(help_text="In bytes.")
    sha256 = serializers.CharField(help_text='Of a file; "" for an object in S3.')
    s3_uri = serializers.CharField()
    s3_version_id = serializers.CharField()
    s3_etag = serializers.CharField()
    fingerprint = serializers.CharField(help_text="What decisions are bound to: the SHA-256, or URI|version id|ETag.")
    content_url = serializers.SerializerMethodField()
    author = username("author")
    author_name = serializers.CharField()
    added_at = serializers.DateTimeField()
    superseded_at = serializers.DateTimeField(allow_null=True)
    withdrawn_at = serializers.DateTimeField(allow_null=True)
    withdrawn_by = serializers.CharField(source="withdrawn_by_name")
    withdrawal_reason = serializers.CharField()

    @extend_schema_field(SubjectOutput)
    def get_subject(self, row: Evidence) -> dict[str, Any]:
        subject, http = row.subject, self.context["request"]
        if isinstance(subject, UseCase):
            return {
                "kind": SubjectKind.USE_CASE.value,
                "id": subject.public_id,
                "name": subject.name,
                "model_package_arn": None,
                "url": reverse("use-case-detail", kwargs={"id": subject.public_id}, request=http),
            }
        return {
            "kind": SubjectKind.MODEL_VERSION.value,
            "id": str(subject.pk),
            "name": subject.name,
            "model_package_arn": subject.arn,
            "url": reverse("model-version-detail", kwargs={"id": subject.pk}, request=http),
        }

    @extend_schema_field(serializers.URLField(allow_null=True, help_text="Where the file is; null for one in S3."))
    def get_content_url(self, row: Evidence) -> str | None:
        if row.source != EvidenceSource.UPLOAD:
            return None
        address: str = reverse("evidence-content", kwargs={"id": row.public_id}, request=self.context["request"])
        return address


@extend_schema_field(OpenApiTypes.BINARY)
class UploadField(serializers.FileField):
    """A file of a form; what it may be is the service's business."""


class EvidenceInput(Input):
    """A file (multipart) or an object in S3, about one use case or one model version."""

    kind = word(EvidenceKind)
    use_case = text(max_length=30, help_text="Such as UC-0001; give this or model_version.")
    model_version = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=10**18, help_text="Its number."
    )
    title = text(max_length=evidence.LONGEST_TITLE, help_text="The file's name unless given.")
    note = text()
    supersedes = text(max_length=30, help_text="The evidence this is the next edition of, such as EV-000001.")
    file = UploadField(
        required=False, allow_null=True, default=None, allow_empty_file=True, help_text="In a form; or s3_uri."
    )
    s3_uri = text(max_length=evidence.LONGEST_URI, help_text="Such as s3://bucket/key; its bytes stay there.")
    s3_version_id = text(max_length=1024, help_text="The version meant; the newest unless given.")
    s3_etag = text(max_length=130, help_text="The ETag it must have; what S3 says unless given.")

    def to_internal_value(self, data: Any) -> Any:
        if hasattr(data, "lists"):
            twice = {name: ["Give this once."] for name, values in data.lists() if len(values) > 1}
            if twice:
                raise serializers.ValidationError(twice)
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs["use_case"]) == (attrs["model_version"] is not None):
            raise serializers.ValidationError({"use_case": ["Give one of use_case and model_version."]})
        if bool(attrs["s3_uri"]) == (attrs["file"] is not None):
            raise serializers.ValidationError({"file": ["Give one of file and s3_uri."]})
        if not attrs["s3_uri"] and (attrs["s3_version_id"] or attrs["s3_etag"]):
            raise serializers.ValidationError({"s3_uri": ["A version or an ETag belongs to an object in S3."]})
        return attrs


class WithdrawalInput(Input):
    """Why it counts no more."""

    reason = serializers.CharField(max_length=LONGEST_TEXT)


class EvidenceFilters(Filters):
    """Filters of the list."""

    kind = one_of(EvidenceKind, "kind")
    subject = django_filters.ChoiceFilter(
        choices=SubjectKind.choices(), method="about", help_text="Use cases' evidence, or that of model versions."
    )
    use_case = use_case_filter("use_case__number")
    model_version = django_filters.NumberFilter(
        field_name="version", help_text="The number of a model version.", min_value=1, max_value=10**18
    )
    model_package_arn = arn_filter("version__arn")
    origin = one_of(EvidenceSource, "source")
    is_standing = django_filters.BooleanFilter(method="standing", help_text="Whether it counts.")

    def about(self, rows: QuerySet[Evidence], name: str, value: str) -> QuerySet[Evidence]:
        return rows.filter(version=None) if value == SubjectKind.USE_CASE else rows.filter(use_case=None)

    def standing(self, rows: QuerySet[Evidence], name: str, value: bool) -> QuerySet[Evidence]:
        return evidence_of.that_count(rows, counts=value)


class EvidenceList(ByPublicId, Listed, Detailed):
    """Evidence."""

    noun = "evidence"
    lookup_field = "pk"
    public_id_prefix = "EV"
    id_example = "EV-000001"
    serializer_class = EvidenceOutput
    filterset_class = EvidenceFilters
    parser_classes = (*ByPublicId.parser_classes, MultiPartParser)
    # What is attached may be about nothing one sees; and the store of files, or S3, may not answer.
    problem_statuses = (404, 503)
    search_fields = ("title", "filename", "s3_uri", "use_case__name", "version__group__name")
    ordering_fields = {"id": "pk", "kind": "kind", "title": "title", "size": "size", "added_at": "added_at"}

    def get_queryset(self) -> QuerySet[Evidence]:
        return evidence_of.evidence(self.actor)

    @extend_schema(request=EvidenceInput, responses={201: EvidenceOutput})
    def create(self, request: Request, **kwargs: Any) -> Response:
        """Attach a file, or pin an object in S3 of a registered account by its version id and ETag.

        A request that waits for a decision on the subject becomes outdated by it.
        """
        values = self._sent(request)
        subject = self._subject(values)
        given = {
            "actor": self.actor,
            "subject_type": type(subject),
            "subject_id": subject.pk,
            "kind": EvidenceKind(values["kind"]),
            "title": values["title"],
            "note": values["note"],
            "supersedes": self._earlier(values["supersedes"]),
        }
        if values["file"] is not None:
            return self.show(evidence.attach_upload(**given, file=values["file"]), 201)
        made = evidence.attach_s3(
            **given, uri=values["s3_uri"], version_id=values["s3_version_id"], etag=values["s3_etag"]
        )
        return self.show(made, 201)

    @extend_schema(responses={(200, "*/*"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"], renderer_classes=(AnyFile,), problem_statuses=(404, 409, 503))
    def content(self, request: Request, **kwargs: Any) -> FileResponse:
        """Download the file, once its stored bytes have been compared with its SHA-256."""
        row, file = evidence_checks.open_for_download(actor=self.actor, evidence_id=self.get_object().pk)
        return attachment(file, filename=row.filename, content_type=row.content_type, size=row.size)

    @extend_schema(request=NoInput, responses={200: EvidenceOutput})
    @action(detail=True, methods=["post"], parser_classes=ByPublicId.parser_classes)
    def check(self, request: Request, **kwargs: Any) -> Response:
        """Look again at what is stored; 409 says that it is not what was attached."""
        row = self.get_object()
        self.read(NoInput)
        return self.show(evidence_checks.check_one(actor=self.actor, evidence_id=row.pk))

    @extend_schema(request=WithdrawalInput)
    @action(detail=True, methods=["post"], parser_classes=ByPublicId.parser_classes)
    def withdraw(self, request: Request, **kwargs: Any) -> Response:
        """Say that it counts no more, and why; it stays readable."""
        row = self.get_object()
        values = self.read(WithdrawalInput)
        return self.show(evidence.withdraw(actor=self.actor, evidence_id=row.pk, reason=values["reason"]))

    def _sent(self, request: Request) -> dict[str, Any]:
        body = request.data
        if too_large(request.META) and isinstance(body, Mapping) and "file" not in body:
            words = too_large_words(evidence.largest_file())
            raise InvalidInput("The file is too large; nothing was kept.", errors={"file": [words]})
        return self.read(EvidenceInput)

    def _subject(self, values: dict[str, Any]) -> UseCase | ModelVersion:
        if values["model_version"] is not None:
            return catalogue.version(self.actor, values["model_version"])
        number = public_number(values["use_case"], "UC", 4)
        if number is None:
            raise NotFound("There is no such use case.")
        return catalogue.use_case(self.actor, number)

    def _earlier(self, given: str) -> int | None:
        number = public_number(given, "EV", 6)
        if given and number is None:
            raise NotFound("There is no such evidence to follow.")
        return number
