"""Saved views of lists: kept, shared, deleted, and chosen to open a list with."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django_filters import BooleanFilter
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.filters import Filters, exactly, one_of
from portal.core.list_pages import LONGEST_KEY, known_parameters, list_label
from portal.core.serializers import Input, NoInput, Output, text, word
from portal.core.viewsets import ROW_ID, Listed, Revised

from ..choices import ViewAudience
from ..models import SavedView
from ..models.saved_view import LONGEST_NAME, LONGEST_QUERY
from ..selectors import saved_views as selectors
from ..services import saved_views
from .serializers import ProjectField, username

_LIST = "The name of the list's page, such as `registry:use_case_list`."


class SavedViewOutput(Output):
    """One list as somebody wants to see it again; it shows whoever applies it what he may see."""

    id = serializers.IntegerField(source="pk")
    list = serializers.CharField(source="list_key", help_text=_LIST)
    list_name = serializers.SerializerMethodField(help_text="What the list is called; empty: it is no longer there.")
    name = serializers.CharField()
    query = serializers.CharField(help_text="What stands behind the question mark of the list's address.")
    audience = word(ViewAudience)
    project = serializers.CharField(source="project.key", allow_null=True)
    owner = username("owner")
    is_usual = serializers.BooleanField(help_text="Whether the list opens with it for you.")
    created_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()
    revision = serializers.IntegerField()

    def get_list_name(self, view: SavedView) -> str:
        return list_label(view.list_key)


class SavedViewInput(Input):
    """A list as it is to be kept."""

    list = serializers.CharField(max_length=LONGEST_KEY, help_text=_LIST)
    name = serializers.CharField(max_length=LONGEST_NAME)
    query = text(max_length=LONGEST_QUERY, help_text="Filters, sorting and columns, as the list's address has them.")


class SavedViewEdit(Input):
    """What a view is called and who else may apply it; what is left out stays."""

    name = serializers.CharField(max_length=LONGEST_NAME, required=False)
    audience = word(ViewAudience, required=False)
    project = ProjectField(required=False, allow_null=True, help_text="Whom it is offered to, for `project`.")


class ShownInput(Input):
    """What a view is to show from now on."""

    query = serializers.CharField(max_length=LONGEST_QUERY, allow_blank=True)


class UsualInput(Input):
    """The view a list is to open with for you; null: with everything."""

    list = serializers.CharField(max_length=LONGEST_KEY, help_text=_LIST)
    view = serializers.IntegerField(allow_null=True, min_value=1, max_value=2**63 - 1)


class UsualOutput(Output):
    """The view a list opens with for you; null: with everything."""

    list = serializers.CharField()
    view = SavedViewOutput(allow_null=True)


class SavedViewFilters(Filters):
    """Filters of the list."""

    list = exactly("list_key", _LIST)
    audience = one_of(ViewAudience, "audience")
    owner = exactly("owner__username", "A sign-in name.")
    is_usual = BooleanFilter(field_name="is_usual", help_text="Whether its list opens with it for you.")


class SavedViews(Listed, Revised):
    """Saved views: your own, and those others offer you."""

    noun = "saved view"
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    serializer_class = SavedViewOutput
    filterset_class = SavedViewFilters
    search_fields = ("name",)
    ordering = ("list", "name")
    ordering_fields = {"id": "pk", "list": "list_key", "name": "name", "changed_at": "changed_at"}
    conditional_actions = frozenset({"partial_update", "shown", "destroy"})

    def get_queryset(self) -> QuerySet[SavedView]:
        return selectors.views(self.actor)

    @property
    def _http(self) -> HttpRequest:
        return self.request._request  # noqa: SLF001 - Django's own request, which lists read

    @extend_schema(request=SavedViewInput, responses={201: SavedViewOutput})
    def create(self, request: Request) -> Response:
        """Keep a list as its address has it; the same once more answers with what is kept already."""
        values = self.read(SavedViewInput)
        view = saved_views.save(
            actor=self.actor,
            list_key=values["list"],
            name=values["name"],
            query=values["query"],
            known=known_parameters(values["list"], self._http),
        )
        return self.show(view, 201)

    @extend_schema(request=SavedViewEdit)
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """Rename your own view and say who else may apply it."""
        view = self.get_object()
        revision = self.agreed_revision(view)
        values = self.read(SavedViewEdit, partial=True)
        project = values.get("project", view.project)
        edited = saved_views.edit(
            actor=self.actor,
            view_id=view.pk,
            revision=revision,
            name=values.get("name", view.name),
            audience=ViewAudience(values.get("audience", view.audience)),
            project_id=project.pk if project else None,
        )
        return self.show(edited)

    @extend_schema(request=ShownInput)
    @action(detail=True, methods=["put"])
    def shown(self, request: Request, **kwargs: Any) -> Response:
        """Have your own view show something else from now on."""
        view = self.get_object()
        revision = self.agreed_revision(view)
        values = self.read(ShownInput)
        updated = saved_views.update(
            actor=self.actor,
            view_id=view.pk,
            revision=revision,
            query=values["query"],
            known=known_parameters(view.list_key, self._http),
        )
        return self.show(updated)

    @extend_schema(request=NoInput, responses={204: None})
    def destroy(self, request: Request, **kwargs: Any) -> Response:
        """Delete your own view, also for those it was shared with."""
        view = self.get_object()
        saved_views.delete(actor=self.actor, view_id=view.pk, revision=self.agreed_revision(view))
        return Response(status=204)

    @extend_schema(request=UsualInput, responses=UsualOutput)
    @action(detail=False, methods=["put"], problem_statuses=(404,))
    def usual(self, request: Request) -> Response:
        """Choose the view a list opens with for you."""
        values = self.read(UsualInput)
        known_parameters(values["list"], self._http)
        view = saved_views.open_with(actor=self.actor, list_key=values["list"], view_id=values["view"])
        found = None if view is None else self.get_queryset().get(pk=view.pk)
        return Response(UsualOutput({"list": values["list"], "view": found}).data)
