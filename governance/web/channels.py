"""How deployment orders leave the portal: looked at, set, tried and taken away; and the pipelines that wait."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import django_tables2 as tables
from django.contrib import messages
from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.generic import View

from portal.core.errors import InvalidInput
from portal.core.permissions import Act, may, may_anywhere, require
from portal.core.tables import PortalTable, absent, failure, name_cell, two
from portal.core.templatetags.portal_ui import account, arn, badge, plain, reltime
from portal.core.views import UNUSABLE, ActionView, FormPage, SignedIn, TablePage, put_back

from ..choices import CallbackOutcome, ChannelKind
from ..models import DeploymentChannel, WaitingCallback
from ..selectors import channels as selectors
from ..services import channels
from .channel_forms import ChannelForm, GraceForm
from .list_filters import CallbackFilter, ChannelFilter
from .wording import url_of

KINDS = (
    (ChannelKind.EVENT_BRIDGE, "send", "An event on a bus; a rule of yours starts what deploys."),
    (ChannelKind.PIPELINE, "git-branch", "A pipeline is started with the version's ARN, exactly once."),
    (
        ChannelKind.CALLBACK,
        "hourglass",
        "A pipeline that waits at a step is told to go on, or that it may not.",
    ),
    (ChannelKind.WEBHOOK, "webhook", "A signed POST to a server that deploys."),
)
_ICONS = {kind: icon for kind, icon, _ in KINDS}
_OUTCOMES = {
    CallbackOutcome.WAITING: ("Waiting", "wait", "hourglass"),
    CallbackOutcome.RELEASED: ("Told to go on", "good", "circle-check"),
    CallbackOutcome.REFUSED: ("Told that it may not", "bad", "ban"),
    CallbackOutcome.GONE: ("Waited no more", "mute", "clock"),
}


class ChannelTable(PortalTable):
    label = "Deployment channels"
    may_edit = False
    account = tables.Column("Account", order_by=("account__alias", "stage", "pk"))
    stage = tables.Column("For", order_by=("stage", "pk"), empty_values=())
    kind = tables.Column("Orders go as", order_by=("kind", "pk"))
    to = tables.Column("To", accessor="pk", orderable=False)
    last_used_at = tables.Column("Last order", order_by=("last_used_at", "pk"), empty_values=())
    act = tables.TemplateColumn(template_name="governance/channel_actions.html", verbose_name="Change", orderable=False)

    def render_account(self, record: DeploymentChannel) -> SafeString:
        return account(record.account)

    def render_stage(self, record: DeploymentChannel) -> str:
        return selectors.scope_words(record.stage)

    def render_kind(self, record: DeploymentChannel) -> SafeString:
        shown = badge(ChannelKind(record.kind).label, "live", _ICONS[ChannelKind(record.kind)])
        return shown if record.is_enabled else two(shown, badge("Off", "mute", "player-pause"))

    def render_to(self, record: DeploymentChannel) -> SafeString:
        return format_html('<span class="text-break">{}</span>', _target(record))

    def render_last_used_at(self, record: DeploymentChannel) -> SafeString:
        return format_html("{}{}", reltime(record.last_used_at, "none yet"), failure(record.last_error))


class CallbackTable(PortalTable):
    """The pipelines that wait, or waited, newest first."""

    label = "Waiting pipelines"
    version = tables.Column("Version", accessor="model_package_arn", orderable=False)
    stage = tables.Column("To deploy to", orderable=False)
    execution = tables.Column("Execution", accessor="execution_arn", orderable=False, empty_values=())
    received_at = tables.Column("Since", orderable=False)
    outcome = tables.Column("Answer", orderable=False)

    def render_version(self, record: WaitingCallback) -> SafeString:
        if record.version is None:
            return arn(record.model_package_arn)
        return name_cell(record.version.name, url_of(record.version))

    def render_stage(self, record: WaitingCallback) -> SafeString:
        return two(account(record.account), plain(record.stage))

    def render_execution(self, record: WaitingCallback) -> SafeString:
        return arn(record.execution_arn) if record.execution_arn else absent("not named")

    def render_received_at(self, record: WaitingCallback) -> SafeString:
        return reltime(record.received_at)

    def render_outcome(self, record: WaitingCallback) -> SafeString:
        shown = badge(*_OUTCOMES[CallbackOutcome(record.outcome)])
        return two(shown, format_html('<span class="kv-hint">{}</span>', record.note)) if record.note else shown


class ChannelList(TablePage):
    template_name = "governance/channel_list.html"
    table_class = ChannelTable
    filter_class = ChannelFilter
    needs = Act.SEE_OPERATIONS

    def rows(self) -> QuerySet[Any]:
        return selectors.channel_list(self.actor)

    def nothing(self) -> dict[str, str]:
        return {
            "title": "Every order goes to the hub's event bus",
            "text": "A channel sends the orders for one account and stage another way.",
            "icon": "route",
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            may_edit=may(self.actor, Act.MANAGE_ACCOUNTS),
            kinds=[
                {"value": kind.value, "label": kind.label, "icon": icon, "text": text} for kind, icon, text in KINDS
            ],
            **kwargs,
        )

    def ready(self, table: PortalTable) -> None:
        cast("ChannelTable", table).may_edit = may(self.actor, Act.MANAGE_ACCOUNTS)


class CallbackList(TablePage):
    template_name = "governance/callback_list.html"
    table_class = CallbackTable
    filter_class = CallbackFilter

    def rows(self) -> QuerySet[Any]:
        return selectors.callbacks(self.actor).order_by("-pk")

    def breadcrumbs(self) -> list[dict[str, str]]:
        path = [{"label": "Deployment channels", "url": reverse("governance:channel_list")}]
        return [
            *(path if may_anywhere(self.actor, Act.SEE_OPERATIONS) else []),
            {"label": "Waiting pipelines", "url": ""},
        ]

    def nothing(self) -> dict[str, str]:
        return {
            "title": "No pipeline has asked",
            "text": "A pipeline that waits at a callback step for a version's approval appears here, with its answer.",
            "icon": "hourglass",
        }


class ChannelForming(FormPage):
    """The form of one channel; a webhook's new secret is shown in the answer to it, once."""

    template_name = "governance/channel_form.html"
    form_class = ChannelForm

    @property
    def kind(self) -> ChannelKind:
        raise NotImplementedError

    def save(self, form: ChannelForm) -> channels.Made:
        raise NotImplementedError

    def cancel_url(self) -> str:
        return reverse("governance:channel_list")

    def form_arguments(self) -> dict[str, Any]:
        return {"kind": self.kind, "accounts": selectors.accounts_to_serve(self.actor)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**{**kwargs, "kind": self.kind})

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.build(request.POST)
        assert isinstance(form, ChannelForm)
        if form.is_valid():
            try:
                return shown(self, self.save(form))
            except InvalidInput as refusal:
                put_back(form, refusal)
        return self.show_again(form, UNUSABLE)

    def carry_out(self, form: BaseForm) -> str:
        return self.cancel_url()


