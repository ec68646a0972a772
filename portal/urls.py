"""Every address of the portal: pages, API, admin, health."""

from __future__ import annotations

from django.urls import include, path

from portal.core import health
from portal.core.admin import console

urlpatterns = [
    path("", include("portal.dashboard.urls")),
    path("", include("governance.web.urls")),
    path("", include("registry.web.urls")),
    path("api/v1/", include("portal.api.urls")),
    path("admin/", console.urls),
    path("healthz", health.alive, name="alive"),
    path("readyz", health.ready, name="ready"),
]
