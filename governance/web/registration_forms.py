"""What people fill in to register a version or to create a model group. Forms parse; services decide."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django import forms
from django.db.models import QuerySet

from registry.aws.records import ContainerRecord
from registry.models import AwsAccount, ModelGroup, Project, UseCase
from registry.selectors.registrations import use_cases_for
from registry.selectors.scope import people_of, use_cases_of
from registry.services.group_creations import NewGroup
from registry.services.registrations import NewVersion

MOST_CONTAINERS = 15
# A model card has at most 100,000 characters.
_LARGEST_CARD = 400_000
_RATINGS = [("", "Not rated yet"), ("High", "High"), ("Medium", "Medium"), ("Low", "Low"), ("Unknown", "Unknown")]
_CONTAINER = ("image", "model_data_url", "image_digest", "framework", "framework_version", "environment")


class Lines(forms.CharField):
    """Names and values, one `name = value` a line."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": 3}))
        super().__init__(required=False, **kwargs)

    def to_python(self, value: Any) -> Any:
        found: dict[str, str] = {}
        for line in str(super().to_python(value)).splitlines():
            if not line.strip():
                continue
            name, mark, said = line.partition("=")
            if not mark or not name.strip():
                raise forms.ValidationError(f"Write name = value in each line; this is not: {line.strip()[:80]}")
            if name.strip() in found:
                raise forms.ValidationError(f"{name.strip()[:80]} is given twice.")
            found[name.strip()] = said.strip()
        return found


class JsonObject(forms.CharField):
    """A JSON object as text; empty is {}."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}))
        super().__init__(required=False, **kwargs)

    def to_python(self, value: Any) -> Any:
        text = str(super().to_python(value))
        return read_object(text) if text.strip() else {}


def read_object(text: str) -> dict[str, Any]:
    """Return a JSON object from its text. Raises ValidationError."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise forms.ValidationError(f"This is not JSON: {str(error)[:200]}.") from None
    if not isinstance(found, dict):
        raise forms.ValidationError("This has to be a JSON object, in braces.")
    return found


