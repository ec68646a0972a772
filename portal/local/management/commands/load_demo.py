"""Load the demo data once; local settings only."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.local import demo


class Command(BaseCommand):
    """Make the demo people, accounts, model group and use case; loading twice changes nothing."""

    help = "Load the demo data (local settings only); loading twice changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError outside the local settings."""
        try:
            demo.load(lambda text: self.stdout.write(f"  demo: {text}"))
        except demo.DemoRefused as refusal:
            raise CommandError(str(refusal)) from refusal
