"""My work, and the way in and out."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.views import LoginView, LogoutView
from django.utils.module_loading import import_string

from governance.selectors import inbox
from governance.selectors.inbox import Tab
from portal.core.permissions import Act, may_anywhere
from portal.core.views import Page

from . import selectors


class Home(Page):
    """What waits on me, what I asked for and where it stands, what blocks me."""

    template_name = "dashboard/home.html"
    fragment = "work"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        actor = self.actor
        counts = inbox.counts(actor)
        return super().get_context_data(
            decisions=selectors.decisions(actor),
            chores=selectors.chores(actor),
            asked=selectors.asked(actor),
            blocked=selectors.blocked(actor),
            running=selectors.running(actor),
            waiting_count=counts[Tab.MINE],
            asked_count=counts[Tab.ASKED],
            overdue_count=counts[Tab.OVERDUE],
            may_register=may_anywhere(actor, Act.REGISTER_USE_CASE),
            may_ask=may_anywhere(actor, Act.SUBMIT),
            has_role=bool(actor.grants.anywhere),
            **kwargs,
        )


class SignIn(LoginView):
    """The sign-in page; on a laptop it names the demo people."""

    template_name = "registration/login.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if getattr(settings, "PORTAL_ALLOW_DEMO", False):
            # By name: production code never imports the stand-ins, and only the local settings come here.
            context["demo_users"] = import_string("portal.local.demo_users.DEMO_USERS")
            context["demo_password"] = import_string("portal.local.demo_users.DEMO_PASSWORD")
        return context


class SignOut(LogoutView):
    """Sign out, by POST."""
