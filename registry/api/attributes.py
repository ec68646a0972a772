"""Custom attributes: their definitions, and the values that use cases, model groups and stage records carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.functional import cached_property
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.errors import InvalidInput
from portal.core.filters import Filters, exactly, one_of
from portal.core.serializers import Input, NoInput, Output, text, word
from portal.core.sparse import FIELDS
from portal.core.viewsets import ROW_ID, Listed, Resource, Revised

from ..choices import AttributeType, ObjectKind
from ..models import CustomAttribute
from ..selectors import attribute_filters
from ..selectors import attributes as selectors
from ..selectors.exports import with_attributes
from ..services import custom_attributes
from ..services.custom_attributes import MOST_CHOICES, AttributeDefinition

# `attributes=all` shows what archived attributes hold, too.
SHOWN, ACTIVE, ALL = "attributes", "active", "all"
_CHUNK = 500


@extend_schema_field({"type": "object", "additionalProperties": {"type": ["string", "number", "null"]}})
class AttributesInput(serializers.Field):
    """Values of custom attributes by key: null takes one away, a key left out stays as it is."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            help_text="Values of custom attributes by key: text, a number, YYYY-MM-DD, a choice or a sign-in name;"
            " null takes a value away, a key left out stays.",
        )

    def to_internal_value(self, data: Any) -> Any:
        """Hand on what was sent: the service says what fits, key by key."""
        return data

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "object", "additionalProperties": {"type": ["string", "number"]}})
class AttributesOutput(serializers.Field):
    """What an object holds in custom attributes by key, people by sign-in name; what is not set is not there."""

    def __init__(self, kind: ObjectKind, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)
        self.kind = kind

    def to_representation(self, value: Any) -> dict[str, Any]:
        sheet = getattr(self.context.get("view"), "sheet", None) or selectors.sheet(self.kind)
        return sheet.values(value)


class WithAttributes(Resource):
    """A resource whose rows carry custom attributes of one kind: shown, and filtered by `attr.<key>`."""

    attribute_kind: ClassVar[ObjectKind]
    query_parameters = (SHOWN,)
    described_parameters = (
        OpenApiParameter(
            SHOWN,
            OpenApiTypes.STR,
            enum=[ACTIVE, ALL],
            description="Which custom attributes are shown: the active ones, or archived ones as well. Lists are also"
            " filtered by them: `attr.<key>`, and for numbers and dates `attr.<key>.min` and `attr.<key>.max`.",
        ),
    )

    @cached_property
    def sheet(self) -> selectors.Sheet:
        """The attributes of this kind, read once per request."""
        return selectors.sheet(self.attribute_kind, archived=self.request.query_params.get(SHOWN) == ALL)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.query_params.get(SHOWN, ACTIVE) not in {ACTIVE, ALL}:
            raise InvalidInput(
                "Some query parameters cannot be used; nothing was done.",
                errors={SHOWN: [f"Give {ACTIVE} or {ALL}."]},
            )

    def further_filters(self) -> set[str]:
        if not any(name.startswith(attribute_filters.PREFIX) for name in self.request.query_params):
            return set()
        return attribute_filters.names(self.attribute_kind)


class Exported(WithAttributes, Listed):
    """The same, whose file has columns of its own: those of the page's file, and `attr.<key>` per attribute shown."""

    export_columns: ClassVar[tuple[str, ...]]

    def export_row(self, row: Any) -> dict[str, Any]:
        """Return a row by `export_columns`."""
        raise NotImplementedError

    def cells(self, rows: QuerySet[Any], row: Any) -> tuple[Sequence[str], Iterator[Mapping[str, Any]]]:
        """Return the file's own columns and rows; with `fields=` those it names, out of everything a row shows."""
        sheet = self.sheet
        if self.action == "list" and FIELDS not in self.request.query_params:
            found = rows.iterator(chunk_size=_CHUNK)
            return (*self.export_columns, *sheet.columns), with_attributes(found, self.export_row, sheet)
        columns, written = super().cells(rows, row)
        if self.action != "list" or SHOWN not in columns:
            return columns, written
        spread = [name for column in columns for name in (sheet.columns if column == SHOWN else (column,))]
        return spread, (_spread(one, sheet) for one in written)


def _spread(row: Mapping[str, Any], sheet: selectors.Sheet) -> dict[str, Any]:
    held = {f"{attribute_filters.PREFIX}{key}": value for key, value in row[SHOWN].items()}
    return {**row, **dict.fromkeys(sheet.columns), **held}


def exports(output: Any) -> Any:
    """Return the description of a list that is also a file."""
    return extend_schema(
        responses={(200, "application/json"): output(many=True), (200, "text/csv"): OpenApiTypes.STR},
    )


