"""Model cards of their own as people write them: created, edited, reviewed, approved, exported; what became of it."""

from __future__ import annotations

import io
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from portal.core.downloads import AnyFile, attachment
from portal.core.filters import Filters, account_filter, exactly, one_of, since, until
from portal.core.serializers import Input, Output, text, word
from portal.core.viewsets import ROW_ID, Detailed, Listed, Revised
from registry.api import model_cards as registry_cards
from registry.api.serializers import username
from registry.choices import AskedState, CardStatus
from registry.models import ModelCardEdit
from registry.selectors import card_sheet, model_cards

from ..services import card_edits, card_exports
from ..services.card_pdf import pdf_of
from .registrations import GroupField, ObjectField

_LARGEST = 2_147_483_647
_CONTENT = "The whole content, as SageMaker's schema of model cards has it; what is left out is gone from the card."


class CardCreateInput(Input):
    """A new card about a model group, in the group's account and region; it begins as a draft."""

    group = GroupField()
    name = serializers.CharField(max_length=63, help_text="Letters, digits and single hyphens between them.")
    content = ObjectField(help_text=_CONTENT)
    reason = text(max_length=2000)


class CardContentInput(Input):
    """Another content: the card's next version, a draft whatever the card was."""

    content = ObjectField(help_text=_CONTENT)
    reason = text(max_length=2000)


class _Status(Input):
    """Where a card is to go."""

    status = word(CardStatus)
    reason = text(max_length=2000)


class CardExportInput(Input):
    """Which version SageMaker is to write as PDF."""

    version = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=_LARGEST,
        help_text="Left out: the latest.",
    )
    reason = text(max_length=2000)


class CardEditOutput(Output):
    """One thing somebody asked to be written to a card, and whether SageMaker has it."""

    id = serializers.IntegerField(source="pk")
    card = serializers.IntegerField(source="card_id", allow_null=True, help_text="null: it makes the card.")
    name = serializers.CharField()
    account = serializers.CharField(source="account.account_id")
    region = serializers.CharField()
    model_group = serializers.IntegerField(source="group_id", allow_null=True)
    status = word(CardStatus, help_text="What the card becomes.")
    changes_content = serializers.SerializerMethodField(help_text="Whether it writes a content, or a status alone.")
    expected_version = serializers.IntegerField(
        source="expected_number", help_text="What it was asked on; a card that is another by then is not written to."
    )
    state = word(AskedState)
    error = serializers.CharField()
    reason = serializers.CharField()
    requested_by = username("requested_by")
    requested_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)

    def get_changes_content(self, row: ModelCardEdit) -> bool:
        return row.content is not None


class CardEditDetail(CardEditOutput):
    """One thing somebody asked for, with the content he sent: nothing is lost where AWS refused it."""

    content = serializers.JSONField(allow_null=True, help_text="null: a status alone.")


class CardExportOutput(Output):
    """One PDF that SageMaker was told to write."""

    id = serializers.IntegerField(source="pk")
    card = serializers.IntegerField(source="card_id")
    version = serializers.IntegerField(source="number")
    state = word(AskedState)
    error = serializers.CharField()
    job_arn = serializers.CharField()
    url = serializers.CharField(help_text='Where S3 has it; "" until it is done.')
    requested_by = username("requested_by")
    requested_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class CardDifference(Output):
    """One field that two versions say differently; null where a version does not say it."""

    field = serializers.CharField()
    before = serializers.CharField(allow_null=True)
    after = serializers.CharField(allow_null=True)


class CardDifferences(Output):
    """What two versions of a card say differently."""

    before = serializers.IntegerField(help_text="The earlier version.")
    after = serializers.IntegerField()
    differences = CardDifference(many=True)


def _number(name: str, what: str) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.INT, description=what)