class RegisterVersionForm(forms.Form):
    """A version to be registered. `count` containers are asked for; what is empty of them is left out."""

    description = forms.CharField(
        max_length=1024, required=False, widget=forms.Textarea(attrs={"rows": 2}), help_text="What this version is."
    )
    content_types = forms.CharField(initial="text/csv", help_text="What it takes in, separated by commas.")
    response_types = forms.CharField(initial="text/csv", help_text="What it answers with, separated by commas.")
    metadata = Lines(help_text="One a line, such as validation_auc = 0.78.")
    use_case: forms.ModelChoiceField = forms.ModelChoiceField(
        queryset=None, required=False, empty_label="As the group says", label="Use case it is for"
    )
    risk_rating = forms.ChoiceField(choices=_RATINGS, required=False)
    purpose = forms.CharField(max_length=2048, required=False, help_text="What the model is for.")
    owner = forms.CharField(max_length=1024, required=False, label="Model owner")
    card = JsonObject(label="Rest of the card", help_text="JSON by SageMaker's schema; what is chosen above wins.")
    card_file = forms.FileField(
        required=False,
        label="Or a file with the card",
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
    )
    metric_sources = JsonObject(label="Metric reports", help_text="ModelMetrics as SageMaker writes them: where in S3.")
    drift_baselines = JsonObject(help_text="DriftCheckBaselines as SageMaker writes them.")
    source_uri = forms.CharField(max_length=1024, required=False, label="Source", help_text="A URI or an ARN.")
    training_job = forms.CharField(max_length=1024, required=False, help_text="The ARN of the training job.")
    mlflow_run = forms.CharField(
        max_length=2048,
        required=False,
        label="MLflow run",
        help_text="Its id, runs:/ and its id, or the address of its page. It is read once the version is there.",
    )
    mlflow_server = forms.CharField(
        max_length=63, required=False, label="Tracking server", help_text="Only where there are several: its name."
    )
    skip_validation = forms.BooleanField(required=False, label="Skip SageMaker's own validation")
    count = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=MOST_CONTAINERS, initial=1)
    # Sent twice, the same form registers once.
    reference = forms.CharField(widget=forms.HiddenInput, max_length=128, required=False)

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        group: ModelGroup,
        count: int = 1,
        filled: Mapping[str, Any] | None = None,
    ) -> None:
        owner = str(group.owner) if group.owner else ""
        begin = {"owner": owner, "reference": str(uuid4()), **(filled or {}), "count": count}
        super().__init__(data, files, initial=begin)
        use_case = self.fields["use_case"]
        assert isinstance(use_case, forms.ModelChoiceField)
        use_case.queryset = use_cases_for(group)
        self.group = group
        self.container_count = count
        for number in range(1, count + 1):
            self._add_container(number)

    @property
    def containers(self) -> list[dict[str, Any]]:
        """Return the fields of each container, for the page."""
        return [
            {"number": number, **{name: self[f"{name}_{number}"] for name in _CONTAINER}}
            for number in range(1, self.container_count + 1)
        ]

    def new(self) -> NewVersion:
        """Return what was filled in, for the service."""
        given = self.cleaned_data
        return NewVersion(
            containers=tuple(self._filled_containers()),
            content_types=_listed(given["content_types"]),
            response_types=_listed(given["response_types"]),
            description=given["description"],
            metadata=given["metadata"],
            card=given["whole_card"] or None,
            metric_sources=given["metric_sources"],
            drift_baselines=given["drift_baselines"],
            source_uri=given["source_uri"],
            training_job=given["training_job"],
            skip_validation=given["skip_validation"],
        )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        card = dict(given.get("card") or {})
        upload = given.get("card_file")
        if upload is not None and card:
            self.add_error("card_file", "Give the card as text or as a file, not both.")
        elif upload is not None and upload.size > _LARGEST_CARD:
            self.add_error("card_file", "A model card has at most 100,000 characters.")
        elif upload is not None:
            try:
                card = read_object(upload.read().decode("utf-8", "replace"))
            except forms.ValidationError as error:
                self.add_error("card_file", error)
        given["whole_card"] = self._with_choices(card, given)
        for name in ("content_types", "response_types"):
            if name in given and not _listed(given[name]):
                self.add_error(name, "Name at least one, such as text/csv.")
        return given

    def _with_choices(self, card: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """Put what was chosen above into the card's own places."""
        use_case: UseCase | None = given.get("use_case")
        chosen = {
            ("intended_uses", "risk_rating"): given.get("risk_rating"),
            ("intended_uses", "purpose_of_model"): given.get("purpose"),
            ("model_overview", "model_owner"): given.get("owner"),
        }
        for (section, name), value in chosen.items():
            if value:
                card[section] = {**_dict(card.get(section)), name: value}
        if use_case is not None:
            information = _dict(card.get("additional_information"))
            details = {
                **_dict(information.get("custom_details")),
                "UseCaseId": use_case.public_id,
                "UseCaseName": use_case.name,
                "UseCaseStage": use_case.stage,
            }
            card["additional_information"] = {**information, "custom_details": details}
        return card

    def _add_container(self, number: int) -> None:
        first = number == 1
        self.fields[f"image_{number}"] = forms.CharField(
            label="Image", max_length=255, required=first, help_text="Where the inference image lies in ECR."
        )
        self.fields[f"model_data_url_{number}"] = forms.CharField(
            label="Artifact",
            max_length=1024,
            required=False,
            widget=forms.TextInput(attrs={"placeholder": "s3://bucket/model.tar.gz"}),
            help_text="An archive in S3, or a prefix that ends in a slash.",
        )
        self.fields[f"image_digest_{number}"] = forms.CharField(
            label="Image digest", max_length=72, required=False, help_text="sha256: and 64 digits."
        )
        self.fields[f"framework_{number}"] = forms.CharField(label="Framework", max_length=100, required=False)
        self.fields[f"framework_version_{number}"] = forms.CharField(
            label="Framework version", max_length=10, required=False
        )
        self.fields[f"environment_{number}"] = Lines(
            label="Environment", widget=forms.Textarea(attrs={"rows": 2}), help_text="One name = value a line."
        )

    def _filled_containers(self) -> list[ContainerRecord]:
        found = []
        for number in range(1, self.container_count + 1):
            values = {name: self.cleaned_data.get(f"{name}_{number}") or "" for name in _CONTAINER[:-1]}
            environment = self.cleaned_data.get(f"environment_{number}") or {}
            if values["image"] or values["model_data_url"] or environment:
                found.append(ContainerRecord(environment=environment, **values))
        return found


class GroupNewForm(forms.Form):
    """A model group to be created in a hub."""

    name = forms.CharField(max_length=63, help_text="Letters, digits and hyphens, such as credit-risk.")
    description = forms.CharField(max_length=1024, required=False, widget=forms.Textarea(attrs={"rows": 2}))
    project: forms.ModelChoiceField = forms.ModelChoiceField(
        queryset=None, empty_label="Choose a project", help_text="Its people will see the group and its versions."
    )
    owner: forms.ModelChoiceField = forms.ModelChoiceField(
        queryset=None, required=False, empty_label="Not named yet", help_text="Holds a role on the project."
    )
    use_cases: forms.ModelMultipleChoiceField = forms.ModelMultipleChoiceField(
        queryset=None,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Versions whose card names no use case serve these. Only use cases of the project count.",
    )
    where = forms.ChoiceField(label="Where", help_text="The hub and the region.")
    tags = Lines(help_text="One a line, such as cost-centre = 4711.")
    policy = forms.CharField(
        required=False,
        label="Resource policy",
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text="JSON. Left empty, the group is let to others by shares alone.",
    )
    reason = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="An ML admin's, for a policy that lets another account approve or delete.",
    )

    def __init__(self, *args: Any, projects: QuerySet[Project], hubs: QuerySet[AwsAccount], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, rows in (
            ("project", projects),
            ("owner", people_of(projects)),
            ("use_cases", use_cases_of(projects)),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows
        self._hubs = {f"{hub.account_id}/{region}": (hub, region) for hub in hubs for region in hub.regions}
        where = self.fields["where"]
        assert isinstance(where, forms.ChoiceField)
        where.choices = [(key, f"{hub} in {region}") for key, (hub, region) in self._hubs.items()]

    def new(self) -> NewGroup:
        """Return what was filled in, for the service."""
        given = self.cleaned_data
        account, region = self._hubs[given["where"]]
        return NewGroup(
            name=given["name"],
            project=given["project"],
            description=given["description"],
            account=account,
            region=region,
            owner=given["owner"],
            use_cases=list(given["use_cases"]),
            tags=given["tags"],
            policy=given["policy"],
            reason=given["reason"],
        )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for part in (one.strip() for one in text.replace("\n", ",").split(",")) if part)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
