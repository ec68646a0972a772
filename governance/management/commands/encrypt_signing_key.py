"""Encrypts the signing key with the newest secret: `manage.py encrypt_signing_key`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from governance.services import channels, notification_settings, signing, webhooks
from portal.core.actors import Actor
from portal.core.errors import DomainError
from registry.services import tracking_servers


class Command(BaseCommand):
    """Encrypt what is stored anew, so that an older secret of PORTAL_KEY_ENCRYPTION_KEYS may be taken away."""

    help = (
        "Encrypt the signing key, the secrets of webhooks, waiting pipelines and tracking servers, and the addresses of"
        " people's chats with the first secret of PORTAL_KEY_ENCRYPTION_KEYS. Run it after a new one was put in front"
        " and every process was restarted; afterwards the older ones may be taken away."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError when no configured secret opens the key."""
        try:
            actor = Actor.system("encrypt_signing_key")
            done = signing.encrypt_anew(actor=actor)
            secrets = channels.encrypt_anew(actor=actor) + webhooks.encrypt_anew(actor=actor)
            chats = notification_settings.encrypt_anew(actor=actor)
            servers = tracking_servers.encrypt_anew(actor=actor)
        except DomainError as refusal:
            raise CommandError(refusal.detail) from refusal
        self.stdout.write("The signing key is encrypted anew." if done else "There is no signing key yet.")
        if secrets:
            self.stdout.write(f"Secrets of webhooks and waiting pipelines encrypted anew: {secrets}.")
        if servers:
            self.stdout.write(f"Secrets of tracking servers encrypted anew: {servers}.")
        if chats:
            self.stdout.write(f"Addresses of chats encrypted anew: {chats}.")
