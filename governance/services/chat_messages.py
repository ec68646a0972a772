"""What Slack and Teams are sent: the bodies their incoming webhooks take, with nothing in them a chat would interpret.

Sources: Slack, "Sending messages using incoming webhooks" and "Formatting text for app surfaces"; Microsoft, "Create
incoming webhooks with Workflows for Microsoft Teams", which takes an Adaptive Card in an envelope.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portal.core import webhooks
from portal.core.vocabulary import ChatKind

# Slack cuts what is longer.
_LONGEST_SECTION = 2900
_LONGEST_LINE = 400
_CARD = "application/vnd.microsoft.card.adaptive"
Line = tuple[str, str]


def body(kind: ChatKind, *, title: str, text: str, url: str, lines: Sequence[Line] = ()) -> bytes:
    """Return the JSON of one message: a title, a text, lines of (words, absolute address), and the page to open."""
    make = _slack if kind is ChatKind.SLACK else _teams
    return webhooks.encoded(make(title, text, url, lines))


def _slack(title: str, text: str, url: str, lines: Sequence[Line]) -> dict[str, Any]:
    parts = [f"*<{_url(url)}|{_escaped(title)}>*", _escaped(text)]
    parts += [f"• <{_url(address)}|{_escaped(words[:_LONGEST_LINE])}>" for words, address in lines]
    blocks: list[dict[str, Any]] = []
    section = ""
    for part in filter(None, parts):
        if section and len(section) + len(part) >= _LONGEST_SECTION:
            blocks.append(_section(section))
            section = ""
        section = f"{section}\n{part}" if section else part[:_LONGEST_SECTION]
    blocks.append(_section(section))
    # What a phone shows before the message is opened.
    return {"text": _escaped(title), "blocks": blocks[:50], "unfurl_links": False, "unfurl_media": False}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _escaped(text: str) -> str:
    """Return text in which Slack finds no link, mention or mark-up of its own."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # An invisible joiner keeps *words* and _words_ from becoming bold and italic.
    for mark in "*_~`":
        plain = plain.replace(mark, f"\u2060{mark}")
    return plain


def _url(address: str) -> str:
    return address.replace("|", "%7C").replace(">", "%3E").replace("<", "%3C")


def _teams(title: str, text: str, url: str, lines: Sequence[Line]) -> dict[str, Any]:
    # Runs of a RichTextBlock are plain text; a TextBlock would read Markdown into them.
    parts: list[dict[str, Any]] = [_run(title, weight="Bolder", size="Medium")]
    if text:
        parts.append(_run(text))
    for words, address in lines:
        parts.append(_run(words[:_LONGEST_LINE], selectAction={"type": "Action.OpenUrl", "url": address}))
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": title,
        "body": parts,
        "actions": [{"type": "Action.OpenUrl", "title": "Open in the portal", "url": url}],
    }
    return {"type": "message", "attachments": [{"contentType": _CARD, "contentUrl": None, "content": card}]}


def _run(text: str, **style: Any) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}
