"""The registry's part of version 1: prefix, viewset, base name. What governance widens, it routes itself."""

from __future__ import annotations

from rest_framework.viewsets import ViewSetMixin

from .accounts import SyncRuns
from .attributes import CustomAttributes
from .organisation import Projects
from .sharing import ResourceShares

ROUTES: list[tuple[str, type[ViewSetMixin], str]] = [
    ("projects", Projects, "project"),
    ("custom-attributes", CustomAttributes, "custom-attribute"),
    ("sync-runs", SyncRuns, "sync-run"),
    ("resource-shares", ResourceShares, "resource-share"),
]
