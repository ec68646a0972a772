"""Pages of use cases: list, one of them, and the forms that change what is written about it."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property

from portal.core.errors import StaleEdit
from portal.core.permissions import Act, may, may_anywhere, require
from portal.core.views import FormPage, Page, TablePage
from portal.core.vocabulary import RiskClass, Stage
from registry.services import use_cases

from ..choices import ObjectKind
from ..models import UseCase
from ..selectors import attributes, catalogue
from ..selectors.scope import projects_where
from .attributes import card_items
from .differences import overtaken
from .filters import UseCaseFilter
from .forms import ClassifyForm, DocumentsForm, UseCaseForm
from .tables import UseCaseTable


class UseCaseList(TablePage):
    template_name = "registry/use_case_list.html"
    table_class = UseCaseTable
    filter_class = UseCaseFilter

    def rows(self) -> QuerySet[Any]:
        return catalogue.use_cases(self.actor)

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
        return super().get_context_data(
            may_register=may_anywhere(self.actor, Act.REGISTER_USE_CASE), query=self.request.GET.urlencode(), **kwargs
        )


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


class UseCaseDetail(OfUseCase):
    template_name = "registry/use_case.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        use_case = self.use_case
        scope = use_case.scope_project_id
        is_open = use_case.stage != Stage.RETIRED
        documents = catalogue.documents_of(use_case)
        return super().get_context_data(
            documents=documents,
            written=sum(1 for _, document in documents if document),
            groups=catalogue.groups_behind(self.actor, use_case),
            attributes=card_items(attributes.sheet(ObjectKind.USE_CASE, archived=True), use_case.attributes),
            may_edit=is_open and may(self.actor, Act.EDIT_USE_CASE, scope),
            may_classify=is_open and may(self.actor, Act.CLASSIFY_USE_CASE, scope),
            unclassified=use_case.risk_class == RiskClass.UNCLASSIFIED,
            **kwargs,
        )


class UseCaseEdit(OfUseCase, FormPage):
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

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().post(request, *args, **kwargs)
        except StaleEdit as refusal:
            return overtaken(self, refusal)


class UseCaseDocuments(OfUseCase, FormPage):
    template_name = "registry/use_case_documents.html"
    form_class = DocumentsForm
    needed_act = Act.EDIT_USE_CASE
    crumb = "Governance documents"
    submit_label = "Save the documents"

    def form_arguments(self) -> dict[str, Any]:
        documents = catalogue.documents_of(self.use_case)
        return {"initial": {kind.value: document.text for kind, document in documents if document}}

    def carry_out(self, form: BaseForm) -> str:
        written = use_cases.write_documents(
            actor=self.actor, use_case_id=self.use_case.pk, texts=cast("DocumentsForm", form).texts()
        )
        self.say(
            f"Saved {len(written)} document{'s' if len(written) != 1 else ''} of {self.use_case.public_id}."
            if written
            else "Nothing was changed: the texts are as they were."
        )
        return f"{self.url}#documents"


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