class ChannelNew(ChannelForming):
    submit_label = "Use this channel"

    def form_arguments(self) -> dict[str, Any]:
        require(self.actor, Act.MANAGE_ACCOUNTS)
        return super().form_arguments()

    @property
    def kind(self) -> ChannelKind:
        try:
            return ChannelKind(self.kwargs["kind"])
        except ValueError:
            raise Http404 from None

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [{"label": "Deployment channels", "url": self.cancel_url()}, {"label": self.kind.label, "url": ""}]

    def save(self, form: ChannelForm) -> channels.Made:
        given = form.cleaned_data
        return channels.create(
            actor=self.actor,
            account_id=given["account"].account_id,
            stage=given["stage"],
            kind=self.kind,
            **form.settings(),
        )


class ChannelEdit(ChannelForming):
    @cached_property
    def channel(self) -> DeploymentChannel:
        found = selectors.channel(self.actor, self.kwargs["pk"])
        require(self.actor, Act.MANAGE_ACCOUNTS)
        return found

    @property
    def kind(self) -> ChannelKind:
        return ChannelKind(self.channel.kind)

    def form_arguments(self) -> dict[str, Any]:
        return {**super().form_arguments(), "channel": self.channel}

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Deployment channels", "url": self.cancel_url()},
            {"label": f"{self.channel.account.alias}, {selectors.scope_words(self.channel.stage).lower()}", "url": ""},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(channel=self.channel, scope=selectors.scope_words(self.channel.stage), **kwargs)

    def save(self, form: ChannelForm) -> channels.Made:
        revision = form.cleaned_data["revision"]
        return channels.edit(actor=self.actor, channel_id=self.channel.pk, revision=revision, **form.settings())


