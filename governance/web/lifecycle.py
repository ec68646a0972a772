"""The verbs of the lifecycle as pages: register, submit, retire."""

from __future__ import annotations

from typing import Any, cast

from django.forms import BaseForm
from django.urls import reverse

from portal.core.errors import Forbidden
from portal.core.permissions import ROLES, Act, may, require
from portal.core.views import FormPage
from registry.models import ModelVersion, UseCase
from registry.selectors.scope import projects_where

from ..selectors import standing
from ..services import approvals, retirement, use_cases
from .forms import RegisterForm, RetireForm, SubmitForm
from .panels import OfSubject, request_line, submission
from .wording import request_url, url_of


class UseCaseRegister(FormPage):
    template_name = "governance/use_case_register.html"
    form_class = RegisterForm
    submit_label = "Register the use case"
    needs = Act.REGISTER_USE_CASE

    def form_arguments(self) -> dict[str, Any]:
        return {"projects": projects_where(self.actor, Act.REGISTER_USE_CASE)}

    def carry_out(self, form: BaseForm) -> str:
        use_case = use_cases.register(
            actor=self.actor, project_id=form.cleaned_data["project"].pk, text=cast("RegisterForm", form).text()
        )
        self.say(
            f"{use_case.public_id} is registered. Write its governance documents, then ask for approval;"
            " a governance officer classifies its risk meanwhile."
        )
        return reverse("registry:use_case", args=[use_case.number])

    def cancel_url(self) -> str:
        return reverse("registry:use_case_list")

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [{"label": "Use cases", "url": self.cancel_url()}, {"label": "Register", "url": ""}]


class Submit(OfSubject, FormPage):
    """Ask for approval; what is required is said before anybody writes a word."""

    template_name = "governance/submit.html"
    form_class = SubmitForm
    fragment = ""
    part = "Ask for approval"
    submit_label = "Ask for approval"

    def cancel_url(self) -> str:
        return url_of(self.subject)

    def form_arguments(self) -> dict[str, Any]:
        earlier = self._turned_down()
        return {"initial": {"note": earlier["row"].note}} if earlier else {}

    def _turned_down(self) -> dict[str, Any] | None:
        """Return the request that was rejected or sent back last: a resubmission starts from its note."""
        found = next(iter(standing.requests_about(self.subject)), None)
        if found is None or found.state not in ("rejected", "changes_requested", "outdated"):
            return None
        return request_line(found, self.actor)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        require(self.actor, Act.SUBMIT, self.subject.scope_project_id)
        return super().get_context_data(
            submission=submission(self.actor, self.subject), turned_down=self._turned_down(), **kwargs
        )

    def carry_out(self, form: BaseForm) -> str:
        request = approvals.submit(
            actor=self.actor,
            subject_type=type(self.subject),
            subject_id=self.subject.pk,
            note=form.cleaned_data["note"],
        )
        line = request_line(request, self.actor)
        self.say(f"{request.public_id} is on its way, {line['waiting']}.")
        return request_url(request)


class Retire(OfSubject, FormPage):
    """Take a use case or version out of service, on an officer's word; a page of its own, for it is for good."""

    template_name = "governance/retire.html"
    form_class = RetireForm
    fragment = ""
    part = "Retire"
    submit_label = "Retire it for good"

    def cancel_url(self) -> str:
        return url_of(self.subject)

    def form_arguments(self) -> dict[str, Any]:
        return {"running": bool(self._running())}

    def _running(self) -> list[Any]:
        if not isinstance(self.subject, ModelVersion):
            return []
        return retirement.in_place(self.subject)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if not may(self.actor, Act.RETIRE, self.subject.scope_project_id):
            raise Forbidden.for_act(Act.RETIRE.value, [role.label for role in sorted(ROLES[Act.RETIRE])])
        return super().get_context_data(
            running=self._running(), is_use_case=isinstance(self.subject, UseCase), **kwargs
        )

    def carry_out(self, form: BaseForm) -> str:
        retirement.retire(
            actor=self.actor,
            subject_type=type(self.subject),
            subject_id=self.subject.pk,
            reason=form.cleaned_data["reason"],
            force=form.cleaned_data.get("force", False),
        )
        self.say(f"{self.subject} is retired.")
        return url_of(self.subject)
