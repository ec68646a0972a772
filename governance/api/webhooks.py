"""Webhooks: who is told of events, what was sent to each, and sent again."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.filters import Filters, one_of
from portal.core.serializers import Input, NoInput, Output, text, word
from portal.core.viewsets import ROW_ID, Listed, Revised
from portal.core.vocabulary import DeliveryState, WebhookEnd, WebhookState
from registry.api.serializers import PersonField, ProjectField

from ..models import Webhook, WebhookDelivery
from ..policies.webhook_events import CATALOGUE, TEST
from ..selectors import webhooks as selectors
from ..services import webhooks
from .channels import GraceInput

_DELIVERY_ID = OpenApiParameter("delivery", OpenApiTypes.INT, OpenApiParameter.PATH, description="Such as `1`.")
_EVENTS = "Names of the catalogue, families such as `approval.*`, or `*` for every event."


class WebhookEventOutput(Output):
    """One event of the catalogue: when it comes, and the fields of `data` that only some events have."""

    type = serializers.CharField(source="name")
    family = serializers.CharField()
    when = serializers.CharField()
    fields_of_data = serializers.ListField(child=serializers.CharField(), source="fields")


class CatalogueOutput(Output):
    """Every event there is."""

    events = WebhookEventOutput(many=True)


class WebhookOutput(Output):
    """One webhook and how it stands; its secret is shown once, when it is made or rotated.

    `failures` counts attempts in a row that failed; until `quiet_until` its receiver is left alone. `waiting` and
    `given_up` count deliveries, `last_taken_at` is when one was taken last.
    """

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField(), help_text=_EVENTS)
    project = ProjectField(allow_null=True, help_text="Null: told of every project, and of what belongs to none.")
    state = word(WebhookState)
    ended_by = serializers.ChoiceField(choices=WebhookEnd.choices(), allow_blank=True)
    disabled_at = serializers.DateTimeField(allow_null=True)
    disabled_reason = serializers.CharField()
    failures = serializers.IntegerField()
    failing_since = serializers.DateTimeField(allow_null=True)
    quiet_until = serializers.DateTimeField(allow_null=True)
    waiting = serializers.IntegerField()
    given_up = serializers.IntegerField()
    last_taken_at = serializers.DateTimeField(source="taken_at", allow_null=True)
    former_secret_until = serializers.DateTimeField(allow_null=True)
    created_by = PersonField()
    created_at = serializers.DateTimeField()
    revision = serializers.IntegerField()


class WebhookMade(WebhookOutput):
    """A webhook with its new secret, shown this once."""

    secret = serializers.SerializerMethodField()

    def get_secret(self, webhook: Webhook) -> str:
        return str(self.context["secret"])


class WebhookEdit(Input):
    """What may be changed on a webhook; what is left out stays."""

    name = serializers.CharField(required=False, max_length=webhooks.LONGEST_NAME)
    url = serializers.CharField(required=False, max_length=2048)
    events = serializers.ListField(
        child=serializers.CharField(max_length=60),
        required=False,
        allow_empty=False,
        max_length=webhooks.MOST_EVENTS,
        help_text=_EVENTS,
    )


class WebhookInput(WebhookEdit):
    """A new webhook."""

    name = serializers.CharField(max_length=webhooks.LONGEST_NAME)
    url = serializers.CharField(max_length=2048)
    project = ProjectField(
        required=False, allow_null=True, default=None, help_text="Left out: every project; for ML admins of everything."
    )


class DisableInput(Input):
    """Why it is disabled."""

    reason = text(max_length=2000)


class AttemptOutput(Output):
    """One attempt: `status` is null without an answer, `ended_at` when its worker is at it or was lost."""

    number = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    duration_ms = serializers.IntegerField(allow_null=True)
    status = serializers.IntegerField(source="http_status", allow_null=True)
    answer = serializers.CharField()
    error = serializers.CharField()


class DeliveryRow(Output):
    """One event on its way to a webhook, under the id its receiver knows it by."""

    id = serializers.IntegerField(source="pk")
    message_id = serializers.CharField()
    sequence = serializers.IntegerField(allow_null=True)
    type = serializers.CharField()
    subject = serializers.CharField(source="subject_name")
    state = word(DeliveryState)
    attempts = serializers.IntegerField()
    next_attempt_at = serializers.DateTimeField()
    last_status = serializers.IntegerField(allow_null=True)
    last_error = serializers.CharField()
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class DeliveryOutput(DeliveryRow):
    """One delivery with the body that is sent, the same bytes at every attempt, and what came of each."""

    payload = serializers.SerializerMethodField()
    body = serializers.CharField(help_text="The very text that is signed.")
    tries = AttemptOutput(many=True)

    @extend_schema_field(serializers.DictField())
    def get_payload(self, delivery: WebhookDelivery) -> Any:
        return json.loads(delivery.body)


class WebhookFilters(Filters):
    """Filters of the list."""

    state = one_of(WebhookState, "state")


class DeliveryFilters(Filters):
    """Filters of the list."""

    state = one_of(DeliveryState, "state")
    type = django_filters.MultipleChoiceFilter(
        field_name="type",
        choices=[*((each.name, each.when) for each in CATALOGUE), (TEST, "A test.")],
        distinct=False,
        help_text="One or more events.",
    )


class Webhooks(Listed, Revised):
    """Webhooks: signed events out."""

    noun = "webhook"
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    # Who may see none anywhere is refused the list.
    problem_statuses = (403,)
    serializer_class = WebhookOutput
    filterset_class = WebhookFilters
    search_fields = ("name", "url")
    ordering_fields = {"id": "pk", "name": "name", "created_at": "created_at"}
    ordering = ("id",)

    def get_queryset(self) -> QuerySet[Webhook]:
        return selectors.webhook_list(self.actor) if self.is_list else selectors.webhooks(self.actor)

    @extend_schema(request=WebhookInput, responses={201: WebhookMade})
    def create(self, request: Request, **kwargs: Any) -> Response:
        """Have an address told of events from now on. The secret is shown in this answer and never again."""
        values = self.read(WebhookInput)
        project = values.pop("project")
        made = webhooks.create(actor=self.actor, project_id=project.pk if project else None, **values)
        return self._made(made, 201)

    @extend_schema(request=WebhookEdit, responses={200: WebhookOutput})
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """Change name, URL or events. What waits goes to the new URL."""
        webhook = self.get_object()
        values = self.read(WebhookEdit, partial=True)
        revision = self.agreed_revision(webhook)
        return self.show(webhooks.edit(actor=self.actor, webhook_id=webhook.pk, revision=revision, **values))

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, **kwargs: Any) -> Response:
        """Take a webhook away, with what waits for it and the list of what was sent."""
        webhook = self.get_object()
        webhooks.remove(actor=self.actor, webhook_id=webhook.pk, revision=self.agreed_revision(webhook))
        return Response(status=204)

    @extend_schema(request=NoInput, responses={200: WebhookOutput})
    @action(detail=True, methods=["post"])
    def enable(self, request: Request, **kwargs: Any) -> Response:
        """Have events written down and sent again, what waits first."""
        webhook = self.get_object()
        self.read(NoInput)
        return self.show(webhooks.enable(actor=self.actor, webhook_id=webhook.pk))

    @extend_schema(request=DisableInput, responses={200: WebhookOutput})
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, **kwargs: Any) -> Response:
        """Stop: no event is written down for it, and what waits is kept."""
        webhook = self.get_object()
        return self.show(webhooks.disable(actor=self.actor, webhook_id=webhook.pk, **self.read(DisableInput)))

    @extend_schema(request=GraceInput, responses={200: WebhookMade})
    @action(detail=True, methods=["post"], url_path="rotate-secret", url_name="rotate-secret")
    def rotate_secret(self, request: Request, **kwargs: Any) -> Response:
        """Sign with a new secret from now on; for the grace the former one signs beside it."""
        webhook = self.get_object()
        grace = timedelta(hours=self.read(GraceInput)["grace_hours"])
        return self._made(webhooks.rotate_secret(actor=self.actor, webhook_id=webhook.pk, grace=grace), 200)

    @extend_schema(request=NoInput, responses={200: DeliveryOutput})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, **kwargs: Any) -> Response:
        """Send a `webhook.test` now and answer with what the receiver said: `state` is delivered or failed."""
        webhook = self.get_object()
        self.read(NoInput)
        sent = webhooks.try_out(actor=self.actor, webhook_id=webhook.pk)
        rows = selectors.with_attempts(selectors.deliveries(self.actor, webhook.pk))
        return Response(DeliveryOutput(rows.get(pk=sent.pk)).data)

    @extend_schema(responses={200: CatalogueOutput})
    @action(detail=False, methods=["get"])
    def events(self, request: Request, **kwargs: Any) -> Response:
        """Every event there is, by its name."""
        return Response(CatalogueOutput({"events": CATALOGUE}).data)

    def _made(self, made: webhooks.Made, code: int) -> Response:
        fresh = self.get_queryset().get(pk=made.webhook.pk)
        context = {**self.get_serializer_context(), "secret": made.secret}
        return Response(WebhookMade(fresh, context=context).data, status=code, headers=self.headers_of(fresh))


class WebhookDeliveries(Listed):
    """What is or was sent to one webhook, kept for thirty days."""

    noun = "delivery"
    lookup_field = "pk"
    lookup_url_kwarg = "delivery"
    lookup_value_regex = ROW_ID
    serializer_class = DeliveryOutput
    list_serializer_class = DeliveryRow
    filterset_class = DeliveryFilters
    ordering_fields = {"id": "pk", "created_at": "created_at"}

    def get_queryset(self) -> QuerySet[WebhookDelivery]:
        if getattr(self, "swagger_fake_view", False):
            return selectors.no_deliveries()
        rows = selectors.deliveries(self.actor, int(self.kwargs["id"]))
        return rows if self.is_list else selectors.with_attempts(rows)

    @extend_schema(parameters=[_DELIVERY_ID], responses={200: DeliveryOutput})
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return one delivery with its body and attempts."""
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=NoInput, responses={200: DeliveryOutput}, parameters=[_DELIVERY_ID])
    @action(detail=True, methods=["post"])
    def redeliver(self, request: Request, **kwargs: Any) -> Response:
        """Have it sent again now: the same bytes under the same id. One that waits gets its next attempt now."""
        delivery = self.get_object()
        self.read(NoInput)
        return self.show(webhooks.redeliver(actor=self.actor, webhook_id=delivery.webhook_id, delivery_id=delivery.pk))
