"""Filling in the custom attributes of a stage record."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.forms import BaseForm
from django.urls import reverse
from django.utils.functional import cached_property

from portal.core import access
from portal.core.permissions import Act, require
from portal.core.templatetags.portal_ui import plain
from registry.choices import ObjectKind
from registry.web.attributes import AttributeFields
from registry.web.differences import KeepsTyping

from ..models import StageRecord
from ..services import record_attributes
from .wording import url_of


class RecordAttributesForm(AttributeFields):
    """A field per attribute, and the revision that was read."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, *args: Any, record: StageRecord, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["revision"] = record.revision
        self.ask_for_attributes(ObjectKind.STAGE_RECORD, record.attributes, record.scope_project_id)


class RecordAttributes(KeepsTyping):
    template_name = "governance/record_attributes.html"
    form_class = RecordAttributesForm

    @cached_property
    def record(self) -> StageRecord:
        found = access.get(StageRecord, self.actor, pk=self.kwargs["pk"])
        require(self.actor, Act.FILL_IN_RECORD, found.scope_project_id)
        return found

    def form_arguments(self) -> dict[str, Any]:
        return {"record": self.record}

    def carry_out(self, form: BaseForm) -> str:
        record = record_attributes.set_attributes(
            actor=self.actor,
            record_id=self.record.pk,
            values=cast("RecordAttributesForm", form).attributes(),
            revision=form.cleaned_data["revision"],
        )
        self.say(f"The attributes of {record.version.name} in {plain(record.stage)} are saved.")
        return f"{url_of(record.version)}#records"

    def cancel_url(self) -> str:
        return f"{url_of(self.record.version)}#records"

    def breadcrumbs(self) -> list[dict[str, str]]:
        version = self.record.version
        return [
            {"label": "Model versions", "url": reverse("registry:version_list")},
            {"label": version.name, "url": url_of(version)},
            {"label": "Attributes of a record", "url": ""},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(record=self.record, **kwargs)
