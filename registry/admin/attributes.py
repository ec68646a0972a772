"""Custom attributes: defined, changed, archived, and taken away while nothing has used them."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from portal.core.actors import Actor
from portal.core.admin import ServiceAdmin, ServiceForm, console

from ..choices import AttributeType, ObjectKind
from ..models import CustomAttribute
from ..services import custom_attributes
from ..services.custom_attributes import AttributeDefinition

_WRITTEN = ("kind", "key", "label", "type", "options", "help_text", "is_required", "position")
_LOCKED = ("kind", "key", "type")


class AttributeForm(ServiceForm):
    """What an ML admin says about an attribute; it carries the revision that was read."""

    aliases: ClassVar[dict[str, str]] = {"choices": "options"}

    options = forms.CharField(
        label="Choices",
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "class": "vLargeTextField"}),
        help_text="One a line, for the type choice only. More may be added later; one that is in use stays.",
    )
    position = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=32_767,
        help_text="Attributes are shown in this order; empty puts it last.",
    )
    seen_revision = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = CustomAttribute
        fields = ("kind", "key", "label", "type", "help_text", "is_required", "is_archived")
        help_texts = {
            "key": "Its name in files, filters and the API: cost_centre. It stays once the attribute has been used.",
            "help_text": "Shown below the field.",
            "is_required": "Asked for whenever somebody edits such an object; those that have none stay valid.",
            "is_archived": "Takes it out of forms and lists. What objects hold stays, read only.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.initial.setdefault("options", "\n".join(self.instance.choices))
            self.initial.setdefault("position", self.instance.position)
            self.initial.setdefault("seen_revision", self.instance.revision)

    def definition(self) -> AttributeDefinition:
        """Return what was filled in; what is locked and not asked for is as it was."""
        given, row = self.cleaned_data, self.instance
        position = given.get("position")
        return AttributeDefinition(
            kind=ObjectKind(given.get("kind") or row.kind),
            key=given.get("key") or row.key,
            label=given["label"],
            type=AttributeType(given.get("type") or row.type),
            choices=tuple(line for line in given["options"].splitlines() if line.strip()),
            help_text=given["help_text"],
            is_required=given["is_required"],
            position=row.position if position is None and row.pk is not None else position,
        )

    def _get_validation_exclusions(self) -> set[str]:
        # Whether a key is free and a choice has choices is the service's to say.
        return {*super()._get_validation_exclusions(), "choices", "key", "kind"}  # type: ignore[misc]  # Django's own


@admin.register(CustomAttribute, site=console)
class CustomAttributeAdmin(ServiceAdmin):
    may_add = may_change = may_delete = True
    form = AttributeForm
    list_display = ("label", "key", "kind", "type", "is_required", "position", "is_archived", "has_been_used")
    list_filter = ("kind", "type", "is_archived", "is_required")
    search_fields = ("key", "label", "help_text")
    ordering = ("kind", "position", "key")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return _WRITTEN if obj is None else (*_WRITTEN, "is_archived", "used_at", "seen_revision")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ()
        return ("used_at",) if obj.used_at is None else ("used_at", *_LOCKED)

    @admin.display(description="used", boolean=True)
    def has_been_used(self, row: CustomAttribute) -> bool:
        return row.used_at is not None

    def create(self, actor: Actor, form: Any) -> CustomAttribute:
        return custom_attributes.define(actor=actor, definition=form.definition())

    def edit(self, actor: Actor, row: Any, form: Any) -> None:
        revision = form.cleaned_data.get("seen_revision") or row.revision
        changed = set(form.changed_data) - {"seen_revision", "is_archived"}
        if changed:
            edited = custom_attributes.edit(
                actor=actor, attribute_id=row.pk, revision=revision, definition=form.definition()
            )
            revision = edited.revision
        if "is_archived" in form.changed_data:
            act = custom_attributes.archive if form.cleaned_data["is_archived"] else custom_attributes.restore
            act(actor=actor, attribute_id=row.pk, revision=revision)

    def remove(self, actor: Actor, row: Any) -> None:
        custom_attributes.delete(actor=actor, attribute_id=row.pk)
