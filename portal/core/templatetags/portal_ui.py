"""Template tags for the shared components of the portal's pages.

``{% load portal_ui %}``. Each tag fills one template under ``templates/components/``, whose head says what it
takes; every tag is also an ordinary function that returns safe HTML, so table columns can call it from Python.
Tags show what they are given and decide nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from typing import Any

from django import template
from django.conf import settings
from django.forms import BaseForm
from django.template.context import Context
from django.template.loader import get_template
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import slugify

from . import palette, wording
from .icons import icon_svg

register = template.Library()
register.filter("breakable", wording.breakable)

_ids = count(1)
NOT_REPORTED = "not reported"


def _component(name: str, context: Mapping[str, Any]) -> SafeString:
    return SafeString(get_template(f"components/{name}.html").render(dict(context)))


# Small things


@register.simple_tag
def icon(name: str, css: str = "", label: str = "") -> SafeString:
    """Draw a vendored icon; give a label only when the icon stands alone."""
    return icon_svg(name, css, label)


@register.simple_tag
def asset(path: str) -> str:
    """Give the URL of a static file, also when the hashed manifest is broken: error pages must still show."""
    try:
        return static(path)
    except ValueError:
        return f"{settings.STATIC_URL}{path}"


@register.filter
def plain(value: Any) -> str:
    """Put a stored value in plain words: ``pre_production`` -> "Pre-production"."""
    label = getattr(value, "label", None)
    return str(label) if label else palette.plain_words(value)


@register.filter
def person_name(value: Any) -> str:
    """Name a user, a copied name or nobody."""
    return wording.person_name(value)


@register.simple_tag
def initials(name: str) -> str:
    """Take the initials of a name."""
    return wording.initials(name)


@register.simple_tag
def sign_out_url() -> str:
    """Find where signing out is posted; the names are tried in turn, so a page renders before its URLs exist."""
    for name in ("sign_out", "logout"):
        try:
            return reverse(name)
        except NoReverseMatch:
            continue
    return ""


@register.filter
def reported(value: Any) -> SafeString | Any:
    """Show a value, or "not reported" when there is none; zero is a value."""
    if value is None or value == "":
        return format_html('<span class="not-reported">{}</span>', NOT_REPORTED)
    return value


@register.filter
def active_count(form: BaseForm | None) -> int:
    """Count the filters of a form that are set."""
    if form is None or not form.is_bound:
        return 0
    names = (form.add_prefix(name) for name in form.fields)
    return sum(1 for name in names if any(str(given).strip() for given in _values(form.data, name)))


def _values(data: Any, name: str) -> Iterable[Any]:
    values = data.getlist(name) if hasattr(data, "getlist") else [data.get(name, "")]
    return [value for value in values if value is not None]


# Badges


@register.simple_tag
def status_badge(value: Any, kind: str = "", words: str = "") -> SafeString:
    """Show a status as word, colour and icon; kinds: request, finding, severity, outbox, sync, share, risk."""
    shown = palette.look(value, kind)
    return _component("badge", {"words": words or shown.words, "tone": shown.tone, "icon": shown.icon})


@register.simple_tag
def risk_badge(value: Any, source: str = "") -> SafeString:
    """Show a model's rating or a use case's AI Act class; `source` says where it came from."""
    shown = palette.look(value or "unknown", "risk")
    context = {"words": shown.words, "tone": shown.tone, "icon": shown.icon, "title": source}
    return _component("badge", context)


@register.simple_tag
def badge(words: str, tone: str = "mute", icon: str = "", title: str = "") -> SafeString:
    """Show free words as a badge in one of the palette's tones."""
    return _component("badge", {"words": words, "tone": tone, "icon": icon, "title": title})


# Identifiers, people and times


@register.simple_tag
def arn(value: Any, label: str = "ARN", tail: int = 16) -> SafeString:
    """Show an ARN, digest or URI shortened in its middle, with a copy button and the whole of it on hover."""
    text = str(value or "")
    head, end = wording.split_identifier(text, tail)
    return _component("arn", {"value": text, "head": head, "tail": end, "label": label})


@register.simple_tag
def account(account: Any = None, alias: str = "", id: str = "", region: str = "") -> SafeString:  # noqa: A002
    """Show an AWS account as alias, 12-digit id and region; takes an account object, a mapping or the parts."""
    given = {
        "alias": alias or _part(account, "alias", "name"),
        "id": id or _part(account, "account_id", "aws_id", "number", "id"),
        "region": region or _part(account, "region"),
        "url": _url(account),
    }
    return _component("account", given)


def _part(source: Any, *names: str) -> str:
    if isinstance(source, str):
        return source if names[0] == "account_id" else ""
    for name in names:
        found = source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
        if found:
            return str(found)
    return ""


