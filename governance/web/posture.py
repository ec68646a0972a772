"""The posture matrix: which account can do what with how many groups, and one account group by group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from portal.core.templatetags.portal_ui import badge
from portal.core.views import Page
from registry.models import ModelGroup
from registry.selectors import operations, posture_matrix
from registry.sharing.posture import AccountPosture
from registry.sharing.verbs import GUARDED, Verb
from registry.web.sharing import posture_cells, who_of

Held = list[tuple[ModelGroup, AccountPosture]]


class PostureMatrix(Page):
    """Accounts by verbs; red where a spoke may approve or delete. `account` in the address opens one of them."""

    template_name = "governance/posture.html"
    fragment = "slot"

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Shares", "url": reverse("governance:share_list")},
            {"label": "What accounts can do", "url": ""},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found, left_out = posture_matrix.postures(self.actor)
        by_account: dict[str, Held] = {}
        for group, rows in found:
            for row in rows:
                by_account.setdefault(row.account_id, []).append((group, row))
        aliases = operations.aliases(set(by_account))
        asked = self.request.GET.get("account", "")
        opened = by_account.get(asked)
        return super().get_context_data(
            verbs=[verb.label for verb in Verb],
            rows=[
                {
                    "who": who_of(account_id, aliases),
                    "url": f"{reverse('governance:posture')}?{urlencode({'account': account_id})}#groups",
                    "cells": [_cell(verb, held) for verb in Verb],
                    "groups": len(held),
                }
                for account_id, held in sorted(by_account.items())
            ],
            guarded=sum(any(row.is_guarded for _, row in held) for held in by_account.values()),
            left_out=left_out,
            asked=asked,
            opened=_by_group(opened) if opened else None,
            opened_who=who_of(asked, aliases) if opened else "",
            **kwargs,
        )


def _cell(verb: Verb, held: Sequence[tuple[ModelGroup, AccountPosture]]) -> dict[str, Any]:
    """Return in how many groups an account can do this, and in how many only perhaps or once it accepts."""
    ways = [row.ways[verb] for _, row in held if verb in row.ways]
    sure = sum(any(way.sure and not way.pending for way in found) for found in ways)
    perhaps = len(ways) - sure
    guarded = verb in GUARDED
    shown = []
    if sure:
        tone, icon = ("bad", "alert-octagon") if guarded else ("good", "circle-check")
        shown.append(badge(f"{sure} group{'s' if sure != 1 else ''}", tone, icon))
    if perhaps:
        tone = "bad" if guarded else "warn"
        shown.append(badge(f"perhaps {perhaps}", tone, "question-mark", "under a condition, or once it accepts"))
    return {"label": verb.label, "shown": shown or [badge("no", "mute", "circle-minus")], "bad": guarded and bool(ways)}


def _by_group(held: Held) -> list[dict[str, Any]]:
    return [
        {
            "name": group.name,
            "url": reverse("registry:group", args=[group.pk]),
            **posture_cells(row),
        }
        for group, row in held
    ]
