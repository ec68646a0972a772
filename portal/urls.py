"""Every address of the portal: pages, API, admin, health."""

from __future__ import annotations

from django.urls import include, path

from portal.api import faults
from portal.core import health
from portal.core.admin import console

# Whatever fails outside of a view: the API's callers are told in JSON, people by a page.
handler400, handler403, handler404 = faults.bad_request, faults.forbidden, faults.not_found
handler500 = faults.server_error

urlpatterns = [
    # First, since pipelines ask most: each of the hundreds of pages' patterns before it would be tried in vain.
    path("api/v1/", include("portal.api.urls")),
    path("", include("portal.dashboard.urls")),
    path("", include("governance.web.urls")),
    path("", include("registry.web.urls")),
    path("admin/", console.urls),
    path("healthz", health.alive, name="alive"),
    path("readyz", health.ready, name="ready"),
]
