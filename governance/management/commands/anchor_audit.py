"""Anchors the audit trail now: `manage.py anchor_audit`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from governance.services.anchors import anchor
from portal.core.actors import Actor
from portal.core.errors import DomainError


class Command(BaseCommand):
    """Sign and store what the trail gained since the last anchor, as the schedule does every ten minutes."""

    help = "Anchor the audit trail now, for example before a backup or a migration."

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError when the storage does not answer or does not fit the database."""
        try:
            made = anchor(actor=Actor.system("operator"))
        except DomainError as refusal:
            raise CommandError(refusal.detail) from refusal
        if made is None:
            self.stdout.write("There is nothing new to anchor, or somebody is still writing.")
        else:
            self.stdout.write(f"Anchor {made.number} covers the trail up to entry {made.last_sequence}.")
