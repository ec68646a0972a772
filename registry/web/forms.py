"""What people fill in about use cases and model groups. Forms parse; services decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict

from portal.core.actors import Actor
from portal.core.permissions import Act
from portal.core.templatetags.palette import plain_words
from portal.core.vocabulary import RiskClass
from registry.services.use_cases import UseCaseText, text_mark

from ..choices import DocumentKind, ObjectKind
from ..models import ModelGroup, Project, UseCase
from ..selectors.scope import people_of, projects_where, use_cases_of
from .attributes import AttributeFields

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class PurposeFields(forms.Form):
    """What a use case is called and what it is for."""

    name = forms.CharField(max_length=200, help_text="What people will call it: Credit risk scoring.")
    intended_purpose = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What the AI does, for whom, and what happens with its output.",
    )


class ContextFields(forms.Form):
    """Whose a use case is, its limits and when it is looked at again."""

    description = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4}), required=False, help_text="Scope, limits, data used."
    )
    business_owner = forms.CharField(
        max_length=200, required=False, help_text="Who answers for it in the business: a person or a position."
    )
    model_owner: forms.ModelChoiceField = forms.ModelChoiceField(
        queryset=None,
        required=False,
        empty_label="Not named yet",
        help_text="Leads the data science team; holds a role on the project.",
    )
    next_review_on = forms.DateField(label="Next review", required=False, widget=DAY)

    def __init__(self, *args: Any, projects: QuerySet[Project], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner = self.fields["model_owner"]
        assert isinstance(owner, forms.ModelChoiceField)
        owner.queryset = people_of(projects)


class UseCaseFields(PurposeFields, ContextFields):
    """What is written about a use case."""

    field_order = ("name", "intended_purpose", "description", "business_owner", "model_owner", "next_review_on")

    def text(self) -> UseCaseText:
        """Return what was written, for the service."""
        given = self.cleaned_data
        return UseCaseText(
            name=given["name"],
            intended_purpose=given["intended_purpose"],
            description=given["description"],
            business_owner=given["business_owner"],
            model_owner=given["model_owner"],
            next_review_on=given["next_review_on"],
        )


class UseCaseForm(UseCaseFields, AttributeFields):
    """The edit form; it carries the revision that was read, so that nobody overwrites what he has not seen."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, *args: Any, use_case: UseCase, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ask_for_attributes(ObjectKind.USE_CASE, use_case.attributes, use_case.project_id)

    @staticmethod
    def values_of(use_case: UseCase) -> dict[str, Any]:
        """Return the fields as the use case holds them."""
        return {
            "name": use_case.name,
            "intended_purpose": use_case.intended_purpose,
            "description": use_case.description,
            "business_owner": use_case.business_owner,
            "model_owner": use_case.model_owner_id,
            "next_review_on": use_case.next_review_on,
            "revision": use_case.revision,
        }


_ASKS = {
    DocumentKind.RISK_ASSESSMENT: "Who could be harmed, how likely and how badly; which article of the AI Act applies.",
    DocumentKind.MITIGATION: "What is done against each risk, and how you will know that it works.",
    DocumentKind.TRANSPARENCY: "What the people concerned are told, and how a result is explained to them.",
    DocumentKind.OVERSIGHT: "Who may overrule the model, when and how.",
    DocumentKind.MONITORING: "What is watched in operation, how often, and what triggers action.",
}


