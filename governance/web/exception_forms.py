"""What people fill in about exceptions. Forms parse; services decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet

from portal.core.vocabulary import Role, Stage
from registry.models import Project, User

from ..policies.facts import Check


class BreakGlassForm(forms.Form):
    """Which failing check is overridden, why, and until when."""

    check = forms.ChoiceField(label="The rule", widget=forms.RadioSelect)
    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Why it cannot be met now, and what is done about it. Every auditor reads it.",
    )
    expires_at = forms.DateTimeField(
        label="Until (UTC)",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="At most 30 days from now. Afterwards the rule counts again.",
    )

    def __init__(self, *args: Any, checks: Sequence[Check], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["check"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(check.key, f"{check.label}: {check.detail}") for check in checks]


class RollbackForm(forms.Form):
    """Where an earlier version is to run again, and why."""

    stage = forms.ChoiceField(label="Deploy it again for", widget=forms.RadioSelect)
    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}), help_text="It is kept in the ledger and written to SageMaker."
    )

    def __init__(self, *args: Any, stages: Sequence[Stage], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["stage"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(stage.value, stage.label) for stage in stages]
        if len(stages) == 1:
            field.initial = stages[0].value


class _Person(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj} ({obj.username})" if str(obj) != obj.username else str(obj.username)


class DelegationForm(forms.Form):
    """Who stands in for whom, in which role, where, and from when to when."""

    delegator = _Person(queryset=None, label="In the name of", empty_label=None)
    delegate = _Person(queryset=None, label="Somebody who stands in", empty_label="Choose a person")
    role = forms.ChoiceField()
    project: forms.ModelChoiceField[Project] = forms.ModelChoiceField(
        queryset=None, required=False, empty_label="Everywhere the role is held", help_text="Or on one project only."
    )
    starts_on = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    ends_on = forms.DateField(label="To, included", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}), help_text="Such as: on leave.")

    def __init__(
        self,
        *args: Any,
        delegators: QuerySet[User],
        people: QuerySet[User],
        roles: Sequence[Role],
        projects: QuerySet[Project],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        for name, rows in (("delegator", delegators), ("delegate", people), ("project", projects)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows
        role = self.fields["role"]
        assert isinstance(role, forms.ChoiceField)
        role.choices = [(one.value, one.label) for one in roles]
