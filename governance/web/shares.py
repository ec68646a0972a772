"""Pages of RAM shares: what is declared and what is not, one share, declaring, changing and taking it back."""

from __future__ import annotations

from typing import Any, cast

import django_tables2 as tables
from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.safestring import SafeString

from portal.core.errors import InvalidInput
from portal.core.permissions import Act, may_anywhere
from portal.core.tables import PortalTable, absent, links, name_cell, two
from portal.core.templatetags.portal_ui import account, badge, reltime, status_badge
from portal.core.views import UNUSABLE, ActionView, FormPage, Page, TablePage, put_back
from registry.choices import DeclarationState
from registry.models import DeclaredShare
from registry.selectors import sharing
from registry.sharing.verbs import GUARDED, Verb, words
from registry.web.differences import KeepsTyping
from registry.web.sharing import posture_of

from ..selectors import timeline
from ..services import shares
from .list_filters import ShareFilter
from .progress_words import share_progress
from .share_forms import ShareForm
from .wording import timeline_of

# What a worker is still to do in AWS; the page looks until it is done.
_UNDER_WAY = {DeclarationState.DECLARED, DeclarationState.APPLYING, DeclarationState.WITHDRAWING}


class ShareTable(PortalTable):
    """Declared shares; whether RAM says something else of one is read for the page that is shown, at once."""

    label = "Declared shares"
    name = tables.Column("Share", order_by=("name", "pk"))
    groups = tables.Column("Model groups", orderable=False, empty_values=())
    who = tables.Column("With", accessor="pk", orderable=False, empty_values=())
    may = tables.Column("They may", accessor="verbs", orderable=False, empty_values=())
    state = tables.Column("State", order_by=("state", "pk"))
    changed_at = tables.Column("Changed", order_by=("changed_at", "pk"))

    @cached_property
    def drifted(self) -> set[int]:
        page = getattr(self, "page", None)
        return sharing.drifted(row.record for row in page.object_list) if page is not None else set()

    def value_state(self, record: DeclaredShare) -> str:
        return record.state

    def value_may(self, record: DeclaredShare) -> str:
        return words(Verb(verb) for verb in record.verbs)

    def value_who(self, record: DeclaredShare) -> list[str]:
        return [*(one.account_id for one in record.accounts.all()), *record.organisation_principals]

    def render_name(self, record: DeclaredShare) -> SafeString:
        return name_cell(record.name, reverse("governance:share", args=[record.number]), record.public_id)

    def render_groups(self, record: Any) -> SafeString:
        return links((reverse("registry:group", args=[group.pk]), group.name) for group in record.seen_groups)

    def render_who(self, record: DeclaredShare) -> SafeString:
        shown: Any = ""
        for one in record.accounts.all():
            who = account(alias=one.alias, id=one.account_id)
            shown = two(shown, who) if shown else who
        rest = ", ".join(principal.rsplit("/", 1)[-1] for principal in record.organisation_principals)
        return two(shown, rest) if rest else shown or absent("nobody")

    def render_may(self, record: DeclaredShare) -> SafeString:
        said = words(Verb(verb) for verb in record.verbs)
        guarded = badge("beyond what a spoke should", "bad", "alert-octagon") if record.grants_guarded else ""
        return two(said, guarded)

    def render_state(self, record: DeclaredShare) -> SafeString:
        return two(status_badge(_state(record, record.pk in self.drifted), "share"), record.problem[:160])

    def render_changed_at(self, record: DeclaredShare) -> SafeString:
        return reltime(record.changed_at)


def _state(share: DeclaredShare, drifts: bool) -> str:
    """Return the state to show: what was brought in place once and is not so now has drifted."""
    carried_out = share.state in (DeclarationState.IN_PLACE, DeclarationState.APPLYING)
    return "drifted" if drifts and carried_out else share.state


