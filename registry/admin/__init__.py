"""The registry in the console for ML admins."""

from . import (
    accounts,
    attributes,
    cards,
    events,
    monitoring,
    organisation,
    people,
    people_groups,
    personal,
    pipelines,
    reading,
    records,
    serving,
    tracking,
    training,
)

__all__ = [
    "accounts",
    "attributes",
    "cards",
    "events",
    "monitoring",
    "organisation",
    "people",
    "people_groups",
    "personal",
    "pipelines",
    "reading",
    "records",
    "serving",
    "tracking",
    "training",
]