def _url(source: Any) -> str:
    if isinstance(source, Mapping):
        return str(source.get("url", ""))
    absolute = getattr(source, "get_absolute_url", None)
    return str(absolute()) if callable(absolute) else ""


@register.simple_tag
def person(person: Any, role: str = "", detail: str = "") -> SafeString:
    """Show a person with initials, name and, when given, the role he acted in."""
    name = wording.person_name(person)
    role_words = palette.plain_words(role)
    context = {"name": name, "initials": wording.initials(name), "role": role_words, "detail": detail}
    return _component("person", context)


@register.simple_tag
def reltime(value: Any, missing: str = "never") -> SafeString:
    """Show a moment as "3 minutes ago" with the absolute UTC time on hover; `missing` when there is none."""
    moment = wording.as_moment(value)
    if moment is None:
        return format_html('<span class="not-reported">{}</span>', missing)
    return format_html(
        '<time datetime="{}" title="{}" data-relative>{}</time>',
        moment.isoformat(),
        wording.absolute_words(moment),
        wording.relative_words(moment, timezone.now()),
    )


# A number of seconds as a length of time: "12 min".
lasting = register.filter("lasting", wording.duration_words)


@register.simple_tag
def metric(value: Any, unit: str = "", digits: int = 4, rule: str = "", passed: bool | None = None) -> SafeString:
    """Show a figure, or "not reported"; `rule` and `passed` put the threshold and its outcome beside it."""
    context = {"text": wording.number_words(value, digits), "unit": unit, "rule": rule, "passed": passed}
    return _component("metric", context)


# Lists and panels


@register.simple_tag
def stepper(steps: Sequence[Mapping[str, Any]], label: str = "Lifecycle", compact: bool = False) -> SafeString:
    """Show ordered stages with the current one and its status; see components/stepper.html."""
    shown = []
    for step in steps:
        status = step.get("status") if step.get("state") == "current" else None
        status_look = palette.look(status) if status else None
        words = step.get("label") or palette.plain_words(step.get("stage"))
        shown.append({**step, "label": words, "look": status_look})
    return _component("stepper", {"steps": shown, "label": label, "compact": compact})


@register.simple_tag
def empty_state(
    title: str, text: str = "", icon: str = "inbox", action_label: str = "", action_url: str = ""
) -> SafeString:
    """Say that there is nothing here and what to do next."""
    context = {"title": title, "text": text, "icon": icon}
    return _component("empty_state", {**context, "action_label": action_label, "action_url": action_url})


@register.simple_tag
def key_values(items: Iterable[Mapping[str, Any]], columns: int = 1) -> SafeString:
    """Show labelled values; see components/key_values.html for the kinds."""
    shown = [{**item, "html": _value_html(item)} for item in items]
    return _component("key_values", {"items": shown, "columns": columns})


def _value_html(item: Mapping[str, Any]) -> SafeString | str:
    value, kind = item.get("value"), item.get("kind", "text")
    if kind == "time":
        return reltime(value, item.get("missing", "never"))
    if value is None or value == "":
        return format_html('<span class="not-reported">{}</span>', item.get("missing", NOT_REPORTED))
    render = _VALUE_KINDS.get(kind)
    shown = render(value, item) if render else value
    return format_html('<a href="{}">{}</a>', item["url"], shown) if item.get("url") else shown


_VALUE_KINDS: dict[str, Callable[[Any, Mapping[str, Any]], SafeString | str]] = {
    "arn": lambda value, item: arn(value, item.get("name", "ARN")),
    "code": lambda value, _: format_html("<code>{}</code>", value),
    "metric": lambda value, item: metric(value, item.get("unit", "")),
    "person": lambda value, item: person(value, item.get("role", "")),
    "account": lambda value, _: account(value),
    "risk": lambda value, item: risk_badge(value, item.get("source", "")),
    "status": lambda value, item: status_badge(value, item.get("of", "")),
    "plain": lambda value, _: plain(value),
}


@register.simple_tag
def checklist(items: Iterable[Mapping[str, Any]], summary: bool = True) -> SafeString:
    """Show checks as pass, fail, missing or overridden with a count; see components/checklist.html."""
    shown = [{**item, "look": palette.look(item.get("state", "missing"))} for item in items]
    totals: dict[str, int] = {}
    for item in shown:
        totals[item["look"].words] = totals.get(item["look"].words, 0) + 1
    return _component("checklist", {"items": shown, "totals": totals if summary else {}})


@register.simple_tag
def sign_offs(items: Iterable[Mapping[str, Any]]) -> SafeString:
    """Show who must sign and who has: role, needed, given; see components/sign_offs.html."""
    shown = []
    for item in items:
        decisions = list(item.get("decisions", ()))
        given = item.get("given", len(decisions))
        words = palette.plain_words(item.get("role"))
        shown.append({**item, "words": words, "given": given, "met": given >= item["needed"], "decisions": decisions})
    return _component("sign_offs", {"items": shown})


