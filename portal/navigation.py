"""What stands around every page: where one can go, what waits there, and who one is.

Worked out only when a page with the frame is rendered, so fragments and the API pay nothing for it.
"""

from __future__ import annotations

from functools import cache
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from governance.selectors.waiting import MOST, Waiting, waiting_for
from portal.core.actors import Actor
from portal.core.permissions import Act, may_anywhere
from portal.core.vocabulary import Role
from portal.dashboard.commands import go_keys

Section = dict[str, Any]

# The same three dozen addresses stand on every page.
address = cache(reverse)


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Give templates the sections of the sidebar, the roles in the user menu and the name of the environment."""
    context: dict[str, Any] = {"environment_label": "Sandbox" if getattr(settings, "PORTAL_ALLOW_DEMO", False) else ""}
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return context
    actor = cast("Actor", cast("Any", user).actor)
    waiting: Any = SimpleLazyObject(lambda: waiting_for(actor))
    return {
        **context,
        "navigation": SimpleLazyObject(lambda: sections(actor, request.path, waiting)),
        # Of a page that says what went wrong, nobody asks what else waits.
        "places": SimpleLazyObject(lambda: sections(actor, request.path, Waiting())),
        "unread": SimpleLazyObject(lambda: waiting.unread),
        "search_url": address("search"),
        "palette_url": address("search_palette"),
        "go_keys": SimpleLazyObject(lambda: go_keys(places(actor))),
        "user_roles": SimpleLazyObject(lambda: sorted(actor.grants.anywhere)),
        "user_menu": SimpleLazyObject(lambda: _menu(actor)),
    }


def places(actor: Actor) -> list[Section]:
    """Return what this actor may open, without asking what waits there: the sidebar, then what is his own."""
    told = {"label": "Notifications", "url": address("governance:notification_list"), "icon": "bell"}
    return [*sections(actor, "", Waiting()), {"label": "Yours", "items": [told, *_menu(actor)]}]


def sections(actor: Actor, path: str, waiting: Waiting) -> list[Section]:
    """Return the sidebar for this actor: what he may open, with counts of what waits for him."""
    found: list[Section] = [
        {"items": _first(actor, path)},
        {
            "label": "Govern",
            "items": [
                _item("Approvals", address("governance:queue"), "inbox", path, waiting.decisions, "waiting on you"),
                _item("Stage table", address("governance:stage_table"), "table", path),
                _item("In production", address("governance:in_production"), "rocket", path),
                _item("Model dashboard", address("governance:model_dashboard"), "world", path),
                _item("Endpoints", address("governance:endpoint_list"), "server-2", path),
                _item("Monitors", address("registry:monitor_list"), "activity", path),
                _item("Evidence", address("governance:evidence_list"), "paperclip", path),
                _item("Reviews", address("governance:review_list"), "calendar", path),
                _item("AI Act", address("registry:ai_act"), "scale", path),
                _item("Findings", address("governance:finding_list"), "flag", path, waiting.findings, "open"),
                _item("Delegations", address("governance:delegation_list"), "users", path),
                _item("Policy", address("governance:policy_list"), "clipboard-list", path),
                _item("Gate", address("governance:gate"), "shield-lock", path),
            ],
        },
        {
            "label": "Catalogue",
            "items": [
                _item("Use cases", address("registry:use_case_list"), "target-arrow", path),
                _item("Model groups", address("registry:group_list"), "packages", path),
                _item("Model versions", address("registry:version_list"), "package", path),
                _item("Model cards", address("governance:model_card_list"), "notebook", path),
            ],
        },
    ]
    if may_anywhere(actor, Act.SEE_OPERATIONS):
        found.append(
            {
                "label": "Operate",
                "items": [
                    _item("AWS accounts", address("registry:account_list"), "brand-aws", path),
                    _item("Sync runs", address("registry:sync_run_list"), "refresh", path),
                    _item(
                        "Events", address("governance:parked_event_list"), "activity", path, waiting.parked, "parked"
                    ),
                    _item("Deployment channels", address("governance:channel_list"), "route", path),
                    _item("Outbox", address("governance:outbox"), "cloud-upload", path, waiting.failed, "given up"),
                    _item("Shares", address("governance:share_list"), "share-3", path),
                    _item("Tracking servers", address("registry:tracking_server_list"), "flask", path),
                ],
            }
        )
    if may_anywhere(actor, Act.SEE_WEBHOOKS):
        webhooks = _item("Webhooks", address("governance:webhook_list"), "webhook", path)
        # An auditor and an ML admin operate too, so the section is there.
        found[-1]["items"].append(webhooks)
    if may_anywhere(actor, Act.SEE_AUDIT):
        exceptions = _item("Exceptions", address("governance:override_list"), "hand-stop", path)
        trail = _item("Audit trail", address("governance:audit_trail"), "history", path)
        ledger = _item("Ledger", address("governance:ledger_check"), "list-check", path)
        decisions = _item("Decisions", address("governance:decision_register"), "clipboard-check", path)
        packs = _item("Audit packs", address("governance:pack_list"), "file-zip", path)
        found.append({"label": "Oversee", "items": [decisions, exceptions, trail, packs, ledger]})
    if actor.holds_everywhere(Role.ML_ADMIN):
        console = _item("Admin console", address("admin:index"), "settings", path)
        keys = _item("Signing keys", address("governance:signing_keys"), "key", path)
        services = _item("Service accounts", address("governance:service_account_list"), "plug", path)
        found.append({"label": "Administer", "items": [console, services, keys]})
    return found


def _first(actor: Actor, path: str) -> list[dict[str, Any]]:
    found = [_item("My work", address("home"), "home", path)]
    if actor.grants.anywhere:
        found.append(_item("Dashboard", address("dashboard"), "layout-dashboard", path))
    return found


def _item(label: str, url: str, icon: str, path: str, badge: int = 0, badge_label: str = "") -> dict[str, Any]:
    active = path == url if url == "/" else path.startswith(url)
    shown = f"{MOST - 1}+" if badge >= MOST else badge
    return {"label": label, "url": url, "icon": icon, "active": active, "badge": shown, "badge_label": badge_label}


def _menu(actor: Actor) -> list[dict[str, str]]:
    found = [
        {"label": "Profile", "url": address("governance:profile"), "icon": "user-circle"},
        {"label": "What I am told of", "url": address("governance:notify"), "icon": "bell"},
        {"label": "API tokens", "url": address("governance:token_list"), "icon": "key"},
    ]
    if actor.holds_everywhere(Role.ML_ADMIN):
        found.append({"label": "Admin console", "url": address("admin:index"), "icon": "settings"})
    return found
