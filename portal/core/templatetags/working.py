"""Long work on a page: ``{% load working %}``; see portal/core/progress.py and static/portal/progress.js."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from ..operations import correlation_id
from ..progress import Progress, progress_html

register = template.Library()


@register.simple_tag
def reference() -> str:
    """The id under which the log knows the request that is answered; "" outside of one."""
    return correlation_id()


@register.simple_tag
def working(progress: Progress, url: str = "") -> SafeString:
    """Show how far long work is: state, step, count, start and time taken; `url` is asked again until it is over."""
    return mark_safe(progress_html(progress, url))  # noqa: S308 - a rendered template


@register.simple_tag
def polls(url: str, target: str = "this", seconds: float = 2, swap: str = "", stands: object = "") -> SafeString:
    """Attributes that have an element fetch `url` again and again into `target`, as the component above does.

    It begins after `seconds`, waits longer each time while `stands` (how the work stands, in short) stays the same,
    rests while nobody looks at the page, and goes on after an outage. It ends with the element.
    """
    return format_html(
        'hx-get="{}" hx-trigger="poll" hx-target="{}"{} hx-request="{}" data-poll="{}" data-poll-stands="{}"',
        url,
        target,
        format_html(' hx-swap="{}"', swap) if swap else "",
        '{"timeout": 15000}',
        int(seconds * 1000),
        stands,
    )
