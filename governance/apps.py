from __future__ import annotations

from django.apps import AppConfig
from django.core import checks


class GovernanceConfig(AppConfig):
    """What is allowed, and the proof of it."""

    name = "governance"
    verbose_name = "Governance"

    def ready(self) -> None:
        """Have governance told of what registry changes, so that decisions stay bound to what they were about."""
        from registry.services import changes, preflight  # noqa: PLC0415 - models exist only now

        from .selectors.database_role import deployment_check  # noqa: PLC0415 - as above
        from .services.binding import registry_changed  # noqa: PLC0415 - as above
        from .services.order_resources import used_in  # noqa: PLC0415 - as above

        changes.listen(registry_changed)
        preflight.ask_also(used_in)
        checks.register(deployment_check, checks.Tags.database, deploy=True)
