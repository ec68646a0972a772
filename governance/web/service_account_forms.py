"""What people fill in about service accounts and tokens. Forms parse; services decide."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

from portal.core.permissions import SERVICE_ROLES
from registry.models import Project, ServiceAccount
from registry.selectors.people import HeldRole
from registry.selectors.service_accounts import possible_keepers
from registry.services.service_accounts import LONGEST_NAME, LONGEST_PURPOSE, Given

from ..choices import Role
from ..models.token_terms import FASTEST

EVERYWHERE = "everywhere"
_DAYS = [(1, "A day"), (7, "A week"), (30, "30 days"), (90, "90 days"), (365, "A year")]
_ROLES = [role for role in Role if role in SERVICE_ROLES]


class TokenForm(forms.Form):
    """What a token is called, how long it holds, whether it may change anything, and where."""

    name = forms.CharField(max_length=100, help_text="To recognise it by, such as: nightly report.")
    days = forms.TypedChoiceField(label="It holds for", coerce=int, choices=_DAYS, initial=30)
    is_read_only = forms.BooleanField(
        label="It may only read",
        required=False,
        initial=True,
        help_text="Without this it may do whatever you may do, decisions included.",
    )
    projects = forms.MultipleChoiceField(
        label="Only on these projects",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None marked: wherever you have a role. Marked: it acts with your roles on these alone, and sees"
        " nothing beyond them.",
    )

    def __init__(self, *args: Any, projects: Iterable[Project], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._projects = {str(project.pk): project for project in projects}
        field = self.fields["projects"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(pk, project.name) for pk, project in self._projects.items()]
        if not self._projects:
            del self.fields["projects"]

    def scope(self) -> list[Project] | None:
        """Return the projects it is held to, None for all."""
        chosen = self.cleaned_data.get("projects") or []
        return [self._projects[pk] for pk in chosen] or None


class AccountTokenForm(TokenForm):
    """A token for a service account."""

    rate = forms.IntegerField(
        label="Requests a minute",
        required=False,
        min_value=1,
        max_value=FASTEST,
        help_text="Empty: as many as is usual. A gate that many pipelines ask needs more.",
    )
    field_order = ("name", "days", "rate", "is_read_only", "projects")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["is_read_only"].initial = False
        self.fields["is_read_only"].help_text = "Without this it may do whatever the account's roles allow."
        if "projects" in self.fields:
            self.fields["projects"].help_text = "None marked: wherever the account has a role."


class ServiceAccountForm(forms.Form):
    """What an account is called, what it is for, who answers for it, and which roles it holds where."""

    name = forms.CharField(
        max_length=LONGEST_NAME,
        help_text="As it will stand wherever people are named, such as ci.credit-models. It does not change.",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )
    purpose = forms.CharField(
        max_length=LONGEST_PURPOSE,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Which pipeline or script uses it, and to do what.",
    )
    responsible: forms.ModelChoiceField = forms.ModelChoiceField(
        label="Who answers for it",
        queryset=None,
        help_text="This person will never decide on what the account registers or asks for.",
    )
    is_active = forms.BooleanField(
        label="It may be used", required=False, initial=True, help_text="Switched off, it loses its tokens at once."
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)

    def __init__(self, *args: Any, projects: Iterable[Project], is_new: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._projects = {str(project.pk): project for project in projects}
        people = self.fields["responsible"]
        assert isinstance(people, forms.ModelChoiceField)
        people.queryset = possible_keepers()
        for name in ("is_active", "revision") if is_new else ("name",):
            del self.fields[name]
        places = [(EVERYWHERE, "Everywhere"), *((pk, project.name) for pk, project in self._projects.items())]
        for role in _ROLES:
            self.fields[f"as_{role.value}"] = forms.MultipleChoiceField(
                label=f"{role.label} on", required=False, choices=places, widget=forms.CheckboxSelectMultiple
            )

    def roles(self) -> list[Given]:
        """Return what it is to hold."""
        return [
            (role, None if place == EVERYWHERE else self._projects[place])
            for role in _ROLES
            for place in self.cleaned_data[f"as_{role.value}"]
        ]

    @staticmethod
    def values_of(account: ServiceAccount, held: Iterable[HeldRole]) -> dict[str, Any]:
        """Return the fields as an account fills them in."""
        values: dict[str, Any] = {
            "purpose": account.purpose,
            "responsible": account.responsible_id,
            "is_active": account.user.is_active,
            "revision": account.revision,
        }
        for one in held:
            place = str(one.project.pk) if one.project else EVERYWHERE
            values.setdefault(f"as_{one.role.value}", []).append(place)
        return values
