"""What people fill in about policies. Forms parse; services decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from portal.core.permissions import ROLES, Act
from portal.core.vocabulary import EvidenceKind, Provenance, RiskRating, Role, Stage, SubjectKind

from ..choices import MetricKind, OutsideResponse
from ..lifecycle import SKIPPABLE, STAGES
from ..models import PolicyVersion
from ..policies.differences import response_words
from ..policies.engine import evidence_words, provenance_words
from ..policies.facts import ApprovalNeed, MetricRule, Number, Operator, Rule
from ..policies.validation import ASKABLE, MOST_APPROVALS, MOST_DAYS, MOST_METRICS

_BLANK_ROWS = 3
_OPERATORS = {
    Operator.AT_LEAST: "at least",
    Operator.MORE_THAN: "more than",
    Operator.AT_MOST: "at most",
    Operator.LESS_THAN: "less than",
    Operator.EQUAL: "exactly",
    Operator.BETWEEN: "between",
}
# Of a row: the name of the field's part, and what stands above its column.
ROW_PARTS = (
    ("path", "Metric"),
    ("operator", "Is"),
    ("value", "Threshold"),
    ("upper", "and"),
    ("segment", "Segment"),
    ("max_age_days", "At most days old"),
    ("kind", "Reported as"),
)


class RevisedForm(forms.Form):
    """A form that carries the revision it was made on, so that nobody overwrites what he has not seen."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)


