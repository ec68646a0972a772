"""The registry in the console for ML admins."""

from . import accounts, organisation, people, records

__all__ = ["accounts", "organisation", "people", "records"]
