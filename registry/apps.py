from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings


class RegistryConfig(AppConfig):
    """What exists, as AWS and people tell it."""

    name = "registry"
    verbose_name = "Registry"

    def ready(self) -> None:
        """Tell the gateway, which knows no settings, how much it may ask of an account at once."""
        from .aws import gates  # noqa: PLC0415 - only what starts the portal talks to AWS

        gates.configure(settings.PORTAL_AWS_CONCURRENCY)