class DraftForm(forms.Form):
    """A new draft."""

    based_on = forms.TypedChoiceField(coerce=int, label="Starts with the cells of")
    note = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What is to change, and why. It is published with the policy.",
    )

    def __init__(self, *args: Any, policies: Iterable[PolicyVersion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["based_on"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(policy.number, f"{policy} ({policy.state})") for policy in policies]


class PolicyForm(RevisedForm):
    """A draft's note, which of the stages that may be left out are passed, and the answers to changes outside."""

    note = forms.CharField(required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
    model_path = forms.MultipleChoiceField(
        required=False,
        label="A model version also passes",
        widget=forms.CheckboxSelectMultiple,
        help_text="Development and production are always passed.",
    )
    use_case_path = forms.MultipleChoiceField(
        required=False,
        label="A use case also passes",
        widget=forms.CheckboxSelectMultiple,
        help_text="POC, development and production are always passed.",
    )
    on_outside_approval = forms.ChoiceField(
        required=False,
        label="When a version is approved in SageMaker past the portal",
        choices=[(response.value, response_words(response).capitalize()) for response in OutsideResponse],
        help_text="Adopted is only what a linked person did who may decide on the open request, as if done here.",
    )
    on_outside_rejection = forms.ChoiceField(
        required=False,
        label="When its status or stage is changed there in any other way",
        choices=[(response.value, response_words(response).capitalize()) for response in OutsideResponse],
        help_text="Only a rejection can be adopted. After three write-backs within a day it is only reported.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, kind in PATHS:
            field = self.fields[name]
            assert isinstance(field, forms.MultipleChoiceField)
            field.choices = [(stage.value, stage.label) for stage in STAGES[kind] if stage in SKIPPABLE]

    def paths(self) -> dict[SubjectKind, tuple[Stage, ...]]:
        """Return the whole path of each kind."""
        return {
            kind: tuple(
                stage for stage in STAGES[kind] if stage not in SKIPPABLE or stage.value in self.cleaned_data[name]
            )
            for name, kind in PATHS
        }


PATHS = (("model_path", SubjectKind.MODEL_VERSION), ("use_case_path", SubjectKind.USE_CASE))


class CellForm(RevisedForm):
    """One cell of the matrix: how many of which role, which evidence, which metrics, how long it may take."""

    evidence = forms.MultipleChoiceField(
        required=False,
        choices=[(kind.value, evidence_words(kind)) for kind in EvidenceKind],
        widget=forms.CheckboxSelectMultiple,
        label="Evidence that must be there",
    )
    provenance = forms.MultipleChoiceField(
        required=False,
        choices=[(kind.value, provenance_words(kind)) for kind in ASKABLE],
        widget=forms.CheckboxSelectMultiple,
        label="What must be known of where it comes from",
        help_text="Looked up in SageMaker's lineage, in the version itself and in its MLflow run.",
    )
    days_until_due = forms.IntegerField(
        min_value=1,
        max_value=MOST_DAYS,
        help_text="After this many days it is overdue, and who can act hears so.",
    )
    days_until_expiry = forms.IntegerField(
        min_value=1, max_value=MOST_DAYS, help_text="After these it is closed, and may be submitted again."
    )

    def __init__(self, *args: Any, kind: SubjectKind, metrics: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for role in DECIDING:
            self.fields[f"count_{role}"] = forms.IntegerField(
                required=False, min_value=0, max_value=MOST_APPROVALS, label=f"{role.label}s who must approve"
            )
        if kind is SubjectKind.USE_CASE:
            del self.fields["provenance"]
        # A use case reports no metrics.
        self.rows = 0 if kind is SubjectKind.USE_CASE else min(metrics + _BLANK_ROWS, MOST_METRICS)
        for index in range(self.rows):
            self._add_row(index)

    def _add_row(self, index: int) -> None:
        number = index + 1
        fields: dict[str, forms.Field] = {
            "path": forms.CharField(
                required=False,
                max_length=120,
                widget=forms.TextInput(attrs={"placeholder": "auc", "spellcheck": "false"}),
            ),
            "operator": forms.ChoiceField(
                required=False, choices=[(operator.value, words) for operator, words in _OPERATORS.items()]
            ),
            "value": forms.FloatField(required=False, widget=forms.NumberInput(attrs={"step": "any"})),
            "upper": forms.FloatField(required=False, widget=forms.NumberInput(attrs={"step": "any"})),
            "segment": forms.CharField(required=False, max_length=60),
            "max_age_days": forms.IntegerField(required=False, min_value=1, max_value=MOST_DAYS),
            "kind": forms.ChoiceField(required=False, choices=MetricKind.choices()),
        }
        for (part, label), field in zip(ROW_PARTS, fields.values(), strict=True):
            field.label = f"Metric {number}: {label.lower()}"
            self.fields[f"metric_{index}_{part}"] = field

    def count_fields(self) -> list[Any]:
        """Return the fields of the roles, for the template."""
        return [self[f"count_{role}"] for role in DECIDING]

    def metric_rows(self) -> list[list[Any]]:
        """Return the fields of each metric, for the template."""
        return [[self[f"metric_{index}_{part}"] for part, _ in ROW_PARTS] for index in range(self.rows)]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        for index in range(self.rows):
            names = {part: f"metric_{index}_{part}" for part, _ in ROW_PARTS}
            told = {part: given.get(name) for part, name in names.items()}
            if not told["path"]:
                if any(told[part] is not None for part in ("value", "upper", "max_age_days")) or told["segment"]:
                    self.add_error(names["path"], "Name the metric, or clear the row.")
                continue
            if told["value"] is None and names["value"] not in self.errors:
                self.add_error(names["value"], "Give the threshold.")
            if not told["operator"] and names["operator"] not in self.errors:
                self.add_error(names["operator"], "Say how the number is compared.")
            if (told["operator"] == Operator.BETWEEN) != (told["upper"] is not None):
                self.add_error(names["upper"], "The second number goes with `between`, and only with it.")
        return given

    def rule(self, kind: SubjectKind, stage: Stage, tier: RiskRating) -> Rule:
        """Return the cell as it was filled in."""
        given = self.cleaned_data
        return Rule(
            kind=kind,
            stage=stage,
            tier=tier,
            approvals=tuple(
                ApprovalNeed(role, given[f"count_{role}"]) for role in DECIDING if given.get(f"count_{role}")
            ),
            days_until_due=given["days_until_due"],
            days_until_expiry=given["days_until_expiry"],
            evidence=tuple(map(EvidenceKind, given["evidence"])),
            metrics=tuple(self._metric(index) for index in range(self.rows) if given.get(f"metric_{index}_path")),
            provenance=tuple(map(Provenance, given.get("provenance") or ())),
        )

    def _metric(self, index: int) -> MetricRule:
        told = {part: self.cleaned_data[f"metric_{index}_{part}"] for part, _ in ROW_PARTS}
        value: Number | tuple[Number, Number] = _short(told["value"])
        if told["upper"] is not None:
            value = (_short(told["value"]), _short(told["upper"]))
        return MetricRule(
            path=told["path"],
            operator=Operator(told["operator"]),
            value=value,
            segment=told["segment"],
            max_age_days=told["max_age_days"],
            kind=MetricKind(told["kind"] or MetricKind.VALIDATION),
        )


def metrics_sent(data: Mapping[str, Any]) -> int:
    """Return how many rows a browser filled in, so that none is lost when the form is shown again."""
    filled = (index + 1 for index in range(MOST_METRICS) if str(data.get(f"metric_{index}_path", "")).strip())
    return max(filled, default=0)


def values_of(rule: Rule | None) -> dict[str, Any]:
    """Return what a cell says now, as the form's initial values."""
    if rule is None:
        return {"days_until_due": 5, "days_until_expiry": 30}
    found: dict[str, Any] = {
        "evidence": [kind.value for kind in rule.evidence],
        "provenance": [kind.value for kind in rule.provenance],
        "days_until_due": rule.days_until_due,
        "days_until_expiry": rule.days_until_expiry,
        **{f"count_{need.role}": need.count for need in rule.approvals},
    }
    for index, metric in enumerate(rule.metrics):
        low, high = metric.value if isinstance(metric.value, tuple) else (metric.value, None)
        told = (metric.path, metric.operator, low, high, metric.segment, metric.max_age_days, metric.kind)
        found |= {f"metric_{index}_{part}": value for (part, _), value in zip(ROW_PARTS, told, strict=True)}
    return found


class PreviewForm(forms.Form):
    """What a policy is tried on."""

    subject = forms.CharField(
        required=False,
        max_length=200,
        label="Use case or version",
        widget=forms.TextInput(attrs={"placeholder": "UC-0001 or credit-risk/7", "spellcheck": "false"}),
    )
    stage = forms.ChoiceField(
        required=False,
        choices=[("", "Where it stands"), *((stage.value, stage.label) for stage in STAGES[SubjectKind.USE_CASE])],
    )


DECIDING: tuple[Role, ...] = tuple(role for role in Role if role in ROLES[Act.DECIDE])


def _short(value: float) -> Number:
    """Return a whole number as one: a threshold of 3 is not shown as 3.0."""
    return int(value) if value.is_integer() else value
