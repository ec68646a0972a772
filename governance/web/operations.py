"""Operations that are governance's: starting a sync, the outbox."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from portal.core.bulk_actions import BulkTablePage
from portal.core.permissions import Act, may_anywhere
from portal.core.views import ActionView, Page

from ..selectors import operations
from ..selectors.outbox_health import account_outbox, outbox_by_account
from ..services import outbox, sync
from .bulk import OUTBOX_ACTIONS
from .filters import OutboxFilter
from .tables import OutboxTable


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


class OutboxRetry(ActionView):
    """Give a message its next attempt now."""

    def carry_out(self) -> str:
        message = outbox.retry(actor=self.actor, message_id=self.kwargs["pk"])
        self.say(f"Tried again now: {message.summary}.")
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
