from __future__ import annotations

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Template tags and base classes; no models."""

    name = "portal.core"
    label = "core"
