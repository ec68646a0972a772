from __future__ import annotations

from django.apps import AppConfig


class RegistryConfig(AppConfig):
    """What exists, as AWS and people tell it."""

    name = "registry"
    verbose_name = "Registry"
