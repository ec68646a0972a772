"""Write the catalogue of events into docs/webhooks.md."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from governance.policies.webhook_events import CATALOGUE, TEST

PATH = Path(settings.BASE_DIR) / "docs" / "webhooks.md"
HEADING = "## Events\n"


def catalogue() -> str:
    """Return the chapter of events as the document has it, from its heading on."""
    rows = [
        f"| `{each.name}` | {each.when} | {', '.join(f'`{name}`' for name in each.fields) or 'none'} |"
        for each in CATALOGUE
    ]
    return "\n".join(
        [
            HEADING,
            "Written by `manage.py webhook_docs` from the catalogue.\n",
            "| event | comes when | fields of its own |",
            "|---|---|---|",
            *rows,
            f"| `{TEST}` | Somebody tries the webhook out; it is sent once. | `webhook`, `sent_by` |",
            "",
        ]
    )


class Command(BaseCommand):
    """Keep the document and the catalogue the same."""

    help = "Write the catalogue of events into docs/webhooks.md; with --check only compare."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --check."""
        parser.add_argument("--check", action="store_true", help="only compare")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError when --check finds a difference."""
        before, _, _ = PATH.read_text().partition(HEADING)
        wanted = before + catalogue()
        if not options["check"]:
            PATH.write_text(wanted)
        elif PATH.read_text() != wanted:
            raise CommandError("docs/webhooks.md is not what the catalogue says. Run `manage.py webhook_docs`.")
