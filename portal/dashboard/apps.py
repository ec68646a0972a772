from __future__ import annotations

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    """My work and figures; no models."""

    name = "portal.dashboard"
    label = "dashboard"
