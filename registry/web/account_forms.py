"""Registering and changing an AWS account: the pages for ML admins. Forms parse; the service decides."""

from __future__ import annotations

import re
from typing import Any, cast

from django import forms
from django.forms import BaseForm
from django.urls import reverse
from django.utils.functional import cached_property

from portal.core.permissions import Act
from portal.core.views import FormPage
from registry.services import accounts

from ..choices import AccountPurpose
from ..models import AwsAccount


class Names(forms.CharField):
    """Names separated by commas, spaces or line ends, as a list."""

    def to_python(self, value: Any) -> Any:
        return [name for name in re.split(r"[\s,]+", super().to_python(value) or "") if name]

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value


class AccountEditForm(forms.Form):
    """What an ML admin says of an account. The external id is written and never shown."""

    alias = forms.CharField(label="Name", max_length=63, help_text="What people call it: Credit, production.")
    purposes = forms.MultipleChoiceField(
        label="What it is for",
        choices=AccountPurpose.choices(),
        widget=forms.CheckboxSelectMultiple,
        help_text="The hub owns the model groups; the others run the stages.",
    )
    regions = Names(
        max_length=2000, help_text="Separated by commas. The queue is read and orders are sent in the first one."
    )
    role_arn = forms.CharField(
        label="Role ARN",
        max_length=2048,
        required=False,
        help_text="The role the portal assumes there: arn:aws:iam::111111111111:role/ModelGovernancePortal. Empty for"
        " the account the portal itself runs in.",
    )
    external_id = forms.CharField(
        label="External id",
        max_length=1224,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="What the role's trust policy asks for. It is never shown again.",
    )
    organisation_id = forms.CharField(
        label="Organisation id", max_length=34, required=False, help_text="Its AWS organisation, such as o-a1b2c3d4e5."
    )
    event_queue_url = forms.URLField(
        label="Event queue URL",
        max_length=500,
        required=False,
        assume_scheme="https",
        help_text=str(AwsAccount._meta.get_field("event_queue_url").help_text),
    )
    event_bus = forms.CharField(
        max_length=256, initial="default", help_text=str(AwsAccount._meta.get_field("event_bus").help_text)
    )
    artifact_buckets = Names(
        max_length=4000, required=False, help_text=str(AwsAccount._meta.get_field("artifact_buckets").help_text)
    )
    is_enabled = forms.BooleanField(
        label="Enabled", required=False, initial=True, help_text="Nothing at all is asked of a disabled account."
    )

    def values(self) -> dict[str, Any]:
        """Return what the service takes; an external id left empty stays."""
        given = dict(self.cleaned_data)
        if not given["external_id"]:
            del given["external_id"]
        return given


class AccountRegisterForm(AccountEditForm):
    """A new account: its twelve digits, and the rest."""

    account_id = forms.CharField(
        label="Account id",
        max_length=12,
        min_length=12,
        help_text="Twelve digits.",
        error_messages=dict.fromkeys(("min_length", "max_length"), "An account id has twelve digits."),
    )
    field_order = ("account_id",)

    def values(self) -> dict[str, Any]:
        return {**super().values(), "external_id": self.cleaned_data["external_id"]}


class ChangeForm(AccountEditForm):
    """An account as it is, with the way back to no external id."""

    forget_external_id = forms.BooleanField(
        label="Use no external id", required=False, help_text="Tick this to remove the one there is."
    )
    field_order = ("alias", "purposes", "regions", "role_arn", "external_id", "forget_external_id")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[
            "external_id"
        ].help_text = (
            "What the role's trust policy asks for. It is never shown; leave it empty to keep the one there is."
        )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("external_id") and given.get("forget_external_id"):
            self.add_error("forget_external_id", "Give a new external id or remove it, not both.")
        return given

    def values(self) -> dict[str, Any]:
        given = super().values()
        if given.pop("forget_external_id"):
            given["external_id"] = ""
        return given


class AccountRegister(FormPage):
    template_name = "registry/account_form.html"
    form_class = AccountRegisterForm
    submit_label = "Register the account"
    needs = Act.MANAGE_ACCOUNTS

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "AWS accounts", "url": reverse("registry:account_list")},
            {"label": "Register", "url": ""},
        ]

    def cancel_url(self) -> str:
        return reverse("registry:account_list")

    def carry_out(self, form: BaseForm) -> str:
        values = cast("AccountRegisterForm", form).values()
        account = accounts.register(actor=self.actor, **values)
        self.say(f"{account.alias} is registered. Test the connection next, then check the permissions.")
        return reverse("registry:account", args=[account.account_id])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(heading="Register an AWS account", **kwargs)


class AccountEdit(FormPage):
    template_name = "registry/account_form.html"
    form_class = ChangeForm

    @cached_property
    def account(self) -> AwsAccount:
        return accounts.editable(actor=self.actor, account_id=self.kwargs["account_id"])

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "AWS accounts", "url": reverse("registry:account_list")},
            {"label": self.account.alias, "url": self.cancel_url()},
            {"label": "Edit", "url": ""},
        ]

    def cancel_url(self) -> str:
        return reverse("registry:account", args=[self.account.account_id])

    def form_arguments(self) -> dict[str, Any]:
        given = {name: getattr(self.account, name) for name in accounts.EDITABLE if name != "external_id"}
        return {"initial": given}

    def carry_out(self, form: BaseForm) -> str:
        accounts.edit(actor=self.actor, account=self.account, **cast("ChangeForm", form).values())
        self.say(f"{form.cleaned_data['alias']} is saved.")
        return self.cancel_url()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(heading=f"Edit {self.account.alias}", account=self.account, **kwargs)
