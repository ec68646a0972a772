from __future__ import annotations

from django.apps import AppConfig


class GovernanceConfig(AppConfig):
    """What is allowed, and the proof of it."""

    name = "governance"
    verbose_name = "Governance"
