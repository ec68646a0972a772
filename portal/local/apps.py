from __future__ import annotations

from django.apps import AppConfig


class LocalConfig(AppConfig):
    """Commands that only exist on a laptop: demo data."""

    name = "portal.local"
    label = "local"
