"""The keys the portal signs with: looked at, rotated, revoked."""

from __future__ import annotations

from typing import Any, ClassVar

import django_tables2 as tables
from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.core.errors import InvalidInput
from portal.core.permissions import Act
from portal.core.serializers import LONGEST_TEXT
from portal.core.tables import PortalTable, absent
from portal.core.templatetags.portal_ui import arn, badge, reltime
from portal.core.views import ActionView, TablePage

from ..choices import SigningAlgorithm, SigningKeyState
from ..models import SigningKey
from ..selectors.signing_keys import signing_keys
from ..services import signing
from .list_filters import SigningKeyFilter

_LOOKS = {
    SigningKeyState.ACTIVE: ("Signs", "good", "key"),
    SigningKeyState.RETIRED: ("Retired", "mute", "archive"),
    SigningKeyState.REVOKED: ("Revoked", "bad", "ban"),
}


class SigningKeyTable(PortalTable):
    label = "Signing keys"
    state = tables.Column("State", order_by=("state", "pk"))
    kid = tables.Column("Key", orderable=False)
    algorithm = tables.Column("Algorithm", order_by=("algorithm", "pk"))
    created_at = tables.Column("Made", order_by=("created_at", "pk"))
    ended = tables.Column("Stopped signing", accessor="retired_at", orderable=False, empty_values=())
    revoke = tables.TemplateColumn(
        template_name="governance/signing_key_revoke.html", verbose_name="Revoke", orderable=False, empty_values=()
    )

    def render_state(self, record: SigningKey) -> SafeString:
        return badge(*_LOOKS[SigningKeyState(record.state)])

    def render_kid(self, record: SigningKey) -> SafeString:
        return arn(record.kid, label="key id")

    def render_created_at(self, record: SigningKey) -> SafeString:
        return reltime(record.created_at)

    def render_ended(self, record: SigningKey) -> SafeString:
        if record.state == SigningKeyState.ACTIVE:
            return absent("not yet")
        return format_html(
            '{}<span class="kv-hint">{}</span>',
            reltime(record.retired_at or record.revoked_at),
            record.revocation_reason,
        )


class SigningKeys(TablePage):
    template_name = "governance/signing_keys.html"
    table_class = SigningKeyTable
    filter_class = SigningKeyFilter
    needs = Act.MANAGE_KEYS

    def rows(self) -> QuerySet[Any]:
        return signing_keys(self.actor)

    def nothing(self) -> dict[str, str]:
        return {
            "title": "No key yet",
            "text": "The first one is made when something is signed for the first time.",
            "icon": "key",
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        active = self.rows().filter(state=SigningKeyState.ACTIVE).first()
        now = SigningAlgorithm(active.algorithm) if active else SigningAlgorithm.ES256
        other = next(algorithm for algorithm in SigningAlgorithm if algorithm is not now)
        context = super().get_context_data(
            rotate_effects=[
                "The portal signs with a new key from now on.",
                "The present one is retired; what it signed stays verifiable.",
                "Its private half is deleted.",
            ],
            same={"algorithm": now.value},
            other={"algorithm": other.value},
            other_label=f"Rotate to {other.label} instead of {now.label}",
            other_title=f"Sign with a new key, by {other.label}?",
            key_set_url=f"{settings.PORTAL_PUBLIC_URL}{reverse('api-gate-keys')}",
            **kwargs,
        )
        context["table"].revoke_effects = [
            "It leaves the key set for good: nothing it signed verifies any more.",
            "Answers of the gate that were kept as evidence under it lose their worth.",
            "If it signs now, a new key takes its place at once.",
        ]
        return context


class ReasonForm(forms.Form):
    """Why a key is rotated or revoked; the service says when it must be given."""

    reason = forms.CharField(required=False, max_length=LONGEST_TEXT)


class RotateForm(ReasonForm):
    """How the next key signs, and why there is one."""

    algorithm = forms.ChoiceField(choices=SigningAlgorithm.choices())


class KeyAction(ActionView):
    """A button with a reason."""

    form_class: ClassVar[type[forms.Form]] = ReasonForm

    def given(self) -> dict[str, Any]:
        """Return what was sent. Raises InvalidInput."""
        form = self.form_class(self.request.POST)
        if not form.is_valid():
            errors = {name: [str(error) for error in errors] for name, errors in form.errors.items()}
            raise InvalidInput("Nothing was done: what was sent cannot be used.", errors=errors)
        return form.cleaned_data


class SigningKeyRotate(KeyAction):
    """Sign with a new key from now on."""

    form_class = RotateForm

    def carry_out(self) -> str:
        given = self.given()
        made = signing.rotate(actor=self.actor, algorithm=SigningAlgorithm(given["algorithm"]), reason=given["reason"])
        self.say(f"The portal signs with the new key {made.kid[:8]}… from now on.")
        return reverse("governance:signing_keys")


class SigningKeyRevoke(KeyAction):
    """Take a key out of the key set for good."""

    def carry_out(self) -> str:
        key = signing.revoke(actor=self.actor, kid=self.kwargs["kid"], reason=self.given()["reason"])
        self.say(f"The key {key.kid[:8]}… is revoked: nothing it signed verifies any more.")
        return reverse("governance:signing_keys")
