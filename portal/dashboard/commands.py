"""What the command palette and the keyboard can do besides finding things: open a page, start something, set something.

A page is offered to those whose sidebar has it, an action to those whose roles include it somewhere; whether it may be
done there is the service's to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from portal.core.actors import Actor
from portal.core.permissions import Act, may_anywhere
from portal.core.search import Typed


@dataclass(frozen=True)
class Command:
    """One line of the palette: it opens `url`, or the page does `does` (palette.js). `also` has other words for it."""

    label: str
    icon: str
    url: str = ""
    does: str = ""
    also: str = ""
    keys: str = ""
    hint: str = "Page"


# What "g" and then a letter open. A page one may not open has no key.
GO_KEYS = {
    "home": "h",
    "dashboard": "d",
    "governance:queue": "q",
    "registry:use_case_list": "u",
    "registry:group_list": "m",
    "registry:version_list": "v",
    "governance:stage_table": "s",
    "governance:finding_list": "f",
    "governance:evidence_list": "e",
    "governance:policy_list": "p",
    "registry:account_list": "a",
    "governance:outbox": "o",
    "governance:share_list": "r",
    "governance:audit_trail": "t",
    "governance:notification_list": "n",
}
_ALSO = {
    "home": "start inbox tasks",
    "governance:queue": "queue approve decide requests",
    "governance:stage_table": "fifteen attributes lifecycle",
    "registry:group_list": "model package groups",
    "registry:version_list": "models model packages",
    "governance:outbox": "write-backs aws pending",
    "governance:audit_trail": "log ledger chain",
    "governance:share_list": "ram permissions posture",
    "registry:account_list": "aws connection sync",
}
_ACTIONS: tuple[tuple[Act, str, str, str, str], ...] = (
    (Act.REGISTER_USE_CASE, "Register a use case", "plus", "governance:use_case_register", "new create add"),
    (Act.CREATE_GROUP, "Create a model group", "plus", "governance:group_new", "new add package"),
    (Act.SHARE_GROUPS, "Declare a share", "share-3", "governance:share_new", "new ram grant account"),
    (Act.DELEGATE, "Delegate a deciding role", "users", "governance:delegation_new", "stand-in leave away holiday"),
    (Act.MANAGE_ACCOUNTS, "Register an AWS account", "brand-aws", "registry:account_register", "new add connect"),
    (Act.EDIT_POLICY, "Draft a policy", "clipboard-list", "governance:policy_draft", "new change matrix rules"),
)
_SETTINGS = (
    Command("Use the light theme", "sun", does="theme-light", also="colour appearance", hint="Setting"),
    Command("Use the dark theme", "moon", does="theme-dark", also="colour appearance night", hint="Setting"),
    Command("Follow the device's theme", "device-desktop", does="theme-auto", also="colour auto", hint="Setting"),
    Command("Switch keyboard shortcuts on or off", "keyboard", does="shortcuts", also="keys", hint="Setting"),
    Command("Switch between relative times and UTC", "clock", does="times", also="show dates absolute", keys="t"),
    Command("Show the keyboard shortcuts", "help-circle", does="help", also="keys list", keys="?", hint="Help"),
    Command("Print this page", "printer", does="print", also="paper pdf", keys="", hint="Action"),
)


def go_keys(places: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return which letter opens which page of this sidebar: dict(key, label, url)."""
    keys = {reverse(name): key for name, key in GO_KEYS.items()}
    items = [item for section in places for item in section["items"]]
    return [
        {"key": keys[item["url"]], "label": item["label"], "url": item["url"]} for item in items if item["url"] in keys
    ]


def commands(actor: Actor, places: list[dict[str, Any]]) -> list[Command]:
    """Return every command this actor has, pages in the order of the sidebar, then actions, then settings."""
    keys = {found["url"]: found["key"] for found in go_keys(places)}
    also = {reverse(name): words for name, words in _ALSO.items()}
    pages = [
        Command(
            item["label"],
            item["icon"],
            item["url"],
            also=f"{section.get('label', '')} {also.get(item['url'], '')} open go",
            keys=f"g {keys[item['url']]}" if item["url"] in keys else "",
        )
        for section in places
        for item in section["items"]
    ]
    actions = [
        Command(label, icon, reverse(name), also=words, hint="Action")
        for act, label, icon, name, words in _ACTIONS
        if may_anywhere(actor, act)
    ]
    return [*pages, *actions, *_SETTINGS]


def matching(actor: Actor, places: list[dict[str, Any]], typed: Typed) -> list[Command]:
    """Return the commands each word of which begins a word of theirs, those named so first; all of them for nothing."""
    words = [word.casefold() for word in typed.words]
    every = commands(actor, places)
    if not words:
        return every
    scored = [(_score(command, words), place, command) for place, command in enumerate(every)]
    return [command for score, _, command in sorted(scored, key=lambda one: (-one[0], one[1])) if score]


def _score(command: Command, words: list[str]) -> int:
    label, also = command.label.casefold().split(), command.also.casefold().split()
    score = 0
    for word in words:
        if any(part.startswith(word) for part in label):
            score += 2
        elif any(part.startswith(word) for part in also):
            score += 1
        else:
            return 0
    return score