@register.simple_tag
def difference(rows: Sequence[Mapping[str, Any]], before_label: str = "Before", after_label: str = "Now") -> SafeString:
    """Show field by field what changed; see components/difference.html."""
    labels = {"before_label": before_label, "after_label": after_label}
    return _component("difference", {"rows": rows, **labels})


@register.simple_tag
def timeline(entries: Sequence[Mapping[str, Any]], label: str = "History") -> SafeString:
    """Show what happened, newest first as given; see components/timeline.html."""
    return _component("timeline", {"entries": entries, "label": label})


@register.simple_tag
def json_viewer(value: Any, label: str = "JSON", open: bool = True) -> SafeString:  # noqa: A002
    """Show a JSON document indented, with a copy button; None shows "not reported"."""
    text = None if value is None else wording.json_text(value)
    context = {"text": text, "label": label, "open": open, "id": f"json-{next(_ids)}"}
    return _component("json_viewer", context)


@register.simple_tag
def stat(label: str, value: Any, url: str = "", icon: str = "", tone: str = "mute", hint: str = "") -> SafeString:
    """Show one figure that opens the list behind it; None shows "not reported"."""
    context = {"label": label, "text": wording.number_words(value), "url": url}
    return _component("stat", {**context, "icon": icon, "tone": tone, "hint": hint})


@register.simple_tag
def tabs(items: Sequence[Mapping[str, Any]], label: str = "Sections", within: bool = False) -> SafeString:
    """Show links between the sections of one object; see components/tabs.html."""
    return _component("tabs", {"items": items, "label": label, "within": within})


@register.simple_tag
def progress(value: float | None, maximum: float = 100, label: str = "Progress") -> SafeString:
    """Show how far long work has come; None shows that it runs without saying how far."""
    return _component("progress", {"value": value, "maximum": maximum, "label": label})


@register.simple_tag(takes_context=True)
def pagination(context: Context, page: Any, name: str = "page", label: str = "Pages") -> SafeString:
    """Show the pages of a Django `Page`, keeping the rest of the query string."""
    query = context["request"].GET.copy() if "request" in context else None

    def url(number: int) -> str:
        if query is None:
            return f"?{name}={number}"
        query[name] = str(number)
        return f"?{query.urlencode()}"

    ellipsis = page.paginator.ELLIPSIS
    numbers = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    links = [
        {
            "number": number,
            "url": None if number == ellipsis else url(number),
            "active": number == page.number,
        }
        for number in numbers
    ]
    shown = {
        "page": page,
        "links": links,
        "label": label,
        "previous": url(page.previous_page_number()) if page.has_previous() else None,
        "next": url(page.next_page_number()) if page.has_next() else None,
    }
    return _component("pagination", shown)


@register.simple_tag(takes_context=True)
def confirm(context: Context, url: str = "", *, label: str, title: str, **options: Any) -> SafeString:
    """Draw a button that opens a confirmation of an act of authority; see components/confirm.html."""
    name = options.pop("id", "") or f"confirm-{slugify(label)}-{next(_ids)}"
    shown = {"tone": "primary", "reason": "none", "effects": [], "hidden": {}, **options}
    if isinstance(shown["effects"], str):
        shown["effects"] = [shown["effects"]]
    if isinstance(shown["hidden"], Mapping):
        shown["hidden"] = list(shown["hidden"].items())
    token = context.get("csrf_token")
    return _component("confirm", {**shown, "id": name, "url": url, "label": label, "title": title, "csrf_token": token})


# Blocks


@register.simple_block_tag
def card(
    content: str,
    title: str = "",
    icon: str = "",
    id: str = "",  # noqa: A002
    actions: str = "",
    flush: bool = False,
) -> SafeString:
    """Frame content in a card; `actions` is safe HTML for its head, `flush` leaves out the padding."""
    context = {"content": content, "title": title, "icon": icon, "id": id, "actions": actions}
    return _component("card", {**context, "flush": flush})


_NOTICE_ICONS = {
    "good": "circle-check",
    "bad": "alert-octagon",
    "warn": "alert-triangle",
    "wait": "hourglass",
    "live": "info-circle",
    "busy": "info-circle",
    "mute": "info-circle",
}


@register.simple_block_tag
def notice(content: str, tone: str = "live", title: str = "") -> SafeString:
    """Say something important in place, in one of the palette's tones."""
    name = _NOTICE_ICONS.get(tone, "info-circle")
    return _component("notice", {"content": content, "tone": tone, "title": title, "icon": name})
