"""What people fill in about being told. Forms parse; services decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from portal.core.vocabulary import ChatKind

from ..models import NotificationSettings
from ..selectors.notifications import Choice
from ..selectors.told_choices import WAYS


class SettingsForm(forms.Form):
    """A switch for each kind and way, and when the daily digest comes."""

    is_digest_on = forms.BooleanField(
        label="Send me a daily digest",
        required=False,
        help_text="What waits for you, what is due, and what you keep for it. An empty one is not sent.",
    )
    digest_hour = forms.TypedChoiceField(label="At", coerce=int, choices=[(h, f"{h:02d}:00") for h in range(24)])
    time_zone = forms.ChoiceField(label="Time zone")
    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,
        settings: NotificationSettings,
        zones: Sequence[str],
        groups: Sequence[tuple[str, Sequence[Choice]]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        for name in ("is_digest_on", "digest_hour", "time_zone", "revision"):
            self.fields[name].initial = getattr(settings, name)
        self._kinds = [choice for _, choices in groups for choice in choices]
        zone = self.fields["time_zone"]
        assert isinstance(zone, forms.ChoiceField)
        # One that this machine no longer offers stays what it is until another is chosen.
        zone.choices = [(name, name.replace("_", " ")) for name in dict.fromkeys([*zones, settings.time_zone])]
        for choice in self._kinds:
            for way in WAYS:
                self.fields[f"{way}:{choice.kind.kind.value}"] = forms.BooleanField(
                    required=False, initial=getattr(choice.ways, way)
                )

    @property
    def matrix(self) -> dict[str, dict[str, bool]]:
        """Return per kind what was switched on."""
        return {
            choice.kind.kind.value: {way: bool(self.cleaned_data[f"{way}:{choice.kind.kind.value}"]) for way in WAYS}
            for choice in self._kinds
        }


class ChatForm(forms.Form):
    """Which chat, and the address of its incoming webhook."""

    kind = forms.ChoiceField(label="Chat", choices=ChatKind.choices(), widget=forms.RadioSelect, initial="slack")
    url = forms.CharField(
        label="Address of the incoming webhook",
        max_length=2048,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="Whoever has it can write there, so it is stored encrypted and never shown again.",
    )
