"""Operations that are governance's: starting a sync, the outbox, the findings."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.forms import BaseForm
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.http import urlencode

from portal.core.permissions import Act, may, may_anywhere, require
from portal.core.views import ActionView, FormPage, TablePage

from ..choices import FindingState
from ..models import Finding
from ..selectors import operations
from ..services import findings, outbox, sync
from .filters import FindingFilter, OutboxFilter
from .forms import ResolveForm
from .tables import FindingTable, OutboxTable, subject_link


class AccountSync(ActionView):
    """Sync an account now; its page shows the pass as it runs."""

    def carry_out(self) -> str:
        asked = timezone.now()
        account = sync.request_sync(actor=self.actor, account_id=self.kwargs["account_id"])
        self.say(f"A worker is syncing {account.alias}.")
        query = urlencode({"asked": asked.isoformat()})
        return f"{reverse('registry:account', args=[account.account_id])}?{query}"


class OutboxList(TablePage):
    template_name = "governance/outbox.html"
    table_class = OutboxTable
    filter_class = OutboxFilter

    def rows(self) -> QuerySet[Any]:
        return operations.outbox(self.actor)

    def nothing(self) -> dict[str, str]:
        return {
            "title": "The outbox is empty",
            "text": "Whatever a decision writes to AWS passes through here and stays listed.",
            "icon": "cloud-upload",
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        counts = operations.outbox_counts(self.actor)
        context = super().get_context_data(counts=counts, polls=bool(counts.get("pending")), **kwargs)
        context["table"].may_retry = may_anywhere(self.actor, Act.RETRY_OUTBOX)
        context["table"].actor = self.actor
        return context


class OutboxRetry(ActionView):
    """Give a message its next attempt now."""

    def carry_out(self) -> str:
        message = outbox.retry(actor=self.actor, message_id=self.kwargs["pk"])
        self.say(f"Tried again now: {message.summary}.")
        return reverse("governance:outbox")


class FindingList(TablePage):
    template_name = "governance/finding_list.html"
    table_class = FindingTable
    filter_class = FindingFilter

    def rows(self) -> QuerySet[Any]:
        return operations.findings(self.actor)

    def nothing(self) -> dict[str, str]:
        return {
            "title": "No finding",
            "text": "Where SageMaker and the portal do not agree, it is listed here and goes away when they do again.",
            "icon": "shield-check",
        }


class FindingPage(FormPage):
    """One finding; resolving it by hand needs a note."""

    template_name = "governance/finding.html"
    form_class = ResolveForm
    submit_label = "Resolve it"

    @cached_property
    def finding(self) -> Finding:
        return operations.finding(self.actor, self.kwargs["pk"])

    def carry_out(self, form: BaseForm) -> str:
        finding = findings.resolve(actor=self.actor, finding_id=self.finding.pk, note=form.cleaned_data["note"])
        self.say(f"{finding.public_id} is resolved.")
        return reverse("governance:finding", args=[finding.pk])

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        # Whoever may not resolve it is told so before he is told what is wrong with his note.
        require(self.actor, Act.HANDLE_FINDINGS, self.finding.scope_project_id)
        return super().post(request, *args, **kwargs)

    def cancel_url(self) -> str:
        return reverse("governance:finding_list")

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [{"label": "Findings", "url": self.cancel_url()}, {"label": self.finding.public_id, "url": ""}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        finding = self.finding
        stands = finding.state in (FindingState.OPEN, FindingState.ACKNOWLEDGED)
        may_handle = may(self.actor, Act.HANDLE_FINDINGS, finding.scope_project_id)
        return super().get_context_data(
            finding=finding,
            about=subject_link(finding),
            stands=stands,
            may_handle=stands and may_handle,
            may_acknowledge=finding.state == FindingState.OPEN and may_handle,
            **kwargs,
        )


class FindingAcknowledge(ActionView):
    """Take a finding on."""

    def carry_out(self) -> str:
        finding = findings.acknowledge(actor=self.actor, finding_id=self.kwargs["pk"])
        self.say(f"{finding.public_id} is yours now.")
        return reverse("governance:finding", args=[finding.pk])
