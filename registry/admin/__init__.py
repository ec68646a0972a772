"""The registry in the console for ML admins."""

from . import accounts, attributes, organisation, people, records

__all__ = ["accounts", "attributes", "organisation", "people", "records"]
