"""What one is told: one's own notifications, read and unread."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import BooleanFilter
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.filters import SEARCH, Filters, one_of
from portal.core.serializers import Input, NoInput, Output, word
from portal.core.viewsets import ROW_ID, Detailed, Listed
from portal.core.vocabulary import NotificationKind

from ..models import Notification
from ..selectors import notifications as selectors
from ..services import notifications


class NotificationOutput(Output):
    """One thing you were told; `gone`: you may no longer see what it was about, so its words are left out."""

    id = serializers.IntegerField(source="pk")
    kind = word(NotificationKind)
    title = serializers.SerializerMethodField()
    text = serializers.SerializerMethodField()
    path = serializers.SerializerMethodField(help_text="The page it leads to, below the portal's own address.")
    gone = serializers.SerializerMethodField()
    count = serializers.IntegerField(help_text="How many things of one kind it stands for.")
    is_quiet = serializers.BooleanField(help_text="It is listed, but did not ring the bell.")
    happened_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)
    settled_at = serializers.DateTimeField(allow_null=True, help_text="When what it asked for was done, or was over.")

    def get_gone(self, row: Notification) -> bool:
        # Asked once for all the rows of an answer, by kind of thing and not row by row.
        context: dict[str, Any] = self.context  # type: ignore[assignment]  # a dictionary, which the stubs do not say
        judged: dict[int, bool] = context.setdefault("gone", {})
        if row.pk not in judged:
            page = getattr(self.parent, "instance", None)
            rows = page if isinstance(page, list) and row in page else [row]
            gone = selectors.concealed(self.context["actor"], rows)
            judged.update({one.pk: one.pk in gone for one in rows})
        return judged[row.pk]

    def get_title(self, row: Notification) -> str:
        return selectors.CONCEALED if self.get_gone(row) else row.title

    def get_text(self, row: Notification) -> str:
        return "" if self.get_gone(row) else row.text

    def get_path(self, row: Notification) -> str:
        return "" if self.get_gone(row) else row.path


class UpToInput(Input):
    """The newest notification that was shown, so that what came since is not taken for read."""

    newest = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1, max_value=2**63 - 1)


class ReadOutput(Output):
    """How many were read by it."""

    read = serializers.IntegerField()


class UnreadOutput(Output):
    """How many ring the bell."""

    unread = serializers.IntegerField(help_text=f"{selectors.MOST_COUNTED}: that many or more.")


class NotificationFilters(Filters):
    """Filters of the list."""

    kind = one_of(NotificationKind, "kind")
    unread = BooleanFilter(field_name="read_at", lookup_expr="isnull", help_text="Whether it was not read yet.")
    is_quiet = BooleanFilter(field_name="is_quiet", help_text="Whether it did not ring the bell.")


class Notifications(Listed, Detailed):
    """What you were told, newest first; nobody sees anybody else's."""

    noun = "notification"
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    serializer_class = NotificationOutput
    filterset_class = NotificationFilters
    search_fields = ("title", "text")
    ordering = ("-happened_at",)
    ordering_fields = {"id": "pk", "happened_at": "happened_at", "kind": "kind"}

    def get_queryset(self) -> QuerySet[Notification]:
        return selectors.notifications(self.actor)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found = super().filter_queryset(queryset)
        # What is concealed is not found by its words either.
        return selectors.still_seen(self.actor, found) if SEARCH in self.request.query_params else found

    @extend_schema(request=NoInput, responses={200: NotificationOutput})
    @action(detail=True, methods=["post"], url_path="read")
    def mark_read(self, request: Request, **kwargs: Any) -> Response:
        """Say that you have read it."""
        row = self.get_object()
        self.read(NoInput)
        return self.show(notifications.mark_read(actor=self.actor, notification_id=row.pk))

    @extend_schema(request=NoInput, responses={200: NotificationOutput})
    @action(detail=True, methods=["post"])
    def unread(self, request: Request, **kwargs: Any) -> Response:
        """Keep it as new."""
        row = self.get_object()
        self.read(NoInput)
        return self.show(notifications.mark_unread(actor=self.actor, notification_id=row.pk))

    @extend_schema(request=UpToInput, responses={200: ReadOutput})
    @action(detail=False, methods=["post"], url_path="read-all")
    def read_all(self, request: Request) -> Response:
        """Say that you have read everything, or everything up to one that was shown."""
        newest = self.read(UpToInput)["newest"]
        return Response(ReadOutput({"read": notifications.mark_all_read(actor=self.actor, up_to=newest)}).data)

    @extend_schema(responses=UnreadOutput)
    @action(detail=False, methods=["get"], url_path="unread-count", pagination_class=None, filter_backends=[])
    def unread_count(self, request: Request) -> Response:
        """Say how many ring your bell."""
        return Response(UnreadOutput({"unread": selectors.unread_count(self.actor)}).data)
