"""Addresses of this app's pages."""

from __future__ import annotations

app_name = "governance"
urlpatterns: list = []
