"""Who one is here: roles and where they come from, AWS identities, delegations; and one's API tokens."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from portal.core.errors import InvalidInput
from portal.core.views import UNUSABLE, ActionView, FormPage, Page, TablePage, put_back
from registry.selectors.people import held_roles
from registry.services import tokens

from ..selectors import notifications as selectors
from ..services import api_tokens
from .list_filters import TokenFilter
from .notification_forms import TokenForm
from .notification_tables import TokenTable


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
            token_count=selectors.tokens(self.actor).count(),
            **kwargs,
        )


class TokenList(TablePage):
    template_name = "governance/token_list.html"
    table_class = TokenTable
    filter_class = TokenFilter

    def rows(self) -> QuerySet[Any]:
        return selectors.tokens(self.actor)

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
            most=settings.REST_KNOX["TOKEN_LIMIT_PER_USER"], public_url=settings.PORTAL_PUBLIC_URL, **kwargs
        )


class TokenNew(FormPage):
    """Make a token; its secret is shown in the answer, once."""

    template_name = "governance/token_new.html"
    form_class = TokenForm
    submit_label = "Make the token"

    def cancel_url(self) -> str:
        return reverse("governance:token_list")

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Profile", "url": reverse("governance:profile")},
            {"label": "API tokens", "url": self.cancel_url()},
            {"label": "New", "url": ""},
        ]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.build(request.POST)
        if form.is_valid():
            try:
                return self._shown(form)
            except InvalidInput as refusal:
                put_back(form, refusal)
        return self.show_again(form, UNUSABLE)

    def _shown(self, form: BaseForm) -> HttpResponse:
        given = form.cleaned_data
        token, text = api_tokens.issue(
            actor=self.actor, name=given["name"], days=given["days"], is_read_only=given["is_read_only"]
        )
        context = {
            "token": token,
            "text": text,
            "is_read_only": given["is_read_only"],
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
