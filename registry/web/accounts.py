"""Pages of the portal's reach into AWS: accounts, sync runs, shares."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import cached_property
from django_tables2 import RequestConfig

from portal.core.permissions import Act, may_anywhere
from portal.core.views import ActionView, Page, TablePage
from registry.services import accounts, preflight

from ..choices import SyncState
from ..models import AwsAccount
from ..selectors import events, operations, sync_health
from ..selectors.reading_health import readings_of
from .account_permissions import alike
from .filters import AccountFilter, SyncRunFilter
from .sync_progress import sync_progress
from .tables import AccountRunTable, AccountTable, SyncRunTable

# How long the page goes on looking for a pass that was asked for: longer means that no worker is there.
_PATIENCE = timedelta(seconds=60)


class AccountList(TablePage):
    template_name = "registry/account_list.html"
    table_class = AccountTable
    filter_class = AccountFilter
    needs = Act.SEE_OPERATIONS

    def rows(self) -> QuerySet[Any]:
        return operations.accounts(self.actor)

    def table_arguments(self) -> dict[str, Any]:
        return {"health": sync_health.health(list(self.rows()))}

    def nothing(self) -> dict[str, str]:
        return {
            "title": "No AWS account is registered",
            "text": "An ML admin registers the hub first: the account that owns the model groups.",
            "icon": "brand-aws",
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_manage=may_anywhere(self.actor, Act.MANAGE_ACCOUNTS), **kwargs)


class AccountDetail(Page):
    template_name = "registry/account.html"
    fragment = "runs"

    @cached_property
    def account(self) -> AwsAccount:
        return operations.account(self.actor, self.kwargs["account_id"])

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "AWS accounts", "url": reverse("registry:account_list")},
            {"label": self.account.alias, "url": ""},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        account = self.account
        asked = self._asked_at()
        late = asked is not None and timezone.now() - asked > _PATIENCE
        syncing = operations.is_syncing(self.actor, account, None if late else asked)
        regions = sync_health.health_of(account)
        table = AccountRunTable(operations.telling_runs(self.actor, account), request=self.request)
        RequestConfig(self.request, paginate={"per_page": 10}).configure(table)
        table.empty_text = "This account has never been synced."
        return super().get_context_data(
            account=account,
            table=table,
            is_syncing=syncing,
            progress=sync_progress(account, regions, asked) if syncing else None,
            is_late=late and operations.is_syncing(self.actor, account, asked),
            may_sync=account.is_enabled and may_anywhere(self.actor, Act.SYNC_ACCOUNTS),
            may_manage=may_anywhere(self.actor, Act.MANAGE_ACCOUNTS),
            alike=alike(operations.preflights(account)),
            regions=regions,
            readings=readings_of(account),
            health=events.health_of(account),
            **kwargs,
        )

    def _asked_at(self) -> Any:
        """Return when the person asked for a sync, from the address; a made-up time only changes his own page."""
        try:
            asked = parse_datetime(self.request.GET.get("asked", ""))
        except ValueError:
            return None
        return asked if asked is not None and asked.tzinfo is not None and asked <= timezone.now() else None


class AccountTest(ActionView):
    """Ask STS who the portal is in this account."""

    def carry_out(self) -> str:
        account = accounts.test_connection(actor=self.actor, account_id=self.kwargs["account_id"])
        if account.check_error:
            self.say(f"{account.alias} did not answer as expected. {account.check_error}", messages.ERROR)
        else:
            self.say(f"{account.alias} answered: the portal's role works there.")
        return reverse("registry:account", args=[account.account_id])


class AccountCheck(ActionView):
    """Ask AWS which of the actions the portal needs in this account its role may do."""

    def carry_out(self) -> str:
        account = preflight.check_permissions(actor=self.actor, account_id=self.kwargs["account_id"])
        found = alike(operations.preflights(account))
        lacking = {entry["action"] for one in found for entry in one.missing}
        unknown = sum(len(one.regions) for one in found if one.state == "unknown")
        if lacking:
            self.say(
                f"{account.alias}: {len(lacking)} action{'s are' if len(lacking) > 1 else ' is'} missing.",
                messages.ERROR,
            )
        elif unknown:
            self.say(
                f"{account.alias}: {unknown} region{'s' if unknown > 1 else ''} could not be checked.", messages.ERROR
            )
        else:
            self.say(f"{account.alias}: nothing the portal needs is missing.")
        return f"{reverse('registry:account', args=[account.account_id])}#permissions"


class SyncRunList(TablePage):
    template_name = "registry/sync_run_list.html"
    table_class = SyncRunTable
    filter_class = SyncRunFilter
    needs = Act.SEE_OPERATIONS

    def rows(self) -> QuerySet[Any]:
        return operations.sync_runs(self.actor)

    def nothing(self) -> dict[str, str]:
        return {
            "title": "No sync has run yet",
            "text": (
                "Every enabled account is searched for changes every minute and read whole every quarter of an hour."
                " Open an account to sync it at once."
            ),
            "icon": "refresh",
            "action_label": "See the accounts",
            "action_url": reverse("registry:account_list"),
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        shown = (row.record for row in context["table"].paginated_rows)
        return {**context, "polls": any(run.state == SyncState.RUNNING for run in shown)}
