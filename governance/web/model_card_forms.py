"""What people fill in of a model card: the schema's main fields. What the form does not have stays as it is."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet

from portal.core.vocabulary import RiskRating
from registry.models import ModelGroup

from . import model_card_parts as parts
from .model_card_rows import Column, Row, RowsField

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
_NAMED: dict[str, tuple[Column, ...]] = {
    "training_metrics": parts.METRIC_COLUMNS,
    "user_provided_training_metrics": parts.METRIC_COLUMNS,
    "hyper_parameters": parts.PARAMETER_COLUMNS,
    "user_provided_hyper_parameters": parts.PARAMETER_COLUMNS,
}
_SECTIONS: tuple[tuple[str, str, list[str]], ...] = (
    (
        "Overview",
        "info-circle",
        ["model_description", "model_owner", "model_creator", "problem_type", "algorithm_type", "use_case"],
    ),
    (
        "Intended uses",
        "target-arrow",
        [
            "purpose_of_model",
            "intended_uses",
            "factors_affecting_model_efficiency",
            "risk_rating",
            "explanations_for_risk_rating",
        ],
    ),
    ("Business", "building", ["business_problem", "business_stakeholders", "line_of_business"]),
    ("Training", "flask", ["training_observations", "training_arn", "training_datasets", *_NAMED]),
    ("Evaluation", "chart-bar", ["evaluations", "results"]),
    ("Additional information", "note", ["ethical_considerations", "caveats_and_recommendations", "custom_details"]),
)
# Shown where a card has them already.
_SELDOM = frozenset({"user_provided_training_metrics", "user_provided_hyper_parameters"})
# Django takes a thousand inputs with one form; the other fields, and rows that people add, need some too.
_MOST_INPUTS = 700
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
    training_metrics = RowsField(parts.METRIC_COLUMNS, label="Training metrics")
    user_provided_training_metrics = RowsField(parts.METRIC_COLUMNS, label="Further training metrics")
    hyper_parameters = RowsField(parts.PARAMETER_COLUMNS, label="Hyperparameters")
    user_provided_hyper_parameters = RowsField(parts.PARAMETER_COLUMNS, label="Further hyperparameters")
    evaluations = RowsField(
        parts.EVALUATION_COLUMNS,
        label="Evaluations",
        help_text="Clearing a whole row takes the evaluation out of the card, with its metrics and charts.",
    )
    results = RowsField(
        parts.RESULT_COLUMNS,
        label="Evaluation metrics",
        help_text="Each belongs to one of the evaluations, by its name. Charts and matrices stay as they are.",
    )
    custom_details = RowsField(parts.DETAIL_COLUMNS, label="Custom details")
    use_case = forms.CharField(label="Use case", max_length=1024, required=False, help_text="Such as UC-0001.")
    reason = forms.CharField(label="What you changed and why", max_length=2000, required=False, widget=_area(2))

    def __init__(self, *args: Any, before: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # So many inputs that a form could not send them: these parts are then edited over the API.
        self.left_out: list[str] = []
        room = _MOST_INPUTS
        for name, rows in rows_of(before or {}).items():
            field = self.fields[name]
            assert isinstance(field, RowsField)
            if name in _SELDOM and not rows:
                del self.fields[name]
                continue
            inputs = (len(rows) + 1) * (len(field.columns) + 1)
            if inputs <= room:
                room -= inputs
            else:
                self.left_out.append(str(field.label))
                del self.fields[name]
        if "evaluations" not in self.fields and "results" in self.fields:
            self.left_out.append(str(self.fields.pop("results").label))

    def sections(self) -> list[tuple[str, str, list[forms.BoundField]]]:
        """Return the fields as the page groups them: what a part is called, its icon, its fields."""
        taken = {name for _, _, names in _SECTIONS for name in names}
        rest = [name for name in self.fields if name not in taken and not self[name].is_hidden]
        parted = [
            ("Which model", "package", [name for name in rest if name != "reason"]),
            *_SECTIONS,
            ("Why", "message", ["reason"]),
        ]
        shown = [(title, icon, [self[name] for name in names if name in self.fields]) for title, icon, names in parted]
        return [part for part in shown if part[2]]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        names = [row["name"] for row in values.get("custom_details") or ()]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            self.add_error("custom_details", f"{twice[0]} stands there twice; a card has each name once.")
        if parts.USE_CASE in names:
            self.add_error("custom_details", "The use case has a field of its own: write it there.")
        rows = values.get("evaluations") or []
        known = {row["name"] for row in rows} | {parts.name_before(row) for row in rows}
        for number, row in enumerate(values.get("results") or (), start=1):
            if "evaluations" in self.fields and "evaluations" not in self.errors and row["evaluation"] not in known:
                self.add_error("results", f"Row {number}: there is no evaluation {row['evaluation']} above.")
        return values

    def content_of(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the card is to say: `before` with what was filled in; what was cleared is gone from it."""
        content = copy.deepcopy(dict(before))
        was = initial_of(before)
        for name, place in _PLACES.items():
            typed = self.cleaned_data[name].replace("\r\n", "\n").strip()
            if typed == was.get(name, "").replace("\r\n", "\n").strip():
                continue
            lines = [line.strip() for line in typed.split("\n") if line.strip()]
            _put(content, place, lines if name in _LISTS else typed)
        for name, columns in _NAMED.items():
            rows = self.cleaned_data.get(name)
            if rows is not None:
                place = ("training_details", "training_job_details", name)
                _put(content, place, parts.named_entries(_at(content, place), rows, columns))
        details = self.cleaned_data.get("custom_details")
        if details is not None:
            place = ("additional_information", "custom_details")
            _put(content, place, parts.details_of(_at(content, place), details))
        evaluations = self.cleaned_data.get("evaluations")
        if evaluations is not None:
            results = self.cleaned_data.get("results")
            made = parts.evaluations_of(content.get("evaluation_details"), evaluations, results)
            _put(content, ("evaluation_details",), made)
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
    """Return what the form's fields begin with for a content, all but its rows."""
    found: dict[str, str] = {}
    for name, place in _PLACES.items():
        value = _at(content, place)
        if isinstance(value, list):
            found[name] = "\n".join(str(item) for item in value)
        elif value is not None and not isinstance(value, Mapping):
            found[name] = str(value)
    return found


def rows_of(content: Mapping[str, Any]) -> dict[str, list[Row]]:
    """Return the rows that the form begins with for a content, by the field they stand in."""
    evaluations = content.get("evaluation_details")
    job = ("training_details", "training_job_details")
    return {
        "evaluations": parts.evaluation_rows(evaluations),
        "results": parts.result_rows(evaluations),
        **{name: parts.named_rows(_at(content, (*job, name)), columns) for name, columns in _NAMED.items()},
        "custom_details": parts.detail_rows(_at(content, ("additional_information", "custom_details"))),
    }


def _at(content: Any, place: tuple[str, ...]) -> Any:
    for key in place:
        content = content.get(key) if isinstance(content, Mapping) else None
    return content


def _put(content: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    if value == _at(content, place):
        return
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
