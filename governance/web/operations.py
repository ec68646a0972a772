"""Operations that are governance's: starting a sync, the outbox."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.http import urlencode

from portal.core.bulk_actions import BulkTablePage
from portal.core.permissions import Act, may_anywhere
from portal.core.views import ActionView, Page

from ..choices import OutboxState
from ..models import OutboxMessage
from ..selectors import operations, outbox_message
from ..selectors.outbox_health import account_outbox, outbox_by_account
from ..services import outbox, sync
from .bulk import OUTBOX_ACTIONS
from .filters import OutboxFilter
from .outbox_words import attempt_lines, what_next
from .tables import OutboxTable, outbox_look


class AccountSync(ActionView):
    """Sync an account now; its page shows the pass as it runs."""

    def carry_out(self) -> str:
        asked = timezone.now()
        account = sync.request_sync(actor=self.actor, account_id=self.kwargs["account_id"])
        self.say(f"A worker is syncing {account.alias}.")
        query = urlencode({"asked": asked.isoformat()})
        return f"{reverse('registry:account', args=[account.account_id])}?{query}"


class OutboxList(BulkTablePage):
    template_name = "governance/outbox.html"
    table_class = OutboxTable
    filter_class = OutboxFilter
    bulk = OUTBOX_ACTIONS

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
        context["accounts"] = outbox_by_account(self.actor)
        context["may_retry"] = context["table"].may_retry = may_anywhere(self.actor, Act.RETRY_OUTBOX)
        context["table"].actor = self.actor
        return context


class OutboxMessagePage(Page):
    """One message: what was asked of AWS, every attempt with AWS's words, and what happens next."""

    template_name = "governance/outbox_message.html"
    fragment = "standing"

    @cached_property
    def message(self) -> OutboxMessage:
        return outbox_message.message(self.actor, self.kwargs["pk"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        message = self.message
        origin = outbox_message.origin_of(self.actor, message)
        attempts = outbox_message.attempts_of(message)
        is_pending = message.state == OutboxState.PENDING
        ahead = list(outbox_message.ahead_of(self.actor, message)[:5]) if is_pending else []
        request = message.request_id_copy
        return super().get_context_data(
            message=message,
            look=outbox_look(message),
            next=what_next(message, is_held=any(one.state == OutboxState.FAILED for one in ahead)),
            ahead=ahead,
            asked=outbox_message.asked_of(message),
            attempts=attempt_lines(attempts),
            account=outbox_message.account_of(message),
            origin=origin,
            origin_url=reverse(f"governance:{origin.kind}", args=[origin.number]) if origin else "",
            may_retry=outbox_message.may_retry(self.actor, message),
            request_label=f"AR-{request:06d}" if request else "",
            polls=is_pending,
            **kwargs,
        )

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Outbox", "url": reverse("governance:outbox")},
            {"label": f"Message {self.message.pk}", "url": ""},
        ]


class OutboxRetry(ActionView):
    """Give a message its next attempt now."""

    def carry_out(self) -> str:
        message = outbox.retry(actor=self.actor, message_id=self.kwargs["pk"])
        self.say(f"Tried again now: {message.summary}.")
        if self.request.POST.get("from") == "message":
            return reverse("governance:outbox_message", args=[message.pk])
        return reverse("governance:outbox")


class OutboxRetryFailed(ActionView):
    """Give everything that was given up in an account its next attempt now."""

    def carry_out(self) -> str:
        account_id = self.kwargs["account_id"]
        done = outbox.retry_failed(actor=self.actor, account_id=account_id)
        left = f" {done.left} of other projects were left." if done.left else ""
        self.say(f"{done.retried} tried again now.{left}" if done.retried or left else "Nothing was given up there.")
        return f"{reverse('governance:outbox')}?{urlencode({'account': account_id})}"


class AccountOutbox(Page):
    """How the outbox of an account is doing; a slot of the account's page."""

    template_name = "governance/account_outbox.html"
    fragment = "slot"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        self.account, health = account_outbox(self.actor, self.kwargs["account_id"])
        return super().get_context_data(
            account=self.account,
            health=health,
            may_retry=may_anywhere(self.actor, Act.RETRY_OUTBOX),
            back_url=reverse("registry:account", args=[self.account.account_id]),
            list_url=f"{reverse('governance:outbox')}?{urlencode({'account': self.account.account_id})}",
            **kwargs,
        )

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "AWS accounts", "url": reverse("registry:account_list")},
            {"label": self.account.alias, "url": reverse("registry:account", args=[self.account.account_id])},
            {"label": "Outbox", "url": ""},
        ]
