"""Who one is here: roles and where they come from, AWS identities, delegations; and one's API tokens."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from portal.core.errors import InvalidInput
from portal.core.tables import PortalTable
from portal.core.views import UNUSABLE, ActionView, FormPage, Page, TablePage, put_back
from registry.selectors.people import held_roles
from registry.selectors.resources import projects
from registry.selectors.service_accounts import accounts
from registry.services import tokens

from ..selectors import notifications as selectors
from ..selectors.tokens import own_tokens
from ..services import api_tokens
from .list_filters import TokenFilter
from .notification_tables import TokenTable, names_of_projects
from .service_account_forms import TokenForm


class Profile(Page):
    """What the portal knows of the person who is signed in."""

    template_name = "governance/profile.html"

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [{"label": "Profile", "url": ""}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        person = selectors.person(self.actor)
        return super().get_context_data(
            person=person,
            roles=held_roles(person),
            identities=selectors.identities(self.actor),
            delegations=selectors.delegations(self.actor),
            chosen=selectors.settings_of(self.actor),
            token_count=own_tokens(self.actor).count(),
            services=accounts(self.actor).filter(retired_at=None, responsible=person).order_by("user__username"),
            **kwargs,
        )


class TokenList(TablePage):
    template_name = "governance/token_list.html"
    table_class = TokenTable
    filter_class = TokenFilter

    def rows(self) -> QuerySet[Any]:
        return own_tokens(self.actor)

    def ready(self, table: PortalTable) -> None:
        cast("TokenTable", table).project_names = names_of_projects(self.actor)

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [{"label": "Profile", "url": reverse("governance:profile")}, {"label": "API tokens", "url": ""}]

    def nothing(self) -> dict[str, str]:
        return {
            "title": "No token",
            "text": "A script or pipeline that uses the API in your name needs one.",
            "icon": "key",
            "action_label": "Make a token",
            "action_url": reverse("governance:token_new"),
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            most=settings.REST_KNOX["TOKEN_LIMIT_PER_USER"],
            by_password=settings.PORTAL_TOKEN_ENDPOINT,
            public_url=settings.PORTAL_PUBLIC_URL,
            **kwargs,
        )


class TokenNew(FormPage):
    """Make a token; its secret is shown in the answer, once."""

    template_name = "governance/token_new.html"
    form_class = TokenForm
    submit_label = "Make the token"

    def form_arguments(self) -> dict[str, Any]:
        return {"projects": projects(self.actor).order_by("name", "pk")}

    def cancel_url(self) -> str:
        return reverse("governance:token_list")

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Profile", "url": reverse("governance:profile")},
            {"label": "API tokens", "url": self.cancel_url()},
            {"label": "New", "url": ""},
        ]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = cast("TokenForm", self.build(request.POST))
        if form.is_valid():
            try:
                return self._shown(form)
            except InvalidInput as refusal:
                put_back(form, refusal)
        return self.show_again(form, UNUSABLE)

    def _shown(self, form: TokenForm) -> HttpResponse:
        given = form.cleaned_data
        scope = form.scope()
        token, text = api_tokens.issue(
            actor=self.actor,
            name=given["name"],
            days=given["days"],
            is_read_only=given["is_read_only"],
            projects=scope,
        )
        context = {
            "token": token,
            "text": text,
            "is_read_only": given["is_read_only"],
            "scope": scope,
            "public_url": settings.PORTAL_PUBLIC_URL,
            "back_url": self.cancel_url(),
            "breadcrumbs": [*self.breadcrumbs()[:2], {"label": token.name, "url": ""}],
        }
        return render(self.request, "governance/token_secret.html", context)


class TokenRevoke(ActionView):
    """Take one of one's own tokens back, at once."""

    def carry_out(self) -> str:
        tokens.revoke(actor=self.actor, token_key=self.kwargs["token_key"])
        self.say("The token is revoked: whatever used it is refused from now on.")
        return reverse("governance:token_list")
