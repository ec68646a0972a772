"""Pages of use cases: list, one of them, and the forms that change what is written about it."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import cached_property

from portal.core.permissions import Act, may_anywhere, require
from portal.core.views import CompleteFile, FormPage, Page, TablePage
from portal.core.vocabulary import RiskClass
from registry.services import use_cases

from ..choices import ObjectKind
from ..models import UseCase
from ..selectors import catalogue
from ..selectors.exports import USE_CASE_COLUMNS, use_case_row
from ..selectors.scope import projects_where
from .attributes import columns
from .differences import KeepsTyping
from .exports import complete
from .filters import UseCaseFilter
from .forms import ClassifyForm, EditDocumentsForm, UseCaseForm
from .tables import UseCaseTable


class UseCaseList(TablePage):
    template_name = "registry/use_case_list.html"
    table_class = UseCaseTable
    filter_class = UseCaseFilter

    def rows(self) -> QuerySet[Any]:
        return catalogue.use_cases(self.actor)

    def table_arguments(self) -> dict[str, Any]:
        return {"extra_columns": columns(ObjectKind.USE_CASE, lambda record: record.attributes, optional=True)}

    def every_field(self) -> CompleteFile:
        return complete(ObjectKind.USE_CASE, USE_CASE_COLUMNS, use_case_row)

    def nothing(self) -> dict[str, str]:
        if may_anywhere(self.actor, Act.REGISTER_USE_CASE):
            return {
                "title": "No use cases yet",
                "text": "Register the first one: what the AI is for comes before the model.",
                "icon": "target-arrow",
                "action_label": "Register a use case",
                "action_url": reverse("governance:use_case_register"),
            }
        return {
            "title": "No use cases yet",
            "text": "Data scientists and model owners register them; they appear here for everybody on the project.",
            "icon": "target-arrow",
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_register=may_anywhere(self.actor, Act.REGISTER_USE_CASE), **kwargs)


def tab_url(use_case: UseCase, tab: str) -> str:
    """Return the address of one section of a use case's page."""
    return reverse("registry:use_case_tab", args=[use_case.number, tab])


class OfUseCase(Page):
    """A page about one use case, found by its public id; one that may not be seen is not found."""

    needed_act: Act | None = None

    @cached_property
    def use_case(self) -> UseCase:
        found = catalogue.use_case(self.actor, self.kwargs["number"])
        if self.needed_act is not None:
            require(self.actor, self.needed_act, found.scope_project_id)
        return found

    @property
    def url(self) -> str:
        return reverse("registry:use_case", args=[self.use_case.number])

    def cancel_url(self) -> str:
        return self.url

    def breadcrumbs(self) -> list[dict[str, str]]:
        crumbs = [
            {"label": "Use cases", "url": reverse("registry:use_case_list")},
            {"label": self.use_case.public_id, "url": self.url},
        ]
        return crumbs if self.needed_act is None else [*crumbs, {"label": self.crumb, "url": ""}]

    crumb = ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(use_case=self.use_case, **kwargs)


class UseCaseEdit(OfUseCase, KeepsTyping):
    template_name = "registry/use_case_edit.html"
    form_class = UseCaseForm
    needed_act = Act.EDIT_USE_CASE
    crumb = "Edit"

    def form_arguments(self) -> dict[str, Any]:
        projects = projects_where(self.actor, Act.EDIT_USE_CASE).filter(pk=self.use_case.project_id)
        return {
            "projects": projects,
            "use_case": self.use_case,
            "initial": UseCaseForm.values_of(self.use_case),
        }

    def carry_out(self, form: BaseForm) -> str:
        given = cast("UseCaseForm", form)
        use_cases.edit(
            actor=self.actor,
            use_case_id=self.use_case.pk,
            revision=given.cleaned_data["revision"],
            text=given.text(),
            attributes=given.attributes(),
        )
        self.say(f"{self.use_case.public_id} is saved.")
        return self.url


class UseCaseDocuments(OfUseCase, KeepsTyping):
    template_name = "registry/use_case_documents.html"
    form_class = EditDocumentsForm
    needed_act = Act.EDIT_USE_CASE
    crumb = "Governance documents"
    submit_label = "Save the documents"

    def form_arguments(self) -> dict[str, Any]:
        documents = catalogue.documents_of(self.use_case)
        return {"initial": EditDocumentsForm.values_of({kind: row.text for kind, row in documents if row})}

    def carry_out(self, form: BaseForm) -> str:
        given = cast("EditDocumentsForm", form)
        written = use_cases.write_documents(
            actor=self.actor, use_case_id=self.use_case.pk, texts=given.texts(), read=given.read()
        )
        self.say(
            f"Saved {len(written)} document{'s' if len(written) != 1 else ''} of {self.use_case.public_id}."
            if written
            else "Nothing was changed: the texts are as they were."
        )
        return f"{tab_url(self.use_case, 'evidence')}#documents"

    def typed(self) -> QueryDict | None:
        current = self.form_arguments()["initial"]
        return cast("EditDocumentsForm", self.build(self.request.POST)).beside(current)


class UseCaseClassify(OfUseCase, FormPage):
    template_name = "registry/use_case_classify.html"
    form_class = ClassifyForm
    needed_act = Act.CLASSIFY_USE_CASE
    crumb = "Classify the risk"
    submit_label = "Set this class"

    def form_arguments(self) -> dict[str, Any]:
        if self.use_case.risk_class == RiskClass.UNCLASSIFIED:
            return {}
        return {"initial": {"risk_class": self.use_case.risk_class, "reason": self.use_case.risk_reason}}

    def carry_out(self, form: BaseForm) -> str:
        risk_class = RiskClass(form.cleaned_data["risk_class"])
        use_cases.classify(
            actor=self.actor,
            use_case_id=self.use_case.pk,
            risk_class=risk_class,
            reason=form.cleaned_data["reason"],
        )
        self.say(f"{self.use_case.public_id} is classified {risk_class.label.lower()}.")
        return self.url

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        documents = catalogue.documents_of(self.use_case)
        return super().get_context_data(documents=documents, **kwargs)
