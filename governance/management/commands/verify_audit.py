"""Checks the audit trail: `manage.py verify_audit`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.selectors.audit_trail import last_sound_anchor
from governance.services.verification import verify
from portal.core.errors import DomainError

UNCHECKED = 2


class Command(BaseCommand):
    """Verify the audit trail and its anchors; exit 1 naming the first bad row or anchor, 2 when it cannot be done."""

    help = (
        "Check every entry of the audit trail, its chains and its signed anchors. Exits with 1 and names the first bad"
        " row or anchor, with 2 when the check could not be done."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add what part to check, and how to answer."""
        parser.add_argument(
            "--since-anchor",
            nargs="?",
            type=int,
            const=-1,
            metavar="N",
            help="check what comes after anchor N, by default after the newest anchor of the last sound check",
        )
        parser.add_argument("--json", action="store_true", help="answer with one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError when the trail is not as it was written, or cannot be checked."""
        since = options["since_anchor"]
        try:
            found = verify(since=last_sound_anchor() if since == -1 else since)
        except DomainError as refusal:
            raise CommandError(refusal.detail, returncode=UNCHECKED) from refusal
        if options["json"]:
            self.stdout.write(json.dumps({"is_intact": found.is_intact, **asdict(found)}))
        else:
            behind = f" behind anchor {found.since}" if found.since else ""
            self.stdout.write(
                f"Checked {found.rows} rows in {found.chains} chains{behind}, and {found.anchors} anchors."
            )
        if not found.is_intact:
            raise CommandError(found.problem)
        if not options["json"]:
            anchored = f" Anchor {found.anchor} covers them up to {found.anchored_to}." if found.anchor else ""
            self.stdout.write(f"Every row is as it was written.{anchored}")