class DocumentsForm(forms.Form):
    """The five parts of use-case governance. A part left empty stays as it is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in DocumentKind:
            self.fields[kind.value] = forms.CharField(
                label=plain_words(kind.value),
                required=False,
                help_text=_ASKS[kind],
                widget=forms.Textarea(attrs={"rows": 4}),
            )

    def texts(self) -> dict[DocumentKind, str]:
        """Return what was written, by kind."""
        return {kind: self.cleaned_data[kind.value] for kind in DocumentKind}


class EditDocumentsForm(DocumentsForm):
    """The five parts with what each said when the form was opened, so that nobody overwrites what he has not read."""

    revision = forms.CharField(widget=forms.HiddenInput, required=False, max_length=400)

    @staticmethod
    def values_of(written: Mapping[DocumentKind, str]) -> dict[str, str]:
        """Return the fields as the documents stand."""
        marks = ",".join(f"{kind.value}:{text_mark(written.get(kind, ''))}" for kind in DocumentKind)
        return {**{kind.value: text for kind, text in written.items()}, "revision": marks}

    def read(self) -> dict[DocumentKind, str]:
        """Return the mark of each part as it was read; nothing for a part the page does not tell of."""
        return _marks(self.cleaned_data["revision"])

    def beside(self, current: Mapping[str, str]) -> QueryDict:
        """Return what was sent, with what is saved now in the parts the sender left as he had read them."""
        sent = cast("QueryDict", self.data).copy()
        read = _marks(str(sent.get("revision", ""))[:400])
        for kind in DocumentKind:
            if text_mark(str(sent.get(kind.value, ""))) == read.get(kind, ""):
                sent[kind.value] = current.get(kind.value, "")
        return sent


def _marks(text: str) -> dict[DocumentKind, str]:
    pairs = (part.partition(":") for part in text.split(","))
    return {DocumentKind(kind): mark for kind, _, mark in pairs if kind in list(DocumentKind)}


_CLASSES = {
    RiskClass.UNACCEPTABLE: "Unacceptable: a prohibited practice (Art. 5). It can never leave POC.",
    RiskClass.HIGH: "High: a safety component (Annex I) or an area of Annex III, such as creditworthiness.",
    RiskClass.LIMITED: "Limited: people must be told that they deal with AI (Art. 50).",
    RiskClass.MINIMAL: "Minimal: none of these.",
}


class ClassifyForm(forms.Form):
    """A governance officer's word on the AI Act class, with the reason."""

    risk_class = forms.ChoiceField(
        label="Class under the EU AI Act",
        choices=[(word.value, text) for word, text in _CLASSES.items()],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Why this class applies; name the article or annex. It is kept and shown with the badge.",
    )


class _UseCaseChoices(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj} ({obj.project.name})"


class GroupForm(AttributeFields):
    """Claim a model group for a project, name its owner and the use cases it serves."""

    project: forms.ModelChoiceField = forms.ModelChoiceField(
        queryset=None,
        required=False,
        empty_label="No project",
        help_text="People with a role on this project will see the group and its versions.",
    )
    owner: forms.ModelChoiceField = forms.ModelChoiceField(
        queryset=None, required=False, empty_label="Not named yet", help_text="Holds a role on the project."
    )
    use_cases = _UseCaseChoices(
        queryset=None,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Versions whose card names no use case serve these. Only use cases of the project count.",
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, *args: Any, actor: Actor, group: ModelGroup, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        projects = projects_where(actor, Act.EDIT_GROUP)
        self.chosen = self._chosen(projects)
        # Once a project is chosen only its people and use cases are offered.
        offered = projects if self.chosen is None else projects.filter(pk=self.chosen.pk)
        for name, rows in (
            ("project", projects),
            ("owner", people_of(offered)),
            ("use_cases", use_cases_of(offered)),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows
        self.fields["owner"].error_messages["invalid_choice"] = "This person holds no role on the project."
        self.fields["use_cases"].error_messages["invalid_choice"] = "One of these belongs to another project."
        if group.project_id is None:
            project = self.fields["project"]
            assert isinstance(project, forms.ModelChoiceField)
            project.required, project.empty_label = True, "Choose a project"
            project.error_messages["required"] = "Choose the project that the group belongs to."
        self.ask_for_attributes(ObjectKind.MODEL_GROUP, group.attributes, group.project_id)

    def _chosen(self, projects: QuerySet[Project]) -> Project | None:
        given = self.data.get("project") if self.is_bound else self.initial.get("project")
        text = str(given or "")
        return projects.filter(pk=int(text)).first() if text.isascii() and text.isdecimal() and len(text) < 19 else None

    @staticmethod
    def values_of(group: ModelGroup) -> dict[str, Any]:
        """Return the fields as the group holds them."""
        return {
            "project": group.project_id,
            "owner": group.owner_id,
            "use_cases": [use_case.pk for use_case in group.use_cases.all()],
            "revision": group.revision,
        }
