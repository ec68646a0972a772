"""By what ways one is told of what: switches for each kind, the daily digest, and the chat messages go to."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.serializers import Input, NoInput, Output, word
from portal.core.viewsets import Revised
from portal.core.vocabulary import ChatKind, NotificationChannel, NotificationKind

from ..models import NotificationSettings
from ..selectors import notifications as selectors
from ..selectors.told_choices import WAYS
from ..services import notification_settings


class WaysOutput(Output):
    """By what ways you are told of one kind; `digest` keeps e-mail and chat for the daily digest."""

    kind = word(NotificationKind)
    group = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    text = serializers.CharField()
    bell = serializers.BooleanField()
    email = serializers.BooleanField()
    chat = serializers.BooleanField()
    digest = serializers.BooleanField()


class FailureOutput(Output):
    """One message that did not arrive within the last week."""

    channel = word(NotificationChannel)
    ended_at = serializers.DateTimeField()
    problem = serializers.CharField(source="last_error")
    notification = serializers.IntegerField(source="notification_id", allow_null=True)


class NotificationSettingsOutput(Output):
    """What you are told of and how; the chat's address is never shown."""

    is_digest_on = serializers.BooleanField()
    digest_hour = serializers.IntegerField(help_text="0 to 23, in your time zone.")
    time_zone = serializers.CharField()
    chat_kind = serializers.CharField(help_text='`slack` or `teams`, "" without a chat.')
    chat_host = serializers.CharField()
    chat_problem = serializers.CharField(help_text="What the chat answered last, when it did not take a message.")
    choices = serializers.SerializerMethodField()
    failures = serializers.SerializerMethodField()
    revision = serializers.IntegerField()

    @extend_schema_field(WaysOutput(many=True))
    def get_choices(self, row: NotificationSettings) -> list[dict[str, Any]]:
        return [
            {
                "kind": choice.kind.kind.value,
                "group": group,
                "label": choice.kind.label,
                "text": choice.kind.text,
                **{way: getattr(choice.ways, way) for way in WAYS},
            }
            for group, choices in selectors.choices_of(row)
            for choice in choices
        ]

    @extend_schema_field(FailureOutput(many=True))
    def get_failures(self, row: NotificationSettings) -> Any:
        return FailureOutput(selectors.failures(self.context["actor"]), many=True).data


class WaysInput(Input):
    """By what ways one kind is to come; a way left out is as it usually is."""

    bell = serializers.BooleanField(required=False)
    email = serializers.BooleanField(required=False)
    chat = serializers.BooleanField(required=False)
    digest = serializers.BooleanField(required=False)


class NotificationSettingsEdit(Input):
    """What you want to be told of and how; what is left out stays."""

    is_digest_on = serializers.BooleanField(required=False)
    digest_hour = serializers.IntegerField(required=False, min_value=0, max_value=23)
    time_zone = serializers.CharField(required=False, max_length=64)
    choices = serializers.DictField(
        child=WaysInput(), required=False, help_text="By kind; a kind that is left out stays."
    )


class ChatInput(Input):
    """Which chat, and the address of its incoming webhook; it is stored encrypted and never shown again."""

    kind = word(ChatKind)
    url = serializers.CharField(max_length=2048)


class ChatTestOutput(Output):
    """Whether the chat took the message; `problem` is what it answered when it did not."""

    taken = serializers.BooleanField()
    problem = serializers.CharField()


class OwnNotificationSettings(Revised):
    """Your own settings; as they are for everybody until you change them."""

    noun = "settings"
    serializer_class = NotificationSettingsOutput
    conditional_actions = frozenset({"partial_update", "set_chat", "remove_chat"})

    def get_object(self) -> NotificationSettings:
        return selectors.settings_of(self.actor)

    def show_now(self) -> Response:
        """Answer with the settings as they are now."""
        return super().retrieve(self.request)

    @extend_schema(operation_id="notification_settings")
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show what you are told of and how, and which messages did not arrive."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(operation_id="notification_settings_edit", request=NotificationSettingsEdit)
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """Choose by what ways you are told of each kind, and when the daily digest comes."""
        row = self.get_object()
        revision = self.agreed_revision(row)
        values = self.read(NotificationSettingsEdit, partial=True)
        notification_settings.save(
            actor=self.actor,
            revision=revision,
            choices=values.get("choices", {}),
            is_digest_on=values.get("is_digest_on", row.is_digest_on),
            digest_hour=values.get("digest_hour", row.digest_hour),
            time_zone=values.get("time_zone", row.time_zone),
        )
        return self.show_now()

    @extend_schema(operation_id="notification_chat_set", request=ChatInput, responses=NotificationSettingsOutput)
    def set_chat(self, request: Request) -> Response:
        """Have yourself written to in Slack or Teams; nothing is sent yet."""
        revision = self.agreed_revision(self.get_object())
        values = self.read(ChatInput)
        notification_settings.set_chat(
            actor=self.actor, kind=ChatKind(values["kind"]), url=values["url"], revision=revision
        )
        return self.show_now()

    @extend_schema(operation_id="notification_chat_remove", request=None, responses=NotificationSettingsOutput)
    def remove_chat(self, request: Request) -> Response:
        """Be written to in the chat no more; its address is forgotten."""
        notification_settings.remove_chat(actor=self.actor, revision=self.agreed_revision(self.get_object()))
        return self.show_now()

    @extend_schema(operation_id="notification_chat_test", request=NoInput, responses=ChatTestOutput)
    def test_chat(self, request: Request) -> Response:
        """Send yourself a message by the chat now."""
        self.read(NoInput)
        problem = notification_settings.test_chat(actor=self.actor)
        return Response(ChatTestOutput({"taken": not problem, "problem": problem}).data)
