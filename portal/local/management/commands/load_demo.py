"""Load the demo data once; local settings only."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.local import demo
from portal.local.demo_clock import ClockRefused


class Command(BaseCommand):
    """Make the demo people, accounts, model group and use case; loading twice changes nothing."""

    help = "Load the demo data (local settings only); loading twice changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the switches for one's own AWS, and for the company."""
        parser.add_argument("--without-sandbox", action="store_true", help="people and project only, no AWS")
        parser.add_argument(
            "--company", action="store_true", help="with a company's last three months: a minute's work"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError outside the local settings."""
        try:
            demo.load(
                lambda text: self.stdout.write(f"  demo: {text}"),
                sandbox=not options["without_sandbox"],
                company=options["company"],
            )
        except (demo.DemoRefused, ClockRefused) as refusal:
            raise CommandError(str(refusal)) from refusal