class ChannelRemove(ActionView):
    """Take a channel away."""

    def carry_out(self) -> str:
        channels.remove(actor=self.actor, channel_id=self.kwargs["pk"])
        self.say("The channel is gone. Orders take the account's other channel from now on, or the hub's event bus.")
        return reverse("governance:channel_list")


class ChannelTry(ActionView):
    """Send a test, or look at the pipeline; nothing is deployed."""

    def carry_out(self) -> str:
        trial = channels.try_out(actor=self.actor, channel_id=self.kwargs["pk"])
        self.say(trial.said, messages.SUCCESS if trial.is_sound else messages.ERROR)
        return reverse("governance:channel_list")


class ChannelRotate(SignedIn, View):
    """Sign with a new secret; it is shown in the answer, once."""

    http_method_names = ["post", "options"]

    def cancel_url(self) -> str:
        return reverse("governance:channel_list")

    def say(self, text: str) -> None:
        messages.success(self.request, text)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = GraceForm(request.POST)
        if not form.is_valid():
            errors = {name: [str(error) for error in errors] for name, errors in form.errors.items()}
            raise InvalidInput("Nothing was done: give 0 to 168 hours.", errors=errors)
        grace = timedelta(hours=form.cleaned_data["grace_hours"])
        return shown(self, channels.rotate_secret(actor=self.actor, channel_id=self.kwargs["pk"], grace=grace))


def shown(page: Any, made: channels.Made) -> HttpResponse:
    """Show a new secret; without one, go back to the list. What was done is not repeated by reloading a list."""
    if not made.secret:
        page.say(f"Orders for {made.channel.account} go {_words(made.channel)} from now on.")
        return HttpResponse(status=302, headers={"Location": page.cancel_url()})
    context = {
        "channel": made.channel,
        "secret": made.secret,
        "scope": selectors.scope_words(made.channel.stage),
        "back_url": page.cancel_url(),
        "breadcrumbs": [
            {"label": "Deployment channels", "url": page.cancel_url()},
            {"label": "The secret", "url": ""},
        ],
    }
    return render(page.request, "governance/channel_secret.html", context)


def _words(channel: DeploymentChannel) -> str:
    if not channel.is_enabled:
        return "as if this channel were not there"
    return f"as: {ChannelKind(channel.kind).label}"


def _target(channel: DeploymentChannel) -> str:
    kind = ChannelKind(channel.kind)
    if kind is ChannelKind.EVENT_BRIDGE:
        return channel.bus or "the hub's bus"
    if kind is ChannelKind.WEBHOOK:
        return channel.url
    where = "the hub" if channel.runs_in == "hub" else channel.account.alias
    queue = f"who asks by the queue {channel.queue_url.rsplit('/', 1)[-1]}" if channel.queue_url else ""
    named = channel.pipeline.rsplit("/", 1)[-1] or queue or "whatever pipeline asks"
    return f"{named} in {where}"
