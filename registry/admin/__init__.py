"""The registry in the console for ML admins."""

from . import accounts, attributes, events, organisation, people, people_groups, personal, records, tracking

__all__ = [
    "accounts", "attributes", "events", "organisation", "people", "people_groups", "personal", "records", "tracking",
]  # fmt: skip
