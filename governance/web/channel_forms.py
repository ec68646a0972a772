"""What an ML admin fills in about a channel. Forms parse; services decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet

from registry.models import AwsAccount

from ..choices import MODEL_STAGE_CHOICES, ChannelKind, PipelineHome
from ..models import DeploymentChannel
from ..selectors.channels import ORDER_WORDS

_EXAMPLE = "ModelPackageArn = model_package_arn\nStage = stage\nOrderId = order_id"
_OF_KIND: dict[ChannelKind, tuple[str, ...]] = {
    ChannelKind.EVENT_BRIDGE: ("bus",),
    ChannelKind.PIPELINE: ("runs_in", "pipeline", "parameters"),
    ChannelKind.CALLBACK: ("runs_in", "queue_url", "pipeline", "step_name"),
    ChannelKind.WEBHOOK: ("url",),
}


class _Account(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.alias} {obj.account_id}"


class ParametersField(forms.CharField):
    """Lines of `Name = word`, read into a mapping."""

    widget = forms.Textarea(attrs={"rows": 6, "spellcheck": "false"})

    def to_python(self, value: Any) -> Any:
        found: dict[str, str] = {}
        for line in str(value or "").splitlines():
            name, separator, word = line.partition("=")
            if not line.strip():
                continue
            if not separator or not name.strip():
                raise forms.ValidationError(f"Write Name = word on each line; this is none: {line.strip()[:80]}")
            if name.strip() in found:
                raise forms.ValidationError(f"{name.strip()[:80]} stands there twice.")
            found[name.strip()] = word.strip()
        return found

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return "\n".join(f"{name} = {word}" for name, word in value.items())
        return value


class ChannelForm(forms.Form):
    """One channel: what it is for, and the settings of its kind."""

    account = _Account(queryset=None, empty_label="Choose an account", help_text="That is deployed to.")
    stage = forms.ChoiceField(
        required=False, choices=[("", "Every stage without a channel of its own"), *MODEL_STAGE_CHOICES]
    )
    bus = forms.CharField(
        label="Event bus", required=False, max_length=256, help_text="Name or ARN. Empty: the bus named on the hub."
    )
    runs_in = forms.ChoiceField(label="The pipeline runs in", choices=PipelineHome.choices())
    pipeline = forms.CharField(max_length=2048, help_text="Name or ARN.")
    parameters = ParametersField(
        help_text="One a line: the parameter's name, =, and the word of the order it is given: "
        f"{', '.join(ORDER_WORDS)}. A text of your own stands behind a second =, as in Instance = =ml.m5.large. Without"
        " the action, removals go to the hub's bus.",
        initial=_EXAMPLE,
    )
    queue_url = forms.CharField(
        label="Queue URL",
        required=False,
        max_length=500,
        help_text="The SQS queue of the callback step, when the portal is to read it.",
    )
    step_name = forms.CharField(
        label="Callback step", required=False, max_length=64, help_text="When the pipeline has several."
    )
    url = forms.CharField(label="URL", max_length=2048, help_text="Https, and an address of the public internet.")
    is_enabled = forms.BooleanField(
        label="Use it", required=False, initial=True, help_text="While it is off, orders go as if it were not there."
    )

    def __init__(
        self,
        *args: Any,
        kind: ChannelKind,
        accounts: QuerySet[AwsAccount],
        channel: DeploymentChannel | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        own = {"is_enabled", *_OF_KIND[kind], *(() if channel else ("account", "stage"))}
        for name in set(self.fields) - own:
            del self.fields[name]
        if channel is None:
            account = self.fields["account"]
            assert isinstance(account, forms.ModelChoiceField)
            account.queryset = accounts
        else:
            self.initial = {name: getattr(channel, name) for name in self.fields}
            self.fields["revision"] = forms.IntegerField(
                widget=forms.HiddenInput, initial=channel.revision, min_value=1, max_value=2_000_000_000
            )
        if kind is ChannelKind.CALLBACK:
            self.fields["pipeline"].required = False
            self.fields["pipeline"].help_text = (
                "When the portal is to look for its waiting steps in SageMaker: name or ARN. It must register the"
                " version before it waits."
            )

    def settings(self) -> dict[str, Any]:
        """Return what was filled in, by the names of the service."""
        return {
            name: value for name, value in self.cleaned_data.items() if name not in ("account", "stage", "revision")
        }


class GraceForm(forms.Form):
    """How many hours the former secret signs beside the new one."""

    grace_hours = forms.IntegerField(min_value=0, max_value=168)
