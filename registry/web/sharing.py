"""What accounts can do, as a table of plain verbs shows it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from portal.core.templatetags.portal_ui import account, badge

from ..selectors import operations
from ..sharing.posture import AccountPosture, Way
from ..sharing.verbs import GUARDED, Verb


def posture_of(rows: Iterable[AccountPosture]) -> list[dict[str, Any]]:
    """Return the rows of the table: who, what of the five verbs with how sure, and by which shares or policies."""
    found = list(rows)
    aliases = operations.aliases({row.account_id for row in found})
    return [
        {
            "who": who_of(row.account_id, aliases),
            **posture_cells(row),
            "words": row.words,
            "is_guarded": row.is_guarded,
        }
        for row in found
    ]


def posture_cells(row: AccountPosture) -> dict[str, Any]:
    """Return the five verbs of one account for one group with how sure they are, and what opens them."""
    return {
        "cells": [{"label": verb.label, "shown": _cell(verb, row.ways.get(verb, ()))} for verb in Verb],
        "through": list(dict.fromkeys(_through(way) for ways in row.ways.values() for way in ways)),
    }


def who_of(account_id: str, aliases: dict[str, str]) -> Any:
    """Show an account by its id: one the portal knows, one it does not, or everybody."""
    if account_id == "*":
        return badge("Everybody", "grave", "world")
    if not account_id.isdecimal():
        return account_id
    return account(alias=aliases.get(account_id, "unknown to the portal"), id=account_id)


def _cell(verb: Verb, ways: tuple[Way, ...]) -> Any:
    if not ways:
        return badge("no", "mute", "circle-minus")
    tone, icon = ("bad", "alert-octagon") if verb in GUARDED else ("good", "circle-check")
    if any(way.sure and not way.pending for way in ways):
        return badge("yes", tone, icon)
    if all(way.pending for way in ways):
        return badge("once it accepts", "wait" if verb not in GUARDED else "bad", "hourglass")
    return badge("perhaps", "warn", "question-mark")


def _through(way: Way) -> str:
    return f"{way.source} ({way.note})" if way.note else way.source
