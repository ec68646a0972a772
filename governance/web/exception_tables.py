"""The columns of the registers of exceptions."""

from __future__ import annotations

import django_tables2 as tables
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.core.actors import Actor
from portal.core.permissions import Act, may
from portal.core.tables import PortalTable, absent, name_cell, two
from portal.core.templatetags.portal_ui import badge, person, plain, reltime

from ..models import Delegation, Override
from .wording import name_of, url_of


class OverrideTable(PortalTable):
    label = "Overridden rules"
    actor: Actor
    rule = tables.Column("Rule", accessor="pk", order_by=("pk",))
    subject = tables.Column("Of", accessor="kind", orderable=False)
    granted_by = tables.Column("By", order_by=("granted_by__display_name", "pk"))
    reason = tables.Column("Why", orderable=False)
    expires_at = tables.Column("Until", order_by=("expires_at", "pk"))
    act = tables.Column("Take back", accessor="pk", orderable=False, exclude_from_export=True)

    class Meta(PortalTable.Meta):
        pass

    def render_rule(self, record: Override) -> SafeString:
        return two(record.check_label, record.public_id)

    def render_subject(self, record: Override) -> SafeString:
        return name_cell(name_of(record.subject), url_of(record.subject), f"for {plain(record.stage)}")

    def render_granted_by(self, record: Override) -> SafeString:
        return two(person(record.granted_by), reltime(record.granted_at))

    def render_expires_at(self, record: Override) -> SafeString:
        if record.revoked_at:
            return two(badge("Revoked", "mute", "x"), f"by {record.revoked_by}")
        if not record.is_in_force(timezone.now()):
            return two(badge("Over", "mute", "clock"), reltime(record.expires_at))
        return two(badge("In force", "warn", "alert-triangle"), reltime(record.expires_at))

    def render_act(self, record: Override) -> SafeString | str:
        if not record.is_in_force(timezone.now()) or not may(self.actor, Act.BREAK_GLASS, record.scope_project_id):
            return ""
        return _button(self.request, reverse("governance:override_revoke", args=[record.pk]), "Revoke")


class DelegationTable(PortalTable):
    label = "Delegations"
    actor: Actor
    delegate = tables.Column("Stands in", order_by=("delegate__display_name", "pk"))
    delegator = tables.Column("In the name of", order_by=("delegator__display_name", "pk"))
    role = tables.Column("As", order_by=("role", "pk"))
    days = tables.Column("Days", accessor="starts_on", order_by=("starts_on", "pk"))
    reason = tables.Column("Why", orderable=False)
    state = tables.Column("State", accessor="ends_on", order_by=("ends_on", "pk"))
    act = tables.Column("Take back", accessor="pk", orderable=False, exclude_from_export=True)

    class Meta(PortalTable.Meta):
        pass

    def render_delegate(self, record: Delegation) -> SafeString:
        return person(record.delegate)

    def render_delegator(self, record: Delegation) -> SafeString:
        return person(record.delegator)

    def render_role(self, record: Delegation) -> SafeString:
        where = absent("everywhere") if record.project is None else format_html("on {}", record.project.name)
        return two(plain(record.role), where)

    def render_days(self, record: Delegation) -> str:
        return f"{record.starts_on} to {record.ends_on}"

    def render_state(self, record: Delegation) -> SafeString:
        today = timezone.now().date()
        if record.revoked_at:
            return two(badge("Revoked", "mute", "x"), f"by {record.revoked_by}")
        if record.is_in_force(today):
            return badge("In force", "good", "circle-check")
        return badge("Over", "mute", "clock") if record.ends_on < today else badge("To come", "wait", "hourglass")

    def render_act(self, record: Delegation) -> SafeString | str:
        own = self.actor.user_id in (record.delegator_id, record.delegate_id)
        over = record.revoked_at is not None or record.ends_on < timezone.now().date()
        if over or not (own or may(self.actor, Act.MANAGE_ACCESS, record.project_id)):
            return ""
        return _button(self.request, reverse("governance:delegation_revoke", args=[record.pk]), "Revoke")


def _button(request: object, url: str, label: str) -> SafeString:
    return format_html(
        '<form method="post" action="{}"><input type="hidden" name="csrfmiddlewaretoken" value="{}">'
        '<button type="submit" class="btn btn-sm">{}</button></form>',
        url,
        get_token(request),  # type: ignore[arg-type]  # a table keeps its request untyped
        label,
    )