class AttributeFilters(Filters):
    """A list's filters and, where the address has one, those over its custom attributes."""

    attribute_kind: ClassVar[ObjectKind]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if any(str(name).startswith(attribute_filters.PREFIX) for name in self.data):
            for name, item in attribute_filters.attribute_filters(self.attribute_kind).items():
                item.parent, item.model, item.field_name = self, self.queryset.model, name
                self.filters[name] = item


class AttributeOutput(Output):
    """One custom attribute."""

    id = serializers.IntegerField(source="pk")
    kind = word(ObjectKind)
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name, not the serializer's own label
    type = word(AttributeType)
    choices = serializers.ListField(child=serializers.CharField())
    help_text = serializers.CharField()  # type: ignore[assignment]  # as above
    is_required = serializers.BooleanField()
    position = serializers.IntegerField()
    is_archived = serializers.BooleanField()
    is_locked = serializers.SerializerMethodField(
        help_text="Kind, key and type stay, because an object has held a value."
    )
    revision = serializers.IntegerField()

    def get_is_locked(self, attribute: CustomAttribute) -> bool:
        return attribute.used_at is not None


class AttributeEdit(Input):
    """What is said about an attribute; what is left out stays."""

    kind = word(ObjectKind)
    key = serializers.CharField(max_length=50)
    label = serializers.CharField(max_length=100)  # type: ignore[assignment]  # as above
    type = word(AttributeType)
    choices = serializers.ListField(
        child=serializers.CharField(max_length=200), max_length=MOST_CHOICES, required=False, default=list
    )
    help_text = text(max_length=300)  # type: ignore[assignment]  # as above
    is_required = serializers.BooleanField(required=False, default=False)
    position = serializers.IntegerField(required=False, min_value=0, max_value=32_767)


class AttributeListFilters(Filters):
    """Filters of the list."""

    kind = one_of(ObjectKind, "kind")
    type = one_of(AttributeType, "type")
    key = exactly("key", "The key of an attribute.")


def definition_of(values: dict[str, Any], attribute: CustomAttribute | None = None) -> AttributeDefinition:
    """Return what was sent, and for the rest what the attribute says now."""
    names = ("kind", "key", "label", "type", "choices", "help_text", "is_required", "position")
    said = {name: getattr(attribute, name) for name in names} if attribute is not None else {}
    said |= {name: values[name] for name in names if name in values}
    return AttributeDefinition(
        **{
            **said,
            "kind": ObjectKind(said["kind"]),
            "type": AttributeType(said["type"]),
            "choices": tuple(said.get("choices", ())),
        }
    )


class CustomAttributes(Listed, Revised):
    """Custom attributes of use cases, model groups and stage records, defined by ML admins."""

    noun = "custom attribute"
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    serializer_class = AttributeOutput
    filterset_class = AttributeListFilters
    search_fields = ("key", "label")
    ordering = ("kind", "position")
    ordering_fields = {"id": "pk", "kind": "kind", "position": "position", "key": "key"}
    tie_breaker = ("pk",)

    def get_queryset(self) -> QuerySet[CustomAttribute]:
        return selectors.definitions(self.actor)

    @extend_schema(request=AttributeEdit, responses={201: AttributeOutput})
    def create(self, request: Request) -> Response:
        """Add an attribute to a kind of object."""
        made = custom_attributes.define(actor=self.actor, definition=definition_of(self.read(AttributeEdit)))
        return self.show(made, 201)

    @extend_schema(request=AttributeEdit)
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """Edit an attribute; once used, its kind, key and type stay. If-Match says on which state."""
        attribute = self.get_object()
        revision = self.agreed_revision(attribute)
        edited = custom_attributes.edit(
            actor=self.actor,
            attribute_id=attribute.pk,
            revision=revision,
            definition=definition_of(self.read(AttributeEdit, partial=True), attribute),
        )
        return self.show(edited)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, **kwargs: Any) -> Response:
        """Take away an attribute that no object has ever held."""
        attribute = self.get_object()
        revision = self.agreed_revision(attribute)
        custom_attributes.delete(actor=self.actor, attribute_id=attribute.pk, revision=revision)
        return Response(status=204)

    @extend_schema(request=NoInput, responses={200: AttributeOutput})
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, **kwargs: Any) -> Response:
        """Take an attribute out of forms and lists; what objects hold stays, read only."""
        self.read(NoInput)
        attribute = self.get_object()
        return self.show(
            custom_attributes.archive(actor=self.actor, attribute_id=attribute.pk, revision=attribute.revision)
        )

    @extend_schema(request=NoInput, responses={200: AttributeOutput})
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, **kwargs: Any) -> Response:
        """Bring an archived attribute back."""
        self.read(NoInput)
        attribute = self.get_object()
        return self.show(
            custom_attributes.restore(actor=self.actor, attribute_id=attribute.pk, revision=attribute.revision)
        )