class ShareList(TablePage):
    """What is declared, and what RAM has that nobody declared."""

    template_name = "governance/share_list.html"
    table_class = ShareTable
    filter_class = ShareFilter

    def rows(self) -> QuerySet[Any]:
        return sharing.declared(self.actor)

    def nothing(self) -> dict[str, str]:
        found = {
            "title": "No share is declared",
            "text": "Declare which accounts are let into which model groups; the portal makes RAM say the same.",
            "icon": "share-3",
        }
        if may_anywhere(self.actor, Act.SHARE_GROUPS):
            found |= {"action_label": "Declare a share", "action_url": reverse("governance:share_new")}
        return found

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            may_share=may_anywhere(self.actor, Act.SHARE_GROUPS),
            undeclared=sharing.undeclared(self.actor)[:50],
            **kwargs,
        )


class OfShare(Page):
    """A page about one declared share."""

    @cached_property
    def share(self) -> DeclaredShare:
        return sharing.declared_share(self.actor, self.kwargs["number"])

    @property
    def url(self) -> str:
        return reverse("governance:share", args=[self.share.number])

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Shares", "url": reverse("governance:share_list")},
            {"label": self.share.public_id, "url": self.url},
        ]


class SharePage(OfShare):
    """What each account can do by it, where RAM differs, its invitations, its history."""

    template_name = "governance/share.html"
    fragment = "standing"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        share = self.share
        differences = sharing.shown_drift(share)
        invitations = sharing.invitations_of(share.share_arn)
        has_pending = any(one.status == "PENDING" for one in invitations)
        in_ram = sharing.reported([share]).get(share.share_arn)
        is_live = in_ram is not None and in_ram.is_live
        inside = {one.principal for one in in_ram.members.all() if one.status == "ASSOCIATED"} if in_ram else set()
        return super().get_context_data(
            share=share,
            state=_state(share, share.pk in sharing.drifted([share])),
            in_ram=in_ram,
            posture=posture_of(sharing.posture_of_share(share)),
            may_words=words(Verb(verb) for verb in share.verbs),
            is_guarded=bool(GUARDED & set(share.verbs)),
            differences=differences,
            invitations=[
                {"row": one, "may_again": is_live and one.receiver.account_id not in inside and one.status != "PENDING"}
                for one in invitations
            ],
            has_pending=has_pending,
            progress=share_progress(share, has_pending=has_pending, has_differences=bool(differences))
            if share.state in _UNDER_WAY
            else None,
            may_share=may_anywhere(self.actor, Act.SHARE_GROUPS),
            is_over=share.is_over,
            under_way=share.state in _UNDER_WAY,
            effects=[
                "RAM deletes the share, and every account it lets in loses access at once.",
                "Versions those accounts registered stay in the hub.",
            ],
            entries=timeline_of(timeline.history_of_share(share)),
            **kwargs,
        )


class _Filled(FormPage):
    """The form around a share, with a preview of what each account could do."""

    template_name = "governance/share_edit.html"
    form_class = ShareForm
    needs = Act.SHARE_GROUPS

    def form_arguments(self) -> dict[str, Any]:
        return {
            "groups": sharing.shareable_groups(self.actor),
            "accounts": sharing.spokes(self.actor),
            "permissions": sharing.offered_permissions(),
        }

    def number(self) -> int | None:
        """Return the number of the share that is edited, None for a new one."""
        return None

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "preview" not in request.POST:
            return super().post(request, *args, **kwargs)
        form = cast("ShareForm", self.build(request.POST))
        if form.is_valid():
            try:
                terms, planned = shares.preview(actor=self.actor, wish=form.wish(), number=self.number())
            except InvalidInput as refusal:
                put_back(form, refusal)
            else:
                return self.show_again(form, 200, planned=posture_of(planned), terms=terms)
        return self.show_again(form, UNUSABLE)


