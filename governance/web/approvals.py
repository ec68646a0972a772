"""The queue and the decision page."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.db.models import QuerySet, prefetch_related_objects
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode

from portal.core.bulk_actions import BulkAction, BulkTablePage
from portal.core.errors import WrongState
from portal.core.listing import EXPORT
from portal.core.permissions import Act, may
from portal.core.views import ActionView, FormPage, Page
from portal.core.vocabulary import Stage
from registry.models import ModelVersion, UseCase
from registry.selectors import catalogue

from ..choices import RequestState, Verdict
from ..models import ApprovalRequest
from ..selectors import comparison, inbox, standing, waiting_steps
from ..selectors.binding import moved_since
from ..selectors.inbox import Tab
from ..selectors.overrides import failing
from ..services import approvals, preview
from . import conflicts
from .bulk import APPROVAL_ACTIONS
from .checks import checks_of, quick_reasons, sign_offs_of
from .forms import DecisionForm
from .request_filters import RequestFilter
from .request_tables import RequestTable
from .wording import difference_lines, name_of, request_url, url_of, waiting_words

# Of the earlier requests about a subject, those its decision page lists.
_EARLIER = 8

_TABS = {
    Tab.MINE: ("Waiting on me", "inbox"),
    Tab.ROLES: ("My roles", "users"),
    Tab.OVERDUE: ("Overdue", "calendar-due"),
    Tab.DECIDED: ("Decided by me", "checks"),
    Tab.ASKED: ("Asked by me", "send"),
    Tab.ALL: ("All", "list"),
}
# The parts whose number is of interest: what is still open.
_COUNTED = (Tab.MINE, Tab.ROLES, Tab.OVERDUE, Tab.ASKED)
# The parts that hold what one may decide on.
_DECIDED_IN = (Tab.MINE, Tab.ROLES, Tab.OVERDUE)
_NOTHING = {
    Tab.MINE: ("Nothing waits on you", "New requests appear here as soon as somebody asks for what you may decide."),
    Tab.ROLES: ("No request waits for your roles", "Requests that wait for a role you hold appear here."),
    Tab.OVERDUE: ("Nothing is overdue", "Open requests past their due date appear here."),
    Tab.DECIDED: ("You have not decided anything yet", "Your decisions stay listed here."),
    Tab.ASKED: (
        "You have not asked for any approval",
        "Open a use case or a model version and ask for approval there.",
    ),
    Tab.ALL: ("No request yet", "Requests for approval appear here once somebody submits a use case or a version."),
}


class Queue(BulkTablePage):
    template_name = "governance/queue.html"
    table_class = RequestTable
    bulk = APPROVAL_ACTIONS
    filter_class = RequestFilter
    parameters = ("tab",)

    @property
    def tab(self) -> Tab:
        try:
            return Tab(self.request.GET.get("tab", Tab.MINE))
        except ValueError:
            return Tab.MINE

    def bulk_actions(self) -> list[BulkAction]:
        # Also whoever only stands in for somebody decides; where nothing waits for him, nothing is offered.
        return super().bulk_actions() if self.tab in _DECIDED_IN and inbox.may_decide(self.actor) else []

    def rows(self) -> QuerySet[Any]:
        # A file does not say what blocks a request; it may have many thousand rows.
        return inbox.queue(self.actor, self.tab, with_content=EXPORT not in self.request.GET)

    def nothing(self) -> dict[str, str]:
        title, text = _NOTHING[self.tab]
        return {"title": title, "text": text, "icon": "checks"}

    @cached_property
    def totals(self) -> dict[Tab, int]:
        return inbox.counts(self.actor, self.tab)

    def known_count(self) -> int | None:
        return self.totals.get(self.tab)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        tabs = [
            {
                "label": label,
                "icon": icon,
                "url": f"?tab={tab}",
                "active": tab is self.tab,
                "count": self.totals[tab] if tab in _COUNTED else None,
            }
            for tab, (label, icon) in _TABS.items()
        ]
        return super().get_context_data(tabs=tabs, **kwargs)


class RequestPage(FormPage):
    """Left what it is and what changes, in the middle the checks, on the right the decision."""

    template_name = "governance/request.html"
    form_class = DecisionForm
    fragment = "delivery"

    @cached_property
    def request_row(self) -> ApprovalRequest:
        found = inbox.request(self.actor, self.kwargs["pk"])
        if found.version is not None:
            # Every rule about a version asks what it serves.
            prefetch_related_objects([found.version], "use_cases")
        return found

    def form_arguments(self) -> dict[str, Any]:
        return {"stages": preview.stages_to_go_back_to(self.request_row)}

    def cancel_url(self) -> str:
        return reverse("governance:queue")

    @property
    def goes_on(self) -> bool:
        """Whether the next request that waits is wanted after this one."""
        return self.request.GET.get("then") == "next"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().post(request, *args, **kwargs)
        except approvals.RequirementsUnmet as refusal:
            del self.request_row
            return self.show_again(self.build(request.POST), refusal.status, not_yet=refusal)
        except WrongState as refusal:
            return self._overtaken(refusal)

    def _overtaken(self, refusal: WrongState) -> HttpResponse:
        """Show what happened meanwhile and keep what was typed; a second click finds its decision made."""
        del self.request_row
        asked, verdict = self.request_row, self.request.POST.get("verdict", "")
        if not isinstance(refusal, approvals.StaleRequest) and (
            words := conflicts.said_before(self.actor, asked, verdict)
        ):
            messages.info(self.request, words)
            return HttpResponseRedirect(self._onwards(inbox.neighbours(self.actor, asked.pk)[1]))
        context = conflicts.conflict(self.actor, asked, refusal, verdict, self.request.POST.get("comment", ""))
        page = Page.get_context_data(self, **context)
        return self.response_class(self.request, ["governance/conflict.html"], page, status=refusal.status)

    def _onwards(self, after: int | None) -> str:
        """Return where to go after a decision: the next request that waits, the queue when there is none, or here."""
        if not self.goes_on:
            return request_url(self.request_row)
        if after is None:
            after = inbox.neighbours(self.actor, self.request_row.pk)[1]
        return reverse("governance:request", args=[after]) if after is not None else reverse("governance:queue")

    def carry_out(self, form: BaseForm) -> str:
        given = cast("DecisionForm", form)
        asked = self.request_row
        after = inbox.neighbours(self.actor, asked.pk)[1] if self.goes_on else None
        approvals.decide(
            actor=self.actor,
            request_id=asked.pk,
            verdict=given.word,
            comment=given.cleaned_data["comment"],
            back_to=given.stage_back,
        )
        now = inbox.request(self.actor, asked.pk)
        name, stage = name_of(asked.subject), Stage(asked.stage).label
        if given.word is not Verdict.APPROVE:
            said = "rejected" if given.word is Verdict.REJECT else "asked for changes to"
            self.say(f"You {said} {name} in {stage}. {now.requester} sees your comment.")
        elif now.state == RequestState.OPEN:
            self.say(f"Your approval of {name} in {stage} is recorded; it is still {waiting_words(now)}.")
        else:
            self.say(f"{name} is approved in {stage}." + (" AWS is being told." if now.version_id else ""))
        return self._onwards(after)

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Approvals", "url": reverse("governance:queue")},
            {"label": self.request_row.public_id, "url": ""},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked, actor = self.request_row, self.actor
        subject = asked.subject
        told = standing.messages_of_request(asked)
        before, after = inbox.neighbours(actor, asked.pk)
        is_open = asked.state == RequestState.OPEN
        context: dict[str, Any] = {
            "asked": asked,
            "subject": subject,
            "subject_name": name_of(subject),
            "subject_url": url_of(subject),
            "is_use_case": isinstance(subject, UseCase),
            "is_open": is_open,
            "is_overdue": inbox.is_overdue(asked),
            "waiting": waiting_words(asked),
            "refusal": approvals.refusal_for(actor, asked),
            "sign_offs": sign_offs_of(asked),
            "checks": (checks := checks_of(actor, asked)),
            "reasons": quick_reasons(checks),
            "earlier_requests": [one for one in standing.requests_about(subject) if one.pk != asked.pk][:_EARLIER],
            "previous_url": reverse("governance:request", args=[before]) if before else "",
            "next_url": reverse("governance:request", args=[after]) if after else "",
            "messages_out": told,
            "waiting_steps": waiting_steps.waiting_for_request(asked, told),
            "under_way": standing.is_under_way(told),
            "then_url": f"{request_url(asked)}?then=next" if after else "",
            "may_withdraw": is_open and asked.requester_id == actor.user_id,
        }
        if is_open:
            context |= self._effects(asked)
        if is_open or asked.state == RequestState.OUTDATED:
            context["moved"] = difference_lines(moved_since(asked))
        if is_open and may(actor, Act.BREAK_GLASS, asked.scope_project_id) and failing(subject, Stage(asked.stage)):
            kind, key = ("use_case", subject.number) if isinstance(subject, UseCase) else ("version", subject.pk)
            address = reverse(f"governance:{kind}_break_glass", args=[key])
            context["break_glass_url"] = f"{address}?{urlencode({'stage': asked.stage})}"
        context |= self._about(subject)
        return super().get_context_data(**context, **kwargs)

    def _effects(self, asked: ApprovalRequest) -> dict[str, Any]:
        """Return what each answer will do, for the page and for the confirmations."""
        approval, rejection = preview.of_approval(asked), preview.of_rejection(asked)
        own = [f"Your approval of {asked.public_id} is recorded"]
        return {
            "approval": approval,
            "rejection": rejection,
            "confirm_object": (what := f"{name_of(asked.subject)} in {Stage(asked.stage).label}"),
            "approve_title": f"Approve {what}?",
            "reject_title": f"Reject {what}?",
            "changes_title": f"Ask for changes to {what}?",
            "confirm_account": str(asked.version.group.account) if asked.version else "",
            "approval_effects": [*own, approval.first] if approval.first else [*own, *approval.all],
            "rejection_effects": [*rejection.all, "It goes back to the stage you chose beside the buttons"],
            "changes_effects": list(preview.of_changes(asked).portal),
            "withdraw_effects": [f"{asked.public_id} is closed without a decision; it may be submitted again"],
        }

    def _about(self, subject: UseCase | ModelVersion) -> dict[str, Any]:
        if isinstance(subject, ModelVersion):
            found = comparison.predecessor(subject, Stage(self.request_row.stage))
            groups = comparison.compare(self.actor, found.version, subject) if found else []
            return {
                "version": subject,
                "use_cases": catalogue.use_cases_behind(self.actor, subject),
                "metrics": comparison.metrics_of(subject),
                "predecessor": found,
                "differences": [group for group in groups if group.rows],
                "same": [group.title for group in groups if not group.rows and group.compared],
                "compare_url": (
                    f"{reverse('governance:version_compare')}?{urlencode([('v', found.version.pk), ('v', subject.pk)])}"
                    if found
                    else ""
                ),
            }
        earlier, edits = comparison.changed_since_last_request(self.request_row)
        return {
            "use_case": subject,
            "documents": catalogue.documents_of(subject),
            "earlier": earlier,
            "edits": edits,
        }


class Withdraw(ActionView):
    """Take one's own request back."""

    def carry_out(self) -> str:
        try:
            request = approvals.withdraw(
                actor=self.actor, request_id=self.kwargs["pk"], reason=self.request.POST.get("reason", "")
            )
        except approvals.RequestClosed:
            request = inbox.request(self.actor, self.kwargs["pk"])
            if request.state != RequestState.WITHDRAWN:
                raise
            self.say(f"{request.public_id} was withdrawn already.", messages.INFO)
            return request_url(request)
        self.say(f"{request.public_id} is withdrawn. You may submit it again at any time.")
        return request_url(request)
