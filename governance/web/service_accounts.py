"""Service accounts: looked at by those who may, made, changed and retired by ML admins; and their tokens."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import cached_property

from portal.core.errors import InvalidInput, NotFound
from portal.core.permissions import Act, may, require
from portal.core.tables import PortalTable
from portal.core.views import UNUSABLE, ActionView, FormPage, SignedIn, TablePage, put_back
from registry.models import ServiceAccount
from registry.selectors import service_accounts as selectors
from registry.selectors.people import held_roles
from registry.selectors.resources import projects
from registry.services import service_accounts, tokens

from ..selectors.tokens import tokens_of
from ..services import api_tokens
from .list_filters import TokenFilter
from .notification_tables import names_of_projects
from .service_account_forms import AccountTokenForm, ServiceAccountForm
from .service_account_tables import AccountTokenTable, ServiceAccountFilter, ServiceAccountTable, standing

_LIST = {"label": "Service accounts", "url": ""}


def _crumbs(*further: dict[str, str]) -> list[dict[str, str]]:
    return [{**_LIST, "url": reverse("governance:service_account_list") if further else ""}, *further]


class OfAccount(SignedIn):
    """A view about one account; without a right to see it there is none."""

    kwargs: dict[str, Any]

    @cached_property
    def account(self) -> ServiceAccount:
        found = selectors.accounts(self.actor).filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise NotFound("There is no such service account.")
        return found

    @property
    def url(self) -> str:
        return reverse("governance:service_account", args=[self.account.pk])

    def crumb(self) -> dict[str, str]:
        return {"label": self.account.user.username, "url": self.url}


class ForAdmins(SignedIn):
    """A form that only those who manage access everywhere are shown; of a hidden account nobody is told so."""

    def answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            if isinstance(self, OfAccount):
                assert self.account
            require(self.actor, Act.MANAGE_ACCESS)
        return super().answer(request, *args, **kwargs)


class ServiceAccountList(TablePage):
    template_name = "governance/service_account_list.html"
    table_class = ServiceAccountTable
    filter_class = ServiceAccountFilter

    def rows(self) -> QuerySet[Any]:
        return selectors.accounts(self.actor).order_by("user__username", "pk")

    def breadcrumbs(self) -> list[dict[str, str]]:
        return _crumbs()

    def nothing(self) -> dict[str, str]:
        text = "A pipeline that works for no person in particular needs one."
        if not may(self.actor, Act.MANAGE_ACCESS):
            return {"title": "None that you answer for", "text": f"{text} ML admins make them.", "icon": "plug"}
        return {
            "title": "No service account",
            "text": text,
            "icon": "plug",
            "action_label": "Make one",
            "action_url": reverse("governance:service_account_new"),
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_edit=may(self.actor, Act.MANAGE_ACCESS), **kwargs)


class ServiceAccountNew(ForAdmins, FormPage):
    template_name = "governance/service_account_form.html"
    form_class = ServiceAccountForm
    submit_label = "Make the account"

    def form_arguments(self) -> dict[str, Any]:
        return {"projects": projects(self.actor).order_by("name", "pk"), "is_new": True}

    def carry_out(self, form: BaseForm) -> str:
        given = form.cleaned_data
        made = service_accounts.create(
            actor=self.actor,
            name=given["name"],
            purpose=given["purpose"],
            responsible=given["responsible"],
            roles=cast("ServiceAccountForm", form).roles(),
        )
        self.say(f"{made} is made. It works once it has a token.")
        return reverse("governance:service_account", args=[made.pk])

    def cancel_url(self) -> str:
        return reverse("governance:service_account_list")

    def breadcrumbs(self) -> list[dict[str, str]]:
        return _crumbs({"label": "New", "url": ""})


class ServiceAccountEdit(ForAdmins, OfAccount, FormPage):
    template_name = "governance/service_account_form.html"
    form_class = ServiceAccountForm

    def form_arguments(self) -> dict[str, Any]:
        return {
            "projects": projects(self.actor).order_by("name", "pk"),
            "is_new": False,
            "initial": ServiceAccountForm.values_of(self.account, held_roles(self.account.user)),
        }

    def carry_out(self, form: BaseForm) -> str:
        given = form.cleaned_data
        service_accounts.edit(
            actor=self.actor,
            account_id=self.account.pk,
            revision=given["revision"] or 0,
            purpose=given["purpose"],
            responsible=given["responsible"],
            is_active=given["is_active"],
            roles=cast("ServiceAccountForm", form).roles(),
        )
        self.say(f"{self.account} is changed.")
        return self.url

    def cancel_url(self) -> str:
        return self.url

    def breadcrumbs(self) -> list[dict[str, str]]:
        return _crumbs(self.crumb(), {"label": "Change", "url": ""})

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(account=self.account, **kwargs)


class ServiceAccountPage(OfAccount, TablePage):
    """One account with its tokens."""

    template_name = "governance/service_account.html"
    table_class = AccountTokenTable
    filter_class = TokenFilter

    def rows(self) -> QuerySet[Any]:
        return tokens_of(self.actor, self.account.user)

    def ready(self, table: PortalTable) -> None:
        shown = cast("AccountTokenTable", table)
        shown.account_id, shown.may_edit = self.account.pk, self.may_edit
        shown.project_names = names_of_projects(self.actor)

    @property
    def may_edit(self) -> bool:
        return may(self.actor, Act.MANAGE_ACCESS) and self.account.retired_at is None

    def nothing(self) -> dict[str, str]:
        return {"title": "No token", "text": "Without one nobody can act as this account.", "icon": "key"}

    def breadcrumbs(self) -> list[dict[str, str]]:
        return _crumbs({**self.crumb(), "url": ""})

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            account=self.account,
            held=held_roles(self.account.user),
            retire_effects=[
                "Its tokens are refused at once, and its roles are taken away.",
                "What it did stays its own. A retired account stays retired.",
            ],
            keepers=selectors.keepers(self.account),
            standing=standing(self.account),
            may_edit=self.may_edit,
            **kwargs,
        )


class ServiceAccountRetire(OfAccount, ActionView):
    """Retire an account for good."""

    def carry_out(self) -> str:
        reason = self.request.POST.get("reason", "")
        service_accounts.retire(actor=self.actor, account_id=self.account.pk, reason=reason)
        self.say(f"{self.account} is retired: its tokens are refused from now on.")
        return self.url


class AccountTokenNew(ForAdmins, OfAccount, FormPage):
    """Make a token for an account; its secret is shown in the answer, once."""

    template_name = "governance/token_new.html"
    form_class = AccountTokenForm
    submit_label = "Make the token"

    def form_arguments(self) -> dict[str, Any]:
        held = self.account.user.actor
        return {"projects": projects(held).order_by("name", "pk")}

    def cancel_url(self) -> str:
        return self.url

    def breadcrumbs(self) -> list[dict[str, str]]:
        return _crumbs(self.crumb(), {"label": "New token", "url": ""})

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(account=self.account, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = cast("AccountTokenForm", self.build(request.POST))
        if form.is_valid():
            try:
                return self._shown(form)
            except InvalidInput as refusal:
                put_back(form, refusal)
        return self.show_again(form, UNUSABLE)

    def _shown(self, form: AccountTokenForm) -> HttpResponse:
        given = form.cleaned_data
        scope = form.scope()
        token, text = api_tokens.issue_for(
            actor=self.actor,
            account=self.account,
            name=given["name"],
            days=given["days"],
            is_read_only=given["is_read_only"],
            projects=scope,
            rate=given["rate"],
        )
        context = {
            "token": token,
            "text": text,
            "is_read_only": given["is_read_only"],
            "scope": scope,
            "public_url": settings.PORTAL_PUBLIC_URL,
            "back_url": self.url,
            "breadcrumbs": _crumbs(self.crumb(), {"label": token.name, "url": ""}),
        }
        return render(self.request, "governance/token_secret.html", context)


class AccountTokenRevoke(OfAccount, ActionView):
    """Take a token of an account back, at once."""

    def carry_out(self) -> str:
        tokens.revoke_for(actor=self.actor, account=self.account, token_key=self.kwargs["token_key"])
        self.say("The token is revoked: whatever used it is refused from now on.")
        return self.url
