"""The box that marks a row of a list: `{% load rows %}`."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def row_choice(table: Any, record: Any) -> SafeString:
    """Show the box that marks a row of a PortalTable for an action on several."""
    return format_html(
        '<input type="checkbox" class="form-check-input" name="row" value="{}.{}" form="bulk-form" data-choose'
        ' aria-label="Select {}">',
        record.pk,
        table.stamp_of(record),
        table.name_of(record),
    )
