"""How orders for an account leave the portal, and the pipelines that wait for one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.filters import Filters, account_filter, arn_filter, one_of
from portal.core.serializers import Input, NoInput, Output, text, word
from portal.core.viewsets import ROW_ID, Listed, Revised

from ..choices import (
    MODEL_STAGE_CHOICES,
    CallbackOutcome,
    CallbackSource,
    ChannelKind,
    PipelineHome,
    Stage,
)
from ..models import DeploymentChannel, WaitingCallback
from ..selectors import channels as selectors
from ..services import callbacks, channels

_CHANNEL_ID = OpenApiParameter("channel", OpenApiTypes.INT, OpenApiParameter.PATH, description="Such as `1`.")


class ChannelOutput(Output):
    """The way orders for one account and stage take. A webhook's secret is shown once, when it is made."""

    id = serializers.IntegerField(source="pk")
    account = serializers.CharField(source="account.account_id")
    stage = serializers.ChoiceField(choices=MODEL_STAGE_CHOICES, allow_blank=True, help_text="Empty: every stage.")
    kind = word(ChannelKind)
    is_enabled = serializers.BooleanField()
    bus = serializers.CharField()
    runs_in = word(PipelineHome)
    pipeline = serializers.CharField()
    parameters = serializers.DictField(child=serializers.CharField())
    queue_url = serializers.CharField()
    step_name = serializers.CharField()
    url = serializers.CharField()
    has_secret = serializers.SerializerMethodField()
    former_secret_until = serializers.DateTimeField(allow_null=True)
    revision = serializers.IntegerField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    last_error = serializers.CharField()

    def get_has_secret(self, channel: DeploymentChannel) -> bool:
        return bool(channel.secret)


class ChannelMade(ChannelOutput):
    """A channel with its webhook's new secret, shown this once; "" when none was made."""

    secret = serializers.SerializerMethodField()

    def get_secret(self, channel: DeploymentChannel) -> str:
        return str(self.context["secret"])


class ChannelEdit(Input):
    """What may be set on a channel; what is left out stays, and what another kind has is refused."""

    kind = word(ChannelKind, required=False)
    is_enabled = serializers.BooleanField(required=False)
    bus = serializers.CharField(required=False, allow_blank=True, max_length=256)
    runs_in = word(PipelineHome, required=False)
    pipeline = serializers.CharField(required=False, allow_blank=True, max_length=2048)
    parameters = serializers.DictField(
        child=serializers.CharField(max_length=1025, trim_whitespace=False),
        required=False,
        help_text="By the name of the pipeline's parameter: a word of the order, such as `model_package_arn`, or a text"
        " behind `=`.",
    )
    queue_url = serializers.CharField(required=False, allow_blank=True, max_length=500)
    step_name = serializers.CharField(required=False, allow_blank=True, max_length=64)
    url = serializers.CharField(required=False, allow_blank=True, max_length=2048)


class ChannelInput(ChannelEdit):
    """A new channel."""

    stage = serializers.ChoiceField(
        choices=MODEL_STAGE_CHOICES,
        required=False,
        allow_blank=True,
        default="",
        help_text="Left out: for every stage without a channel of its own.",
    )
    kind = word(ChannelKind)


