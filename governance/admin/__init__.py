"""Governance in the console for ML admins."""

from . import records, trail

__all__ = ["records", "trail"]
