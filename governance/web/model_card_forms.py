"""What people fill in of a model card: the schema's main fields. What the form does not have stays as it is."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet

from portal.core.vocabulary import RiskRating
from registry.models import ModelGroup

_RATINGS = [("", "Not said"), *((rating.label, rating.label) for rating in RiskRating)]
# Where each field stands in the card.
_PLACES: dict[str, tuple[str, ...]] = {
    "model_description": ("model_overview", "model_description"),
    "model_owner": ("model_overview", "model_owner"),
    "model_creator": ("model_overview", "model_creator"),
    "problem_type": ("model_overview", "problem_type"),
    "algorithm_type": ("model_overview", "algorithm_type"),
    "purpose_of_model": ("intended_uses", "purpose_of_model"),
    "intended_uses": ("intended_uses", "intended_uses"),
    "factors_affecting_model_efficiency": ("intended_uses", "factors_affecting_model_efficiency"),
    "risk_rating": ("intended_uses", "risk_rating"),
    "explanations_for_risk_rating": ("intended_uses", "explanations_for_risk_rating"),
    "business_problem": ("business_details", "business_problem"),
    "business_stakeholders": ("business_details", "business_stakeholders"),
    "line_of_business": ("business_details", "line_of_business"),
    "training_observations": ("training_details", "training_observations"),
    "training_arn": ("training_details", "training_job_details", "training_arn"),
    "training_datasets": ("training_details", "training_job_details", "training_datasets"),
    "ethical_considerations": ("additional_information", "ethical_considerations"),
    "caveats_and_recommendations": ("additional_information", "caveats_and_recommendations"),
    "use_case": ("additional_information", "custom_details", "UseCaseId"),
}
_LISTS = frozenset({"training_datasets"})


def _area(rows: int = 3) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


class CardForm(forms.Form):
    """A card's main fields; `content_of` puts what was filled in into what the card said before."""

    model_description = forms.CharField(label="Description", max_length=1024, required=False, widget=_area())
    model_owner = forms.CharField(label="Owner", max_length=1024, required=False)
    model_creator = forms.CharField(label="Creator", max_length=1024, required=False)
    problem_type = forms.CharField(label="Problem type", max_length=1024, required=False)
    algorithm_type = forms.CharField(label="Algorithm", max_length=1024, required=False)
    purpose_of_model = forms.CharField(label="Purpose of the model", max_length=2048, required=False, widget=_area())
    intended_uses = forms.CharField(label="Intended uses", max_length=2048, required=False, widget=_area())
    factors_affecting_model_efficiency = forms.CharField(
        label="What affects the model", max_length=2048, required=False, widget=_area()
    )
    risk_rating = forms.ChoiceField(label="Risk rating", choices=_RATINGS, required=False)
    explanations_for_risk_rating = forms.CharField(
        label="Why this risk rating", max_length=2048, required=False, widget=_area()
    )
    business_problem = forms.CharField(label="Business problem", max_length=2048, required=False, widget=_area())
    business_stakeholders = forms.CharField(label="Stakeholders", max_length=2048, required=False)
    line_of_business = forms.CharField(label="Line of business", max_length=2048, required=False)
    training_observations = forms.CharField(
        label="Observations in training", max_length=1024, required=False, widget=_area()
    )
    training_arn = forms.CharField(label="Training job", max_length=1024, required=False, help_text="Its ARN.")
    training_datasets = forms.CharField(
        label="Training data sets", max_length=16_000, required=False, widget=_area(), help_text="One a line."
    )
    ethical_considerations = forms.CharField(
        label="Ethical considerations", max_length=2048, required=False, widget=_area()
    )
    caveats_and_recommendations = forms.CharField(
        label="Caveats and recommendations", max_length=2048, required=False, widget=_area()
    )
    use_case = forms.CharField(label="Use case", max_length=1024, required=False, help_text="Such as UC-0001.")
    reason = forms.CharField(label="What you changed and why", max_length=2000, required=False, widget=_area(2))

    def content_of(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the card is to say: `before` with what was filled in; what was cleared is gone from it."""
        content = copy.deepcopy(dict(before))
        for name, place in _PLACES.items():
            typed = self.cleaned_data[name].replace("\r\n", "\n").strip()
            lines = [line.strip() for line in typed.split("\n") if line.strip()]
            _put(content, place, lines if name in _LISTS else typed)
        return content


class CardEditForm(CardForm):
    """The main fields of a card there is, with the revision they were read at."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2_147_483_647)


class CardNewForm(CardForm):
    """A new card: what it is about and what it is called."""

    group: forms.ModelChoiceField = forms.ModelChoiceField(queryset=None, label="Model group")
    name = forms.CharField(max_length=63, help_text="Letters, digits and hyphens; the same name in SageMaker.")
    field_order = ("group", "name")

    def __init__(self, *args: Any, groups: QuerySet[ModelGroup], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["group"].queryset = groups  # type: ignore[attr-defined]  # a choice of rows


def initial_of(content: Mapping[str, Any]) -> dict[str, str]:
    """Return what the form begins with for a content."""
    found: dict[str, str] = {}
    for name, place in _PLACES.items():
        value: Any = content
        for key in place:
            value = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(value, list):
            found[name] = "\n".join(str(item) for item in value)
        elif value is not None and not isinstance(value, Mapping):
            found[name] = str(value)
    return found


def _put(content: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    within = content
    for key in place[:-1]:
        inner = within.get(key)
        if not isinstance(inner, dict):
            if not value:
                return
            inner = within[key] = {}
        within = inner
    if value:
        within[place[-1]] = value
    else:
        within.pop(place[-1], None)
