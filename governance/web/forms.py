"""What people fill in about approvals, deployments and metrics. Forms parse; services decide."""

from __future__ import annotations

import json
from typing import Any

from django import forms

from portal.core.vocabulary import Stage
from registry.choices import DeploymentState

from ..choices import Verdict


class SubmitForm(forms.Form):
    """Ask for approval, with a note for whoever decides."""

    note = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What should those who decide know? What changed, what was tested, what is still open.",
    )


class RetireForm(forms.Form):
    """Take something out of service for good."""

    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}), help_text="It is kept in the history and written to SageMaker."
    )
    force = forms.BooleanField(
        required=False,
        label="Retire it although a deployment of it is running",
        help_text="The endpoints go on running until somebody takes them down.",
    )

    def __init__(self, *args: Any, running: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not running:
            del self.fields["force"]


class DecisionForm(forms.Form):
    """One person's word on a request; which word is the button he pressed."""

    verdict = forms.ChoiceField(choices=Verdict.choices())
    comment = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Needed unless you approve.",
    )
    back_to = forms.ChoiceField(required=False, label="A rejection goes back to")

    def __init__(self, *args: Any, stages: tuple[Stage, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["back_to"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(stage.value, stage.label) for stage in stages]

    @property
    def word(self) -> Verdict:
        return Verdict(self.cleaned_data["verdict"])

    @property
    def stage_back(self) -> Stage | None:
        """Return where a rejection goes; the choice means nothing for the other words."""
        chosen = self.cleaned_data["back_to"]
        return Stage(chosen) if chosen and self.word is Verdict.REJECT else None


class DeploymentReportForm(forms.Form):
    """What became of an ordered deployment."""

    state = forms.ChoiceField(label="It is now", widget=forms.RadioSelect)
    endpoint = forms.CharField(
        required=False, max_length=2048, help_text="The name or ARN of the endpoint it runs behind."
    )
    detail = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Anything worth keeping: the pipeline run, what failed, who did it.",
    )

    def __init__(self, *args: Any, states: list[DeploymentState], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["state"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(state.value, state.label) for state in states]


class MetricsField(forms.CharField):
    """Metrics as people have them: one `name: value` a line, or a JSON object. No value is "not reported"."""

    widget = forms.Textarea(attrs={"rows": 7, "class": "font-monospace", "spellcheck": "false"})
    default_error_messages = {
        "json": "This is not a JSON object: %(problem)s.",
        "line": "Line %(number)s is not `name: value`.",
        "twice": "%(name)s is given twice.",
    }

    def clean(self, value: Any) -> dict[str, Any]:
        text = super().clean(value)
        return self._json(text) if text.lstrip().startswith("{") else self._lines(text)

    def _json(self, text: str) -> dict[str, Any]:
        try:
            found = json.loads(text, object_pairs_hook=self._once)
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(
                self.error_messages["json"], code="json", params={"problem": str(error)}
            ) from error
        assert isinstance(found, dict)
        return found

    def _once(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise forms.ValidationError(self.error_messages["twice"], code="twice", params={"name": name})
            found[name] = value
        return found

    def _lines(self, text: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            if not line.strip():
                continue
            name, separator, given = (
                line.replace("=", ":", 1).partition(":") if ":" not in line else line.partition(":")
            )
            name, given = name.strip(), given.strip()
            if not separator or not name:
                raise forms.ValidationError(self.error_messages["line"], code="line", params={"number": number})
            if name in found:
                raise forms.ValidationError(self.error_messages["twice"], code="twice", params={"name": name})
            found[name] = _value(given)
        return found


def _value(given: str) -> Any:
    """Return a number where it is one, nothing where it is empty, else the text."""
    if given.lower() in ("", "-", "null", "not reported"):
        return None
    try:
        return int(given)
    except ValueError:
        try:
            return float(given)
        except ValueError:
            return given


class MetricsForm(forms.Form):
    """Test results for one stage record."""

    metrics = MetricsField(
        help_text="One a line: auc: 0.81. Leave the value out where it was not measured. A JSON object works too."
    )
    source = forms.CharField(
        required=False, max_length=500, help_text="Where they come from: a report, a pipeline run, a URI."
    )
    captured_at = forms.DateTimeField(
        required=False,
        label="Measured at (UTC)",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="Left empty, it is now.",
    )
