"""Version 1 of the REST API, composed from the apps."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver, path, re_path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import DefaultRouter

from governance.api.dashboard import Dashboard
from governance.api.gate import Gate, GateKeyRevocation, GateKeyRotation, GateKeys
from governance.api.notification_settings import OwnNotificationSettings
from governance.api.posture import Posture
from governance.api.routes import ROUTES as GOVERNANCE
from governance.api.search import Search
from portal.core.viewsets import PortalView
from registry.api.classifications import EDITION_ID, Editions, Questionnaire, Rerun
from registry.api.organisation import Me
from registry.api.routes import ROUTES as REGISTRY

from .idempotency import once
from .problem import not_found
from .tokens import LogoutEverywhereView, LogoutView, TokenView
from .use_case_drafts import UseCaseDrafts

PortalView.keeper = staticmethod(once)
router = DefaultRouter(use_regex_path=True)
router.include_format_suffixes = False
# Tried in this order: governance's begin with what is asked most.
ROUTES: list[tuple[str, Any, str]] = [*GOVERNANCE, *REGISTRY, ("use-case-drafts", UseCaseDrafts, "use-case-draft")]
for prefix, viewset, name in ROUTES:
    router.register(prefix, viewset, basename=name)

# What is asked many times a second is tried before all the others, which begin otherwise.
_OFTEN = ("^model-versions/", "^approvals/")
_routed = router.urls
_often = [one for one in _routed if str(one.pattern).startswith(_OFTEN)]

urlpatterns: list[URLPattern | URLResolver] = [
    path("gate/", Gate.as_view(), name="api-gate"),
    *_often,
    path("auth/token/", TokenView.as_view(), name="api-token"),
    path("auth/logout/", LogoutView.as_view(), name="api-logout"),
    path("auth/logout-all/", LogoutEverywhereView.as_view(), name="api-logout-all"),
    path("me/", Me.as_view(), name="api-me"),
    path("search/", Search.as_view(), name="api-search"),
    path("dashboard/", Dashboard.as_view(), name="api-dashboard"),
    path("shares/posture/", Posture.as_view(), name="api-shares-posture"),
    path(
        "notifications/settings/",
        OwnNotificationSettings.as_view({"get": "retrieve", "patch": "partial_update"}),
        name="api-notification-settings",
    ),
    path(
        "notifications/settings/chat/",
        OwnNotificationSettings.as_view({"put": "set_chat", "delete": "remove_chat"}),
        name="api-notification-chat",
    ),
    path(
        "notifications/settings/chat/test/",
        OwnNotificationSettings.as_view({"post": "test_chat"}),
        name="api-notification-chat-test",
    ),
    path("gate/keys/", GateKeys.as_view(), name="api-gate-keys"),
    path("gate/keys/rotate/", GateKeyRotation.as_view(), name="api-gate-keys-rotate"),
    re_path(
        r"^gate/keys/(?P<id>[A-Za-z0-9_-]{1,64})/revoke/\Z", GateKeyRevocation.as_view(), name="api-gate-keys-revoke"
    ),
    path("ai-act/editions/", Editions.as_view(), name="api-ai-act-editions"),
    re_path(
        rf"^ai-act/editions/(?P<id>{EDITION_ID})/questionnaire/\Z", Questionnaire.as_view(), name="api-ai-act-questions"
    ),
    path("ai-act/rerun/", Rerun.as_view(), name="api-ai-act-rerun"),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path(
        "docs/",
        SpectacularSwaggerSplitView.as_view(url_name="api-schema", template_name="api/docs.html"),
        name="api-docs",
    ),
    *(one for one in _routed if one not in _often),
    # Whatever else begins with /api/v1/ is refused as the API refuses, not with a page.
    re_path(r"^(?P<path>.*)$", csrf_exempt(not_found), name="api-not-found"),
]
