"""A process that sends what is due to webhooks, to be killed in the middle: `python -m tests.webhooks.sending_process`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import django


def main() -> None:
    django.setup()
    jobs: Any = import_module("portal.core.jobs")
    jobs._send = lambda *args, **kwargs: None
    spread: Any = import_module("governance.services.webhook_spread")
    delivery: Any = import_module("governance.services.webhook_delivery")
    spread.spread_due()
    delivery.send_due()


if __name__ == "__main__":
    main()
