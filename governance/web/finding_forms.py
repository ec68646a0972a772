"""What people fill in about findings. Forms parse; services decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet

from registry.models import User


def _day(label: str, help_text: str, *, required: bool) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=required,
        help_text=help_text,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


def _why(label: str = "Why", help_text: str = "", *, required: bool = False) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=help_text,
    )


class ResolveForm(forms.Form):
    """Close a finding by hand."""

    note = _why(
        "What was done about it",
        "It opens again by itself when the portal still sees a disagreement.",
        required=True,
    )


class AcceptForm(forms.Form):
    """Let a disagreement stand for a while."""

    reason = _why("Why it may stand", "What makes it bearable, and what is done until then.", required=True)
    until = _day("Until the end of", "At most a year ahead.", required=True)


class ReopenForm(forms.Form):
    """Take an acceptance or a resolution back."""

    reason = _why(required=True)


class AssignForm(forms.Form):
    """Give a finding to somebody."""

    owner: forms.ModelChoiceField[User] = forms.ModelChoiceField(
        queryset=None, required=False, empty_label="Nobody", help_text="Somebody who can see it."
    )
    reason = _why("A word about it", "What should he know? It stays in the history.")

    def __init__(self, *args: Any, people: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["owner"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = people


class DueForm(forms.Form):
    """Change by when a finding is to be dealt with."""

    due_on = _day("Due on", "Left empty, it is due on no day.", required=False)
    reason = _why()
