"""Inline SVG icons from the vendored Tabler set."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

ICON_ROOT = Path(__file__).resolve().parents[2] / "static" / "vendor" / "tabler-icons"

_CONTENT = re.compile(r"<svg[^>]*>(?P<content>.*)</svg>", re.DOTALL)
_SPACE = re.compile(r">\s+<")
# Tabler draws an invisible 24 by 24 box into every icon; it only costs bytes.
_BOX = re.compile(r'<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*/>')


class UnknownIcon(LookupError):
    """No such icon is vendored; the message says how to add it."""


@cache
def icon_content(name: str) -> SafeString:
    """Return what stands inside the ``<svg>`` of a vendored icon; raises ``UnknownIcon``."""
    path = ICON_ROOT / f"{name}.svg"
    if not re.fullmatch(r"[a-z0-9-]+", name) or not path.is_file():
        raise UnknownIcon(
            f"The icon {name!r} is not vendored. Add it with: python -m portal.local.vendor_assets --add-icon {name}"
        )
    match = _CONTENT.search(path.read_text(encoding="utf-8"))
    if match is None:
        raise UnknownIcon(f"{path.name} is not an SVG file")
    content = _SPACE.sub("><", _BOX.sub("", match["content"]).strip())
    return mark_safe(content)  # noqa: S308 - read from a vendored file whose hash is checked


# A page shows some eighty, the same on every page. A label that is safe and one that is not are different ones.
@lru_cache(maxsize=2000, typed=True)
def icon_svg(name: str, css: str = "", label: str = "") -> SafeString:
    """Render an icon: decorative without a label, an image with that name when one is given."""
    return format_html(
        '<svg class="icon{}" viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor" '
        'stroke-width="2" stroke-linecap="round" stroke-linejoin="round" focusable="false"{}>{}</svg>',
        f" {css}" if css else "",
        format_html(' role="img" aria-label="{}"', label) if label else mark_safe(' aria-hidden="true"'),
        icon_content(name),
    )
