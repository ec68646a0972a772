"""Governance in the console for ML admins."""

from . import notifications, records, trail

__all__ = ["notifications", "records", "trail"]
