"""What an auditor fills in to have a pack built. The form parses; the service decides."""

from __future__ import annotations

from typing import Any

from django import forms

from portal.core.actors import Actor
from portal.core.serializers import public_number

from ..choices import PackScope
from ..selectors import packs
from ..selectors.pack_scope import Wanted

_DAY = {"type": "date"}


class PackForm(forms.Form):
    """A use case, or the days of a period, perhaps of one project or line of business."""

    scope = forms.ChoiceField(
        label="What it is about",
        widget=forms.RadioSelect,
        initial=PackScope.USE_CASE,
        choices=[
            (PackScope.USE_CASE, "One use case, with everything of it from its first day"),
            (PackScope.PERIOD, "A period: what happened in it, and what was open"),
        ],
    )
    use_case = forms.CharField(
        required=False,
        label="Use case",
        max_length=20,
        help_text="Its id. For a pack about one use case.",
        widget=forms.TextInput(attrs={"placeholder": "UC-0001", "list": "use-cases", "autocomplete": "off"}),
    )
    starts_on = forms.DateField(required=False, label="From", widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"))
    ends_on = forms.DateField(
        required=False,
        label="To",
        widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"),
        help_text="Both days are included, in UTC. For a pack about a period.",
    )
    project: forms.ModelChoiceField[Any] = forms.ModelChoiceField(
        queryset=None, required=False, empty_label="Every project"
    )
    line_of_business: forms.ModelChoiceField[Any] = forms.ModelChoiceField(
        queryset=None, required=False, label="Line of business", empty_label="Every line of business"
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        for name, rows in (("project", packs.projects(actor)), ("line_of_business", packs.lines_of_business(actor))):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows

    def clean_use_case(self) -> int | None:
        given = self.cleaned_data["use_case"].strip()
        if self.data.get("scope") != PackScope.USE_CASE or not given:
            return None
        number = public_number(given.upper(), "UC", 4)
        found = packs.use_case_numbered(self.actor, number) if number is not None else None
        if found is None:
            raise forms.ValidationError("There is no such use case. Write its id as UC-0001.")
        return int(found.pk)

    def wanted(self) -> Wanted:
        """Return what is asked for."""
        given = self.cleaned_data
        if given["scope"] == PackScope.USE_CASE:
            return Wanted(PackScope.USE_CASE, use_case_id=given["use_case"])
        project, line = given["project"], given["line_of_business"]
        return Wanted(
            PackScope.PERIOD,
            project_id=project.pk if project else None,
            line_of_business_id=line.pk if line else None,
            starts_on=given["starts_on"],
            ends_on=given["ends_on"],
        )