class ModelCards(Revised, registry_cards.ModelCards):
    """Model cards of their own."""

    conditional_actions = frozenset({"partial_update", "move"})

    @extend_schema(request=CardCreateInput, responses={202: CardEditDetail})
    def create(self, request: Request, **kwargs: Any) -> Response:
        """Have a card made in SageMaker; the address in Location tells whether it is there."""
        given = self.read(CardCreateInput)
        asked = card_edits.create(
            actor=self.actor,
            group_id=given["group"].pk,
            name=given["name"],
            content=given["content"],
            reason=given["reason"],
        )
        return self._asked(asked)

    @extend_schema(request=CardContentInput, responses={202: CardEditDetail})
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """Have another content written: the card's next version, as a draft; If-Match says on which state."""
        card = self.get_object()
        revision = self.agreed_revision(card)
        given = self.read(CardContentInput)
        asked = card_edits.edit(
            actor=self.actor, card_id=card.pk, revision=revision, content=given["content"], reason=given["reason"]
        )
        return self._asked(asked)

    @extend_schema(request=_Status, responses={202: CardEditDetail})
    @action(detail=True, methods=["post"], url_path="status")
    def move(self, request: Request, **kwargs: Any) -> Response:
        """Send a card for review, back to draft, approve or archive it; If-Match says on which state."""
        card = self.get_object()
        revision = self.agreed_revision(card)
        given = self.read(_Status)
        asked = card_edits.move(
            actor=self.actor,
            card_id=card.pk,
            revision=revision,
            status=CardStatus(given["status"]),
            reason=given["reason"],
        )
        return self._asked(asked)

    @extend_schema(
        responses=CardDifferences,
        parameters=[
            _number("from", "A version; left out: the one before."),
            _number("to", "A version; left out: the latest."),
        ],
    )
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[], query_parameters=("from", "to"))
    def difference(self, request: Request, **kwargs: Any) -> Response:
        """Compare two versions of a card, field by field."""
        card = self.get_object()
        before, after = model_cards.two_versions(
            card, request.query_params.get("from", ""), request.query_params.get("to", "")
        )
        rows = card_sheet.differences(before.content, after.content)
        answer = {"before": before.number, "after": after.number, "differences": rows}
        return Response(CardDifferences(answer).data)

    @extend_schema(
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
        parameters=[_number("version", "Left out: the latest.")],
    )
    @action(
        detail=True, methods=["get"], renderer_classes=(AnyFile,), filter_backends=[], query_parameters=("version",)
    )
    def pdf(self, request: Request, **kwargs: Any) -> FileResponse:
        """Download one version as the portal's own PDF."""
        card = self.get_object()
        number = model_cards.number_of(request.query_params.get("version", ""), "version")
        shown = model_cards.card_version(card, number)
        content = pdf_of(card, shown)
        name = f"model-card-{card.name}-{shown.number}.pdf"
        return attachment(io.BytesIO(content), filename=name, content_type="application/pdf", size=len(content))

    @extend_schema(methods=["get"], responses=CardExportOutput(many=True))
    @extend_schema(methods=["post"], request=CardExportInput, responses={202: CardExportOutput})
    @action(detail=True, methods=["get", "post"], pagination_class=None, filter_backends=[])
    def exports(self, request: Request, **kwargs: Any) -> Response:
        """List the PDFs that SageMaker was told to write, newest first; or have it write one into S3."""
        card = self.get_object()
        if request.method == "GET":
            return Response(CardExportOutput(model_cards.exports(card)[:100], many=True).data)
        given = self.read(CardExportInput)
        asked = card_exports.order(actor=self.actor, card_id=card.pk, number=given["version"], reason=given["reason"])
        return Response(CardExportOutput(model_cards.export(card, asked.pk)).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @action(
        detail=True,
        methods=["get"],
        url_path="exports/(?P<export>[0-9]{1,18})/file",
        url_name="export-file",
        renderer_classes=(AnyFile,),
        filter_backends=[],
        problem_statuses=(404, 409, 503),
    )
    def export_file(self, request: Request, export: str, **kwargs: Any) -> FileResponse:
        """Download the PDF that SageMaker wrote, from S3."""
        card = self.get_object()
        row, file, size = card_exports.fetch(actor=self.actor, card_id=card.pk, export_id=int(export))
        name = f"sagemaker-model-card-{card.name}-{row.number}.pdf"
        return attachment(file, filename=name, content_type="application/pdf", size=size)

    def _asked(self, asked: ModelCardEdit) -> Response:
        row = model_cards.edits(self.actor).get(pk=asked.pk)
        address = reverse("model-card-edit-detail", kwargs={"id": row.pk}, request=self.request)
        return Response(CardEditDetail(row).data, status=status.HTTP_202_ACCEPTED, headers={"Location": address})


class CardEditFilters(Filters):
    """Filters of the list."""

    state = one_of(AskedState, "state")
    account = account_filter("account__account_id")
    name = exactly("name", "The name of a card.")
    requested_by = exactly("requested_by__username", "A sign-in name.")
    since = since("requested_at")
    until = until("requested_at")


class ModelCardEdits(Listed, Detailed):
    """What people asked to be written to model cards, and what became of it."""

    noun = "edit of a model card"
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    serializer_class = CardEditDetail
    list_serializer_class = CardEditOutput
    filterset_class = CardEditFilters
    search_fields = ("name", "error")
    ordering_fields = {"id": "pk", "name": "name", "state": "state", "requested_at": "requested_at"}

    def get_queryset(self) -> QuerySet[ModelCardEdit]:
        return model_cards.edits(self.actor).order_by()
