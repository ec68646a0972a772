"""The verbs of the lifecycle as pages: submit, retire."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property

from portal.core.errors import Forbidden, WrongState
from portal.core.permissions import ROLES, Act, may, require
from portal.core.views import FormPage
from registry.models import ModelVersion, UseCase

from ..choices import RequestState
from ..models import ApprovalRequest
from ..selectors import standing
from ..selectors.binding import moved_since
from ..services import approvals, retirement
from .asking import asking
from .forms import RetireForm, SubmitForm
from .panels import OfSubject, request_line
from .wording import difference_lines, request_url, url_of, waiting_words


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
        earlier = self._turned_down
        return {"initial": {"note": earlier["row"].note}} if earlier else {}

    @cached_property
    def _turned_down(self) -> dict[str, Any] | None:
        """Return the request that was rejected or sent back last: a resubmission starts from its note."""
        found = next(iter(standing.requests_about(self.subject)), None)
        if found is None or found.state not in ("rejected", "changes_requested", "outdated", "expired"):
            return None
        return request_line(found, self.actor) | {"changed": difference_lines(moved_since(found))}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        require(self.actor, Act.SUBMIT, self.subject.scope_project_id)
        return super().get_context_data(
            submission=asking(self.actor, self.subject, later=True), turned_down=self._turned_down, **kwargs
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().post(request, *args, **kwargs)
        except approvals.AlreadyOpen as refusal:
            mine = self._open_of_mine()
            if mine is None:
                return self._refused(refusal)
            # A second click on the same button: what it asks for has been asked for.
            messages.info(request, f"{mine.public_id} is on its way already, {waiting_words(mine)}.")
            return HttpResponseRedirect(request_url(mine))
        except WrongState as refusal:
            return self._refused(refusal)

    def _open_of_mine(self) -> ApprovalRequest | None:
        found = standing.requests_about(self.subject)
        return next(
            (one for one in found if one.state == RequestState.OPEN and one.requester_id == self.actor.user_id), None
        )

    def _refused(self, refusal: WrongState) -> HttpResponse:
        """Show how it stands now; the note that was typed is kept."""
        form = self.build(self.request.POST)
        return self.show_again(form, refusal.status, refused=refusal.detail, kept=self.request.POST.get("note", ""))

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
