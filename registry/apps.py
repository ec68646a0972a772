from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings


class RegistryConfig(AppConfig):
    """What exists, as AWS and people tell it."""

    name = "registry"
    verbose_name = "Registry"

    def ready(self) -> None:
        """Tell the gateway, which knows no settings, how much it may ask at once; and lists, who keeps their views."""
        from portal.core import saved_views  # noqa: PLC0415 - as below

        from .aws import gates  # noqa: PLC0415 - only what starts the portal talks to AWS
        from .selectors.saved_views import views_for  # noqa: PLC0415 - models are there only now

        gates.configure(settings.PORTAL_AWS_CONCURRENCY)
        saved_views.found_by(views_for)
