"""What one is told: the bell, the list, and by what ways each kind comes."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.generic import View

from portal.core.actors import Actor
from portal.core.views import ActionView, FormPage, SignedIn, TablePage
from portal.core.vocabulary import ChatKind

from ..models import NotificationSettings
from ..selectors import notifications as selectors
from ..selectors.notifications import CONCEALED
from ..selectors.told_choices import WAYS
from ..services import notification_settings, notifications
from .notification_forms import ChatForm, SettingsForm
from .notification_tables import NotificationFilter, NotificationTable, mark


def _undelivered(actor: Actor) -> dict[str, Any]:
    """Return what a page says of messages that did not arrive."""
    found = selectors.failures(actor)
    return {
        "failures": found,
        "concealed": selectors.concealed(actor, [one.notification for one in found if one.notification]),
    }


class NotificationList(TablePage):
    template_name = "governance/notification_list.html"
    table_class = NotificationTable
    filter_class = NotificationFilter

    def rows(self) -> QuerySet[Any]:
        return selectors.notifications(self.actor)

    def nothing(self) -> dict[str, str]:
        return {
            "title": "Nothing yet",
            "text": "When a request waits for you, yours is decided, or something of yours needs you, it says so here.",
            "icon": "bell",
            "action_label": "Choose what you are told of",
            "action_url": reverse("governance:notify"),
        }

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [{"label": "Notifications", "url": ""}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(
            unread=selectors.unread_count(self.actor), **_undelivered(self.actor), **kwargs
        )
        table = context["table"]
        shown = [row.record for row in table.page.object_list]
        table.concealed = frozenset(selectors.concealed(self.actor, shown))
        context["newest"] = max((row.pk for row in shown), default=0)
        return context

    def ready(self, table: Any) -> None:
        # A file has every row, and what one may no longer see is in none.
        if "export" in self.request.GET:
            told = self.rows().only("pk", "about", "about_id").order_by()
            table.concealed = frozenset(selectors.concealed(self.actor, told))


class Bell(SignedIn, View):
    """How many are unread, for a page that asks now and then."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        context = {"unread": selectors.unread_count(self.actor)}
        return render(request, "components/bell_count.html", context)


class Latest(SignedIn, View):
    """What the bell shows when it is opened."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        rows = selectors.latest(self.actor)
        gone = selectors.concealed(self.actor, rows)
        shown = [
            {"row": row, "mark": mark(row), "title": CONCEALED if row.pk in gone else row.title, "gone": row.pk in gone}
            for row in rows
        ]
        context = {"shown": shown, "newest": max((row.pk for row in rows), default=0)}
        return render(request, "governance/notification_latest.html", context)


class _Back(ActionView):
    """A button that leads back to the page it stands on."""

    def back(self) -> str:
        given = self.request.POST.get("next", "")
        allowed = given.startswith("/") and url_has_allowed_host_and_scheme(given, allowed_hosts=None)
        return given if allowed else reverse("governance:notification_list")


class NotificationRead(_Back):
    """Say that one has read a notification; the page behind it asks while it opens."""

    def carry_out(self) -> str:
        notifications.mark_read(actor=self.actor, notification_id=self.kwargs["pk"])
        return self.back()


class NotificationUnread(_Back):
    """Keep a notification as new."""

    def carry_out(self) -> str:
        notifications.mark_unread(actor=self.actor, notification_id=self.kwargs["pk"])
        return self.back()


class NotificationReadAll(_Back):
    """Say that one has read everything that was shown."""

    def carry_out(self) -> str:
        given = self.request.POST.get("newest", "")
        newest = int(given) if given.isdecimal() and len(given) < 19 else None
        done = notifications.mark_all_read(actor=self.actor, up_to=newest)
        self.say(
            f"{done} {'notification is' if done == 1 else 'notifications are'} read." if done else "All were read."
        )
        return self.back()


class Settings(FormPage):
    """By what ways one is told of what, and when the daily digest comes."""

    template_name = "governance/notify.html"
    form_class = SettingsForm

    @cached_property
    def chosen(self) -> NotificationSettings:
        return selectors.settings_of(self.actor)

    @cached_property
    def groups(self) -> Any:
        return selectors.choices_of(self.chosen)

    def form_arguments(self) -> dict[str, Any]:
        return {"settings": self.chosen, "zones": selectors.zones(), "groups": self.groups}

    def cancel_url(self) -> str:
        return reverse("governance:notification_list")

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Notifications", "url": reverse("governance:notification_list")},
            {"label": "What I am told of", "url": ""},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        form = context["form"]
        context["matrix"] = [
            (name, [(choice.kind, [form[f"{way}:{choice.kind.kind.value}"] for way in WAYS]) for choice in choices])
            for name, choices in self.groups
        ]
        return {
            **context,
            "chosen": self.chosen,
            "chat": ChatKind(self.chosen.chat_kind).label if self.chosen.chat_kind else "",
            "email": selectors.person(self.actor).email,
            "email_is_on": settings.PORTAL_EMAIL_IS_ON,
            **_undelivered(self.actor),
        }

    def carry_out(self, form: BaseForm) -> str:
        given = cast("SettingsForm", form)
        notification_settings.save(
            actor=self.actor,
            revision=given.cleaned_data["revision"],
            choices=given.matrix,
            is_digest_on=given.cleaned_data["is_digest_on"],
            digest_hour=given.cleaned_data["digest_hour"],
            time_zone=given.cleaned_data["time_zone"],
        )
        self.say("Your choices are saved.")
        return reverse("governance:notify")


class ChatSet(FormPage):
    """Have oneself written to in Slack or Teams."""

    template_name = "governance/notify_chat.html"
    form_class = ChatForm
    submit_label = "Use this chat"

    def cancel_url(self) -> str:
        return reverse("governance:notify")

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Notifications", "url": reverse("governance:notification_list")},
            {"label": "What I am told of", "url": self.cancel_url()},
            {"label": "Chat", "url": ""},
        ]

    def carry_out(self, form: BaseForm) -> str:
        given = form.cleaned_data
        row = notification_settings.set_chat(actor=self.actor, kind=ChatKind(given["kind"]), url=given["url"])
        self.say(f"Messages go to {row.chat_host} from now on. Send a test to see that they arrive.")
        return self.cancel_url()


class ChatRemove(ActionView):
    """Be written to in the chat no more."""

    def carry_out(self) -> str:
        notification_settings.remove_chat(actor=self.actor)
        self.say("The chat is removed, and its address forgotten.")
        return reverse("governance:notify")


class ChatTest(ActionView):
    """Send oneself a message by the chat."""

    def carry_out(self) -> str:
        problem = notification_settings.test_chat(actor=self.actor)
        if problem:
            self.say(f"The test was not taken. {problem}", messages.ERROR)
        else:
            self.say("The test was taken. Look whether it arrived.")
        return reverse("governance:notify")
