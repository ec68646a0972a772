"""Template tags for figures: ``{% load figures %}``. Each draws data of `portal.core.figures` with its table."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.template.loader import get_template
from django.utils.safestring import SafeString

from ..figures import Bars, Grid, Heat, Lines
from ..plots import Plot, Weights

register = template.Library()


def _drawn(name: str, /, **context: Any) -> SafeString:
    return SafeString(get_template(f"components/{name}.html").render(context))


@register.simple_tag
def bar_figure(bars: Bars, caption: str = "", nothing: str = "Nothing to count yet.") -> SafeString:
    """Draw bars with their numbers as links, and the same as a table to unfold."""
    shown = {"bars": bars.drawn(), "total": bars.total, "grid": bars.grid()}
    shown["parted"] = len(bars.grid().columns) > 2
    return _drawn("figure_bars", **shown, caption=caption, nothing=nothing, label=caption or bars.name)


@register.simple_tag
def heat_figure(heat: Heat, caption: str = "") -> SafeString:
    """Draw a table of counts coloured by how many there are."""
    return _drawn("figure_heat", rows=heat.drawn(), columns=heat.columns, name=heat.name, caption=caption)


@register.simple_tag
def line_figure(lines: Lines, caption: str = "") -> SafeString:
    """Draw lines on a canvas from JSON in an attribute, and the same as a table to unfold."""
    return _drawn("figure_lines", figure=lines, spec=as_json(lines.spec()), caption=caption, grid=lines.table)


@register.simple_tag
def weight_figure(weights: Weights, caption: str = "") -> SafeString:
    """Draw named numbers as bars, those below zero in another tone and with their sign, and the same as a table."""
    return _drawn("figure_weights", weights=weights, rows=weights.drawn(), grid=weights.grid(), caption=caption)


@register.simple_tag
def plot_figure(plot: Plot) -> SafeString:
    """Draw a curve between 0 and 1, and the same as a table to unfold."""
    return _drawn("figure_plot", plot=plot, grid=plot.grid())


@register.filter
def as_json(value: Any) -> str:
    """Return plain data as JSON text; the template escapes it for the attribute it stands in."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


@register.simple_tag
def figure_table(grid: Grid, label: str, words: str = "Show as table") -> SafeString:
    """Show the table that says the same as a figure, folded away until somebody asks for it."""
    return _drawn("figure_table", grid=grid, label=label, words=words)
