"""The queue and the decision page."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.forms import BaseForm
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode

from portal.core.permissions import Act, may
from portal.core.views import ActionView, FormPage, TablePage
from portal.core.vocabulary import Stage
from registry.models import ModelVersion, UseCase
from registry.selectors import catalogue

from ..choices import RequestState, Verdict
from ..models import ApprovalRequest
from ..selectors import comparison, inbox, standing
from ..selectors.binding import moved_since
from ..selectors.inbox import Tab
from ..selectors.overrides import failing
from ..services import approvals, preview
from .checks import checks_of, sign_offs_of
from .forms import DecisionForm
from .request_filters import RequestFilter
from .tables import RequestTable
from .wording import name_of, request_url, url_of, waiting_words

_TABS = {
    Tab.MINE: ("Waiting on me", "inbox"),
    Tab.ROLES: ("My roles", "users"),
    Tab.OVERDUE: ("Overdue", "calendar-due"),
    Tab.DECIDED: ("Decided by me", "checks"),
    Tab.ASKED: ("Asked by me", "send"),
    Tab.ALL: ("All", "list"),
}
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


class Queue(TablePage):
    template_name = "governance/queue.html"
    table_class = RequestTable
    filter_class = RequestFilter
    parameters = ("tab",)

    @property
    def tab(self) -> Tab:
        try:
            return Tab(self.request.GET.get("tab", Tab.MINE))
        except ValueError:
            return Tab.MINE

    def rows(self) -> QuerySet[Any]:
        return inbox.queue(self.actor, self.tab)

    def nothing(self) -> dict[str, str]:
        title, text = _NOTHING[self.tab]
        return {"title": title, "text": text, "icon": "checks"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        totals = inbox.counts(self.actor)
        tabs = [
            {"label": label, "icon": icon, "url": f"?tab={tab}", "active": tab is self.tab, "count": totals.get(tab)}
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
        return inbox.request(self.actor, self.kwargs["pk"])

    def form_arguments(self) -> dict[str, Any]:
        return {"stages": preview.stages_to_go_back_to(self.request_row)}

    def cancel_url(self) -> str:
        return reverse("governance:queue")

    def carry_out(self, form: BaseForm) -> str:
        given = cast("DecisionForm", form)
        asked = self.request_row
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
        return request_url(asked)

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Approvals", "url": reverse("governance:queue")},
            {"label": self.request_row.public_id, "url": ""},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked, actor = self.request_row, self.actor
        subject = asked.subject
        messages = standing.messages_of_request(asked)
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
            "checks": checks_of(actor, asked),
            "previous_url": reverse("governance:request", args=[before]) if before else "",
            "next_url": reverse("governance:request", args=[after]) if after else "",
            "messages_out": messages,
            "under_way": standing.is_under_way(messages),
            "may_withdraw": is_open and asked.requester_id == actor.user_id,
        }
        if is_open:
            context |= self._effects(asked)
        if is_open or asked.state == RequestState.OUTDATED:
            context["moved"] = moved_since(asked)
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
            groups = comparison.compare(found.version, subject) if found else []
            return {
                "version": subject,
                "use_cases": catalogue.use_cases_behind(self.actor, subject),
                "metrics": comparison.metrics_of(subject),
                "predecessor": found,
                "differences": [group for group in groups if group.rows],
                "same": [group.title for group in groups if not group.rows and group.compared],
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
        request = approvals.withdraw(
            actor=self.actor, request_id=self.kwargs["pk"], reason=self.request.POST.get("reason", "")
        )
        self.say(f"{request.public_id} is withdrawn. You may submit it again at any time.")
        return request_url(request)
