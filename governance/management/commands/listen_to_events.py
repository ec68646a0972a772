"""Listen to the registry's events of all accounts until told to stop."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...services.listening import MOST_ACCOUNTS, WAIT_SECONDS, Listener

_LONGEST_WAIT = 20


class Command(BaseCommand):
    help = (
        "Waits at the event queue of every enabled account at once and takes in what arrives within moments. Accounts"
        " that are added, changed or disabled meanwhile are noticed. A second listener takes over where the first ends."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--wait-seconds",
            type=int,
            default=WAIT_SECONDS,
            help="seconds one request waits for messages, 0 to 20; so long may the change of an account go unnoticed",
        )
        parser.add_argument(
            "--most-accounts",
            type=int,
            default=MOST_ACCOUNTS,
            help="how many accounts this process listens to; each holds a database connection",
        )

    def handle(self, *args: Any, wait_seconds: int, most_accounts: int, **options: Any) -> None:
        if not 0 <= wait_seconds <= _LONGEST_WAIT:
            raise CommandError("--wait-seconds is a number from 0 to 20.")
        if most_accounts < 1:
            raise CommandError("--most-accounts is a number from 1.")
        listener = Listener(wait_seconds=wait_seconds, most_accounts=most_accounts)

        def stop(number: int, frame: FrameType | None) -> None:
            listener.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        listener.run()
