"""What is filled in, step by step, to register a use case. Forms parse; services decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import cached_property

from portal.core.actors import Actor
from portal.core.permissions import Act
from registry import ai_act
from registry.choices import DocumentKind, DraftStep, ObjectKind
from registry.models import Project, UseCaseDraft
from registry.selectors.scope import projects_where
from registry.selectors.use_case_drafts import groups_to_build_from
from registry.services.use_cases import UseCaseText
from registry.web.attributes import AttributeFields
from registry.web.forms import ContextFields, DocumentsForm, PurposeFields
from registry.web.questionnaire import PREFIX, QuestionnaireForm

from ..services.use_cases import AiActAnswers, NewUseCase

TITLES: dict[DraftStep, str] = {
    DraftStep.PURPOSE: "What it is for",
    DraftStep.PEOPLE: "People and context",
    DraftStep.DOCUMENTS: "Governance documents",
    DraftStep.AI_ACT: "EU AI Act",
}
_CLOSED = "You cannot register use cases on this project, or not any more. Choose another."
_ANSWERS_NOTES = ("derogation_reason", "reason")


class _ProjectChoice(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} ({obj.line_of_business.name})"


class _GroupChoices(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        served = ", ".join(use_case.public_id for use_case in obj.use_cases.all())
        return f"{obj.name} in {obj.account.alias}, {f'serves {served}' if served else 'serves no use case yet'}"


class PurposeForm(PurposeFields):
    """The three things nobody can do without."""

    project = _ProjectChoice(
        queryset=None,
        empty_label="Choose a project",
        error_messages={"invalid_choice": _CLOSED},
        help_text="Its people see the use case and work on it.",
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        projects = projects_where(actor, Act.REGISTER_USE_CASE)
        field = self.fields["project"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = projects
        if len(found := list(projects[:2])) == 1:
            field.initial = found[0].pk


class PeopleForm(ContextFields, AttributeFields):
    """Who answers for it, what it will be built from, and the attributes everybody has to give."""

    groups = _GroupChoices(
        queryset=None,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Existing models it will be built from",
        help_text="Model groups of the project. Leave it empty when its models are still to be made.",
        error_messages={"invalid_choice": "One of these model groups is not this project's any more. Choose again."},
    )

    def __init__(self, *args: Any, actor: Actor, project: Project | None, **kwargs: Any) -> None:
        projects = projects_where(actor, Act.REGISTER_USE_CASE)
        projects = projects.none() if project is None else projects.filter(pk=project.pk)
        super().__init__(*args, projects=projects, **kwargs)
        groups = self.fields["groups"]
        assert isinstance(groups, forms.ModelMultipleChoiceField)
        groups.queryset = groups_to_build_from(actor, project)
        owner = self.fields["model_owner"]
        owner.error_messages["invalid_choice"] = "This person holds no role on the project."
        self.ask_for_attributes(ObjectKind.USE_CASE, {}, project.pk if project else None)


StepForm = PurposeForm | PeopleForm | DocumentsForm | QuestionnaireForm


@dataclass(frozen=True)
class Problem:
    """What keeps a draft from being registered, in which step, and where it is put right."""

    step: DraftStep
    label: str
    text: str
    url: str


class DraftForms:
    """The forms of a draft's steps, each filled with what was typed."""

    def __init__(self, actor: Actor, draft: UseCaseDraft | None) -> None:
        self.actor = actor
        self.draft = draft
        self._held: dict[DraftStep, StepForm] = {}

    @cached_property
    def project(self) -> Project | None:
        """The project that was chosen, while the actor may register on it."""
        form = self.held(DraftStep.PURPOSE)
        form.is_valid()
        found: Project | None = form.cleaned_data.get("project")
        return found

    def held(self, step: DraftStep) -> StepForm:
        """Return the form of a step bound to what the draft holds, always the same one."""
        if step not in self._held:
            self._held[step] = self.of(step, typed_data(self.draft.values(step) if self.draft else {}))
        return self._held[step]

    def of(self, step: DraftStep, sent: QueryDict) -> StepForm:
        """Return the form of a step bound to what was sent."""
        if step is DraftStep.PURPOSE:
            return PurposeForm(sent, actor=self.actor)
        if step is DraftStep.PEOPLE:
            return PeopleForm(sent, actor=self.actor, project=self.project)
        if step is DraftStep.DOCUMENTS:
            return DocumentsForm(sent)
        return QuestionnaireForm(sent, edition=ai_act.current())

    def shown(self, step: DraftStep) -> StepForm:
        """Return the form of a step as it is opened: with what was typed and without a word on what is missing."""
        # What is not filled in yet is not wrong yet: the form is not bound to it.
        sent = typed_data(self.draft.values(step) if self.draft else {})
        typed = {name: sent.getlist(name) if name == "groups" else sent[name] for name in sent}
        if step is DraftStep.PURPOSE:
            return PurposeForm(actor=self.actor, initial=typed)
        if step is DraftStep.PEOPLE:
            return PeopleForm(actor=self.actor, project=self.project, initial=typed)
        if step is DraftStep.DOCUMENTS:
            return DocumentsForm(initial=typed)
        edition = ai_act.current()
        answers = QuestionnaireForm(sent, edition=edition).usable
        notes = {name: typed.get(name, "") for name in _ANSWERS_NOTES}
        return QuestionnaireForm(edition=edition, answers=answers, initial=notes)

    def typed(self, step: DraftStep, data: QueryDict) -> dict[str, list[str]]:
        """Return what was sent of a step's own fields; anything else is no part of it."""
        if step is DraftStep.AI_ACT:
            asked = [f"{PREFIX}{key}" for key in ai_act.current().questions]
            names: Iterable[str] = (*asked, *_ANSWERS_NOTES)
        else:
            names = self.of(step, data).fields
        return {name: data.getlist(name) for name in names if name in data}

    def problems(self) -> list[Problem]:
        """Return everything that keeps the draft from being registered, in the order of the steps."""
        assert self.draft is not None
        found = []
        for step in DraftStep:
            for name, texts in self.held(step).errors.items():
                found += [self.problem(step, name, str(text)) for text in texts]
        return found

    def problem(self, step: DraftStep, name: str, text: str) -> Problem:
        """Return one thing that is wrong, with the field's own label."""
        assert self.draft is not None
        fields = self.held(step).fields
        label = str(fields[name].label or name.replace("_", " ").capitalize()) if name in fields else TITLES[step]
        url = reverse("governance:use_case_draft", args=[self.draft.pk, step.value])
        return Problem(step, label, text, f"{url}?check=1#id_{name}" if name in fields else url)

    def new(self) -> NewUseCase:
        """Return everything that was filled in, for the service; call it when there are no problems."""
        purpose, people, documents, answers = (self.held(step) for step in DraftStep)
        assert isinstance(people, PeopleForm)
        assert isinstance(documents, DocumentsForm)
        assert isinstance(answers, QuestionnaireForm)
        for form in (purpose, people, documents, answers):
            form.is_valid()
        first, second = purpose.cleaned_data, people.cleaned_data
        return NewUseCase(
            project_id=first["project"].pk,
            text=UseCaseText(
                name=first["name"],
                intended_purpose=first["intended_purpose"],
                description=second["description"],
                business_owner=second["business_owner"],
                model_owner=second["model_owner"],
                next_review_on=second["next_review_on"],
            ),
            attributes=people.attributes(),
            group_ids=[group.pk for group in second["groups"]],
            documents=documents.texts(),
            ai_act=AiActAnswers(
                answers=answers.answers(),
                edition=answers.edition.id,
                reason=answers.cleaned_data["reason"],
                derogation_reason=answers.cleaned_data["derogation_reason"],
            ),
        )


def typed_data(values: Mapping[str, Iterable[str]]) -> QueryDict:
    """Return what was typed as a browser would send it."""
    data = QueryDict(mutable=True)
    for name, texts in values.items():
        data.setlist(name, list(texts))
    return data


def step_of(name: str) -> DraftStep:
    """Return the step that holds what a refusal names."""
    if name.startswith("answers") or name in (*_ANSWERS_NOTES, "edition"):
        return DraftStep.AI_ACT
    if name in ("name", "intended_purpose", "project"):
        return DraftStep.PURPOSE
    return DraftStep.DOCUMENTS if name in list(DocumentKind) else DraftStep.PEOPLE
