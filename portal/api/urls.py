"""Version 1 of the REST API, composed from the apps."""

from __future__ import annotations

urlpatterns: list = []