class ShareNew(_Filled):
    submit_label = "Declare it"

    def cancel_url(self) -> str:
        return reverse("governance:share_list")

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [{"label": "Shares", "url": self.cancel_url()}, {"label": "Declare a share", "url": ""}]

    def form_arguments(self) -> dict[str, Any]:
        initial: dict[str, Any] = {}
        group, found = self.request.GET.get("group", ""), None
        if group.isascii() and group.isdecimal() and len(group) < 19:
            initial["groups"] = [int(group)]
        taken = self.request.GET.get("take_over", "")
        if taken.isascii() and taken.isdecimal() and len(taken) < 19:
            found = sharing.undeclared(self.actor).filter(pk=int(taken)).first()
        if found is not None:
            initial = {
                "take_over": found.pk,
                "name": found.name,
                "groups": [one.pk for one in found.groups.all()],
                "accounts": [one.pk for one in sharing.spokes(self.actor).filter(account_id__in=found.principals)],
                "organisation_principals": "\n".join(one for one in found.principals if not one.isdecimal()),
                "permission": next(iter(found.permission_arns), ""),
            }
        return {**super().form_arguments(), "initial": initial}

    def carry_out(self, form: BaseForm) -> str:
        wish = cast("ShareForm", form).wish()
        made = shares.declare(actor=self.actor, wish=wish, take_over=form.cleaned_data["take_over"])
        self.say(f"{made.public_id} is declared; a worker makes it in RAM.")
        return reverse("governance:share", args=[made.number])


class ShareEdit(KeepsTyping, OfShare, _Filled):
    submit_label = "Save"

    def number(self) -> int | None:
        return int(self.share.number)

    def cancel_url(self) -> str:
        return self.url

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [*super().breadcrumbs(), {"label": "Edit", "url": ""}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shares.require_editable(self.actor, self.share)
        return super().get_context_data(share=self.share, **kwargs)

    def form_arguments(self) -> dict[str, Any]:
        values = ShareForm.values_of(shares.wish_of(self.share))
        arguments = super().form_arguments()
        return {
            **arguments,
            "accounts": sharing.spokes(self.actor, also=self.share),
            "initial": {
                **values,
                "accounts": [one.pk for one in self.share.accounts.all()],
                "revision": self.share.revision,
            },
        }

    def carry_out(self, form: BaseForm) -> str:
        given = cast("ShareForm", form)
        shares.edit(
            actor=self.actor,
            number=self.share.number,
            revision=given.cleaned_data["revision"] or 0,
            wish=given.wish(),
        )
        self.say(f"{self.share.public_id} is saved; a worker brings RAM in line.")
        return self.url


class ShareAction(ActionView):
    """A button on a share's page."""

    @property
    def number(self) -> int:
        return int(self.kwargs["number"])

    def back(self) -> str:
        return reverse("governance:share", args=[self.number])


class ShareWithdraw(ShareAction):
    """Take a share back."""

    def carry_out(self) -> str:
        row = shares.withdraw(actor=self.actor, number=self.number, reason=self.request.POST.get("reason", ""))
        self.say(f"{row.public_id} is being withdrawn.")
        return self.back()


class ShareApply(ShareAction):
    """Bring RAM in line with what is declared."""

    def carry_out(self) -> str:
        row = shares.reapply(actor=self.actor, number=self.number)
        self.say(f"A worker brings RAM in line with {row.public_id}.")
        return self.back()


class ShareAccept(ShareAction):
    """Have the pending invitations accepted."""

    def carry_out(self) -> str:
        accounts = shares.accept(actor=self.actor, number=self.number)
        self.say(f"{', '.join(one.alias for one in accounts)} will accept.")
        return self.back()


class ShareReinvite(ShareAction):
    """Invite an account again."""

    def carry_out(self) -> str:
        account_id = self.request.POST.get("account", "")
        shares.reinvite(actor=self.actor, number=self.number, account_id=account_id)
        self.say(f"{account_id} is invited again.")
        return self.back()


class ShareRead(ShareAction):
    """Read now what RAM says."""

    def carry_out(self) -> str:
        row = shares.request_sync(actor=self.actor, number=self.number)
        self.say(f"A worker reads what RAM says of {row.public_id}.")
        return self.back()