class GraceInput(Input):
    """How long the former secret signs beside the new one."""

    grace_hours = serializers.IntegerField(
        required=False, default=int(channels.GRACE.total_seconds() // 3600), min_value=0, max_value=168
    )


class TrialOutput(Output):
    """What came of trying a channel."""

    is_sound = serializers.BooleanField()
    said = serializers.CharField()


class Channels(Listed, Revised):
    """The channels of one account: how orders for it leave, per stage."""

    noun = "channel"
    lookup_field = "pk"
    lookup_url_kwarg = "channel"
    lookup_value_regex = ROW_ID
    id_example = "111111111111"
    serializer_class = ChannelOutput
    ordering_fields = {"id": "pk", "stage": "stage", "kind": "kind"}
    ordering = ("stage",)

    def get_queryset(self) -> QuerySet[DeploymentChannel]:
        if getattr(self, "swagger_fake_view", False):
            return selectors.channels(self.actor)
        return selectors.channels_of(self.actor, self.kwargs["id"])

    @extend_schema(request=ChannelInput, responses={201: ChannelMade})
    def create(self, request: Request, **kwargs: Any) -> Response:
        """Set how orders for this account leave. A webhook's secret is shown in this answer and never again."""
        self.get_queryset()
        values = self.read(ChannelInput)
        return self._made(channels.create(actor=self.actor, account_id=self.kwargs["id"], **values), 201)

    @extend_schema(parameters=[_CHANNEL_ID])
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return one channel."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(request=ChannelEdit, responses={200: ChannelMade}, parameters=[_CHANNEL_ID])
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """Change a channel; orders already given keep the way they were given."""
        channel = self.get_object()
        values = self.read(ChannelEdit, partial=True)
        revision = self.agreed_revision(channel)
        return self._made(channels.edit(actor=self.actor, channel_id=channel.pk, revision=revision, **values), 200)

    @extend_schema(request=None, responses={204: None}, parameters=[_CHANNEL_ID])
    def destroy(self, request: Request, **kwargs: Any) -> Response:
        """Take a channel away: later orders take the account's other channel, or the hub's event bus."""
        channel = self.get_object()
        channels.remove(actor=self.actor, channel_id=channel.pk, revision=self.agreed_revision(channel))
        return Response(status=204)

    @extend_schema(request=GraceInput, responses={200: ChannelMade}, parameters=[_CHANNEL_ID])
    @action(detail=True, methods=["post"], url_path="rotate-secret", url_name="rotate-secret")
    def rotate_secret(self, request: Request, **kwargs: Any) -> Response:
        """Sign with a new secret from now on; for the grace the former one signs beside it."""
        channel = self.get_object()
        grace = timedelta(hours=self.read(GraceInput)["grace_hours"])
        return self._made(channels.rotate_secret(actor=self.actor, channel_id=channel.pk, grace=grace), 200)

    @extend_schema(request=NoInput, responses={200: TrialOutput}, parameters=[_CHANNEL_ID])
    @action(detail=True, methods=["post"], url_path="try", url_name="try")
    def try_out(self, request: Request, **kwargs: Any) -> Response:
        """Send an order marked as a test, or look whether the pipeline could be started. Nothing is deployed."""
        channel = self.get_object()
        self.read(NoInput)
        return Response(TrialOutput(channels.try_out(actor=self.actor, channel_id=channel.pk)).data)

    def _made(self, made: channels.Made, code: int) -> Response:
        fresh = self.get_queryset().get(pk=made.channel.pk)
        context = {**self.get_serializer_context(), "secret": made.secret}
        return Response(ChannelMade(fresh, context=context).data, status=code, headers=self.headers_of(fresh))


class CallbackOutput(Output):
    """One pipeline step that waits, or waited, for the word whether a version may be deployed."""

    id = serializers.IntegerField(source="pk")
    model_version = serializers.IntegerField(source="version_id", allow_null=True)
    model_package_arn = serializers.CharField()
    stage = serializers.ChoiceField(choices=MODEL_STAGE_CHOICES)
    account = serializers.CharField(source="account.account_id")
    pipeline_execution_arn = serializers.CharField(source="execution_arn")
    step_name = serializers.CharField()
    source = word(CallbackSource)  # type: ignore[assignment]  # a field of that name
    outcome = word(CallbackOutcome)
    received_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField()


class CallbackInput(Input):
    """A callback step that waits, as SageMaker's message to its queue names it."""

    model_package_arn = serializers.CharField(max_length=2048)
    stage = serializers.ChoiceField(choices=MODEL_STAGE_CHOICES, help_text="For which it would deploy.")
    account = serializers.RegexField(r"^[0-9]{12}\Z", error_messages={"invalid": "An account id has twelve digits."})
    callback_token = serializers.CharField(max_length=64, write_only=True)
    pipeline_execution_arn = text(max_length=2048)


class CallbackFilters(Filters):
    """Filters of the list."""

    model_package_arn = arn_filter("model_package_arn")
    stage = one_of(MODEL_STAGE_CHOICES, "stage")
    outcome = one_of(CallbackOutcome, "outcome")
    account = account_filter("account__account_id")


class Callbacks(Listed):
    """Pipelines that wait at a callback step, newest first. Their tokens are never shown."""

    noun = "waiting step"
    problem_statuses = (404,)
    serializer_class = CallbackOutput
    filterset_class = CallbackFilters
    ordering_fields = {"id": "pk", "received_at": "received_at"}

    def get_queryset(self) -> QuerySet[WaitingCallback]:
        return selectors.callbacks(self.actor)

    @extend_schema(request=CallbackInput, responses={200: CallbackOutput, 201: CallbackOutput})
    def create(self, request: Request) -> Response:
        """Say that a pipeline waits. It is answered when the decision falls, at once when it has fallen already.

        The same token posted twice is one: 201 the first time, 200 afterwards.
        """
        values = self.read(CallbackInput)
        callback, is_new = callbacks.post(
            actor=self.actor,
            model_package_arn=values["model_package_arn"],
            stage=Stage(values["stage"]),
            account_id=values["account"],
            token=values["callback_token"],
            execution_arn=values["pipeline_execution_arn"],
        )
        return self.show(callback, 201 if is_new else 200)
