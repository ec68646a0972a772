"""AWS accounts: registered, changed, switched off. The external id is written and never shown."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminURLFieldWidget
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.http import HttpRequest
from django.urls import reverse

from portal.core.actors import Actor
from portal.core.admin import RecordAdmin, ServiceAdmin, ServiceForm, console

from ..choices import AccountPurpose
from ..models import AccountPreflight, AwsAccount
from ..services import accounts


class AccountForm(ServiceForm):
    """Everything an ML admin says about an account."""

    aliases: ClassVar[dict[str, str]] = {"external_id": "new_external_id"}

    purposes = forms.MultipleChoiceField(
        choices=AccountPurpose.choices(),
        widget=forms.CheckboxSelectMultiple,
        help_text="The hub owns the model groups; the others run the stages.",
    )
    event_queue_url = forms.URLField(
        label="Event queue URL",
        assume_scheme="https",
        max_length=500,
        required=False,
        widget=AdminURLFieldWidget,
        help_text=str(AwsAccount._meta.get_field("event_queue_url").help_text),
    )
    new_external_id = forms.CharField(
        label="External id",
        max_length=1224,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "class": "vTextField"}),
        help_text="What the role's trust policy asks for. It is never shown; leave it empty to keep the one there is.",
    )
    forget_external_id = forms.BooleanField(
        label="Use no external id", required=False, help_text="Tick this to remove the one there is."
    )

    class Meta:
        model = AwsAccount
        fields = (
            "account_id",
            "alias",
            "purposes",
            "regions",
            "role_arn",
            "organisation_id",
            "event_queue_url",
            "event_bus",
            "artifact_buckets",
            "is_enabled",
        )
        help_texts = {
            "regions": "Separated by commas; orders go to the first one.",
            "is_enabled": "The portal reads and writes enabled accounts only.",
        }

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("new_external_id") and given.get("forget_external_id"):
            self.add_error("forget_external_id", "Give a new external id or remove it, not both.")
        return given

    def values(self) -> dict[str, Any]:
        """Return what was filled in or changed, by the names of the service."""
        given = self.cleaned_data
        changed = {name: given[name] for name in self.changed_data if name in accounts.EDITABLE}
        if given.get("forget_external_id"):
            changed["external_id"] = ""
        elif given.get("new_external_id"):
            changed["external_id"] = given["new_external_id"]
        return changed


class PurposeFilter(admin.SimpleListFilter):
    title = "purpose"
    parameter_name = "purpose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return AccountPurpose.choices()

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        return queryset.filter(purposes__contains=[self.value()]) if self.value() else queryset


@admin.register(AwsAccount, site=console)
class AwsAccountAdmin(ServiceAdmin):
    may_add = may_change = True
    hidden = ("external_id",)
    form = AccountForm
    list_display = ("account_id", "alias", "serves", "is_enabled", "checked_at", "answers")
    list_filter = ("is_enabled", PurposeFilter)
    search_fields = ("account_id", "alias", "role_arn")
    ordering = ("account_id",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        written = [*AccountForm.Meta.fields[:5], "new_external_id", "forget_external_id", *AccountForm.Meta.fields[5:]]
        if obj is None:
            return [name for name in written if name != "forget_external_id"]
        return [*written, "has_external_id", "checked_at", "check_error"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("account_id", "has_external_id", "checked_at", "check_error")

    def object_links(self, row: AwsAccount) -> list[tuple[str, str]]:
        return [("Test, permissions, sync and runs", reverse("registry:account", args=[row.account_id]))]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, ArrayField):
            kwargs["widget"] = forms.TextInput(attrs={"class": "vLargeTextField"})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description="purposes")
    def serves(self, row: AwsAccount) -> str:
        return ", ".join(AccountPurpose(value).label for value in row.purposes)

    @admin.display(description="answers", boolean=True)
    def answers(self, row: AwsAccount) -> bool | None:
        return None if row.checked_at is None else not row.check_error

    @admin.display(description="external id is set", boolean=True)
    def has_external_id(self, row: AwsAccount) -> bool:
        return bool(row.external_id)

    def create(self, actor: Actor, form: Any) -> AwsAccount:
        return accounts.register(actor=actor, account_id=form.cleaned_data["account_id"], **form.values())

    def edit(self, actor: Actor, row: Any, form: Any) -> None:
        accounts.edit(actor=actor, account=row, **form.values())


@admin.register(AccountPreflight, site=console)
class AccountPreflightAdmin(RecordAdmin):
    list_display = ("account", "region", "method", "lacking", "checked_at")
    list_filter = ("method", "region")
    list_select_related = ("account",)
    search_fields = ("account__account_id", "account__alias", "region")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        # What is missing stands in the document that lists otherwise leave in the database.
        return AccountPreflight.objects.select_related("account")

    @admin.display(description="missing")
    def lacking(self, row: AccountPreflight) -> str:
        return ", ".join(dict.fromkeys(entry["action"] for entry in row.missing)) or "nothing known"
