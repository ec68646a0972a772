"""Findings: the list, one of them with what happened to it, and what people do about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.views.generic import View

from portal.core.bulk_actions import BulkTablePage
from portal.core.csv_export import streamed
from portal.core.errors import InvalidInput
from portal.core.permissions import Act, may, require
from portal.core.views import ActionView, CompleteFile, FormPage, Page, SignedIn

from ..choices import FindingState
from ..models import Finding
from ..selectors import findings as selectors
from ..services import findings
from .bulk import FINDING_ACTIONS
from .finding_forms import AcceptForm, AssignForm, DueForm, ReopenForm, ResolveForm
from .finding_tables import FindingFilter, FindingTable, subject_link
from .wording import timeline_of

_BATCH = 500


class FindingList(BulkTablePage):
    template_name = "governance/finding_list.html"
    table_class = FindingTable
    filter_class = FindingFilter
    bulk = FINDING_ACTIONS

    def rows(self) -> QuerySet[Any]:
        return selectors.findings(self.actor)

    def every_field(self) -> CompleteFile:
        return selectors.COLUMNS, lambda rows: map(selectors.as_row, rows.iterator(chunk_size=_BATCH))

    def nothing(self) -> dict[str, str]:
        return {
            "title": "No finding",
            "text": "Where SageMaker and the portal do not agree, it is listed here and goes away when they do again.",
            "icon": "shield-check",
        }


class FindingFile(SignedIn, View):
    """The same rows under the same filters as CSV; evidence is JSON, and no cell can become a formula."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        chosen = FindingFilter(request.GET or None, queryset=selectors.findings(self.actor), request=request)
        if chosen.is_bound and not chosen.form.is_valid():
            raise InvalidInput("These filters cannot be used.", errors=dict(chosen.form.errors))
        rows = map(selectors.as_row, chosen.qs.iterator(chunk_size=_BATCH))
        return streamed(f"findings-{timezone.now():%Y-%m-%d}.csv", selectors.COLUMNS, rows)


class OfFinding(Page):
    """A page about one finding."""

    part = ""

    @cached_property
    def finding(self) -> Finding:
        return selectors.finding(self.actor, self.kwargs["pk"])

    @property
    def url(self) -> str:
        return reverse("governance:finding", args=[self.finding.pk])

    def breadcrumbs(self) -> list[dict[str, str]]:
        path = [{"label": "Findings", "url": reverse("governance:finding_list")}]
        path.append({"label": self.finding.public_id, "url": self.url if self.part else ""})
        return [*path, {"label": self.part, "url": ""}] if self.part else path

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(finding=self.finding, about=subject_link(self.finding), **kwargs)


class FindingPage(OfFinding, FormPage):
    """One finding; resolving it by hand needs a note."""

    template_name = "governance/finding.html"
    form_class = ResolveForm
    submit_label = "Resolve it"

    def carry_out(self, form: BaseForm) -> str:
        finding = findings.resolve(actor=self.actor, finding_id=self.finding.pk, note=form.cleaned_data["note"])
        self.say(f"{finding.public_id} is resolved.")
        return self.url

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Whoever may not resolve it is told so before he is told what is wrong with his note.
        if not findings.may_work_on(self.actor, self.finding):
            require(self.actor, Act.HANDLE_FINDINGS, self.finding.scope_project_id)
        return super().post(request, *args, **kwargs)

    def cancel_url(self) -> str:
        return reverse("governance:finding_list")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        finding = self.finding
        officer = may(self.actor, Act.HANDLE_FINDINGS, finding.scope_project_id)
        works = findings.may_work_on(self.actor, finding)
        next_states = findings.moves_from(finding.state)
        return super().get_context_data(
            history=timeline_of(selectors.history(finding)),
            may_resolve=works and FindingState.RESOLVED in next_states,
            may_acknowledge=works and FindingState.ACKNOWLEDGED in next_states,
            may_accept=officer and FindingState.ACCEPTED in next_states,
            may_reopen=officer and FindingState.OPEN in next_states,
            may_assign=officer and finding.state != FindingState.RESOLVED,
            may_set_due=officer and finding.is_standing,
            **kwargs,
        )


class FindingAcknowledge(ActionView):
    """Take a finding on."""

    def carry_out(self) -> str:
        finding = findings.acknowledge(actor=self.actor, finding_id=self.kwargs["pk"])
        self.say(f"{finding.public_id} is yours now.")
        return reverse("governance:finding", args=[finding.pk])


class OfficersPage(OfFinding, FormPage):
    """A form about one finding that is for officers."""

    template_name = "governance/finding_action.html"
    title = ""
    effects: tuple[str, ...] = ()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            require(self.actor, Act.HANDLE_FINDINGS, self.finding.scope_project_id)
        return super().dispatch(request, *args, **kwargs)

    def cancel_url(self) -> str:
        return self.url

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(title=self.title, effects=self.effects, **kwargs)


class FindingAccept(OfficersPage):
    part = "Accept"
    title = "Accept this for a while?"
    form_class = AcceptForm
    submit_label = "Accept it"
    effects = (
        "It asks for nothing until the day you choose, and is not counted among the open ones.",
        "While the same is still seen, no second finding opens; when reality agrees again, it resolves itself.",
        "The day after, it opens again by itself, with a new due date.",
    )

    def form_arguments(self) -> dict[str, Any]:
        return {"initial": {"until": timezone.localdate() + timedelta(days=30)}}

    def carry_out(self, form: BaseForm) -> str:
        given = form.cleaned_data
        finding = findings.accept(
            actor=self.actor, finding_id=self.finding.pk, reason=given["reason"], until=given["until"]
        )
        self.say(f"{finding.public_id} is accepted until {finding.accepted_until}.")
        return self.url


class FindingReopen(OfficersPage):
    part = "Open again"
    title = "Open this again?"
    form_class = ReopenForm
    submit_label = "Open it again"
    effects = ("It stands among the open findings again, with a new due date.",)

    def carry_out(self, form: BaseForm) -> str:
        finding = findings.reopen(actor=self.actor, finding_id=self.finding.pk, reason=form.cleaned_data["reason"])
        self.say(f"{finding.public_id} is open again.")
        return self.url


class FindingAssign(OfficersPage):
    part = "Assign"
    title = "Who deals with it?"
    form_class = AssignForm
    submit_label = "Assign it"
    effects = ("Its owner may take it on and resolve it, also without being a governance officer.",)

    def form_arguments(self) -> dict[str, Any]:
        return {
            "people": selectors.possible_owners(self.finding),
            "initial": {"owner": self.finding.owner_id},
        }

    def carry_out(self, form: BaseForm) -> str:
        given = form.cleaned_data
        finding = findings.assign(
            actor=self.actor, finding_id=self.finding.pk, owner=given["owner"], reason=given["reason"]
        )
        self.say(f"{finding.public_id} is {f'for {finding.owner}' if finding.owner else 'for nobody'} now.")
        return self.url


class FindingDue(OfficersPage):
    part = "Due date"
    title = "By when is it to be dealt with?"
    form_class = DueForm
    submit_label = "Set the date"

    def form_arguments(self) -> dict[str, Any]:
        return {"initial": {"due_on": self.finding.due_on}}

    def carry_out(self, form: BaseForm) -> str:
        given = form.cleaned_data
        finding = findings.set_due(
            actor=self.actor, finding_id=self.finding.pk, due_on=given["due_on"], reason=given["reason"]
        )
        self.say(f"{finding.public_id} is {f'due on {finding.due_on}' if finding.due_on else 'not due on any day'}.")
        return self.url
