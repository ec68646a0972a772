"""The registry's part of version 1: prefix, viewset, base name. What governance widens, it routes itself."""

from __future__ import annotations

from rest_framework.viewsets import ViewSetMixin

from .accounts import SyncRuns
from .attributes import CustomAttributes
from .endpoint_metrics import EndpointMetrics
from .monitors import Monitors
from .organisation import LinesOfBusiness, Projects
from .people import People
from .people_groups import PeopleGroups
from .personas import AccountRoles
from .saved_views import SavedViews
from .sharing import ResourceShares
from .to_confirm import ToConfirm
from .tracking import TrackingServers

ROUTES: list[tuple[str, type[ViewSetMixin], str]] = [
    ("projects", Projects, "project"),
    ("lines-of-business", LinesOfBusiness, "line-of-business"),
    ("people", People, "person"),
    ("people-groups", PeopleGroups, "people-group"),
    ("saved-views", SavedViews, "saved-view"),
    ("ai-act/to-confirm", ToConfirm, "to-confirm"),
    ("custom-attributes", CustomAttributes, "custom-attribute"),
    ("endpoint-metrics", EndpointMetrics, "endpoint-metric"),
    ("account-roles", AccountRoles, "account-role"),
    ("sync-runs", SyncRuns, "sync-run"),
    ("resource-shares", ResourceShares, "resource-share"),
    ("monitors", Monitors, "monitor"),
    ("tracking-servers", TrackingServers, "tracking-server"),
]
