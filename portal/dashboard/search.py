"""Global search as a page, and the command palette over it: find a thing, open a page, start something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from governance.choices import FindingKind
from governance.selectors.search import MOST, Kind, Matches, search
from governance.web.wording import name_of, request_url, url_of
from portal.core.search import SHORTEST, Typed, marked
from portal.core.views import Page
from portal.core.vocabulary import Stage
from portal.navigation import places
from registry.models import ModelGroup, ModelVersion, UseCase

from .commands import matching

# How many of each kind the page and the palette show; the list behind them has all.
SHOWN, OFFERED = 8, 4
_EXCERPT = 150

_WORDS = {
    Kind.USE_CASE: ("Use cases", "use cases", "target-arrow"),
    Kind.GROUP: ("Model groups", "model groups", "packages"),
    Kind.VERSION: ("Model versions", "model versions", "package"),
    Kind.REQUEST: ("Approval requests", "approval requests", "inbox"),
    Kind.FINDING: ("Findings", "findings", "flag"),
    Kind.EVIDENCE: ("Evidence", "evidence", "paperclip"),
    Kind.ACCOUNT: ("AWS accounts", "AWS accounts", "brand-aws"),
}
_LISTS = {
    Kind.USE_CASE: ("registry:use_case_list", {}),
    Kind.GROUP: ("registry:group_list", {}),
    Kind.VERSION: ("registry:version_list", {}),
    Kind.REQUEST: ("governance:queue", {"tab": "all"}),
    Kind.FINDING: ("governance:finding_list", {}),
    Kind.EVIDENCE: ("governance:evidence_list", {}),
    Kind.ACCOUNT: ("registry:account_list", {}),
}


@dataclass(frozen=True)
class Hit:
    """One thing found, with what was looked for marked in its words; `status` and `status_kind` make its badge."""

    url: str
    title: SafeString
    reference: str = ""
    excerpt: SafeString | str = ""
    facts: tuple[str, ...] = ()
    status: str = ""
    status_kind: str = ""


@dataclass(frozen=True)
class Section:
    """What was found of one kind; `count_words` is "34", or "100+" when nobody counted on."""

    key: str
    title: str
    icon: str
    count_words: str
    hits: list[Hit] = field(default_factory=list)
    list_url: str = ""
    list_words: str = ""


def sections(found: list[Matches], typed: Typed, shown: int) -> list[Section]:
    """Put what was found in words and links, `shown` of each kind."""
    return [_section(matches, typed, shown) for matches in found]


def _section(matches: Matches, typed: Typed, shown: int) -> Section:
    title, words, icon = _WORDS[matches.kind]
    name, parameters = _LISTS[matches.kind]
    count = f"{MOST}+" if matches.is_more else str(matches.count)
    is_cut = matches.is_more or matches.count > shown
    return Section(
        key=matches.kind.value,
        title=title,
        icon=icon,
        count_words=count,
        hits=[_HITS[matches.kind](row, typed) for row in matches.rows[:shown]],
        list_url=f"{reverse(name)}?{urlencode({**parameters, 'q': typed.text})}" if is_cut else "",
        list_words=f"Look for it in the list of {words}",
    )


def _use_case(row: UseCase, typed: Typed) -> Hit:
    text = _telling(typed, row.intended_purpose, row.description)
    facts = (Stage(row.stage).label, f"owned by {row.model_owner or row.business_owner or 'nobody'}", str(row.project))
    return Hit(url_of(row), marked(row.name, typed), row.public_id, text, facts, row.status)


def _group(row: ModelGroup, typed: Typed) -> Hit:
    facts = (f"{row.account} {row.region}", str(row.project) if row.project else "belongs to no project yet")
    url = reverse("registry:group", args=[row.pk])
    return Hit(url, marked(row.name, typed), excerpt=_telling(typed, row.description), facts=facts)


def _version(row: ModelVersion, typed: Typed) -> Hit:
    text = _telling(typed, row.description, row.purpose)
    facts = (Stage(row.stage).label, *((f"owned by {row.owner_name}",) if row.owner_name else ()))
    return Hit(url_of(row), marked(row.name, typed), excerpt=text, facts=facts, status=row.status)


def _request(row: Any, typed: Typed) -> Hit:
    facts = (Stage(row.stage).label, f"asked by {row.requester}")
    return Hit(
        request_url(row),
        marked(name_of(row.subject), typed),
        row.public_id,
        _telling(typed, row.note),
        facts,
        row.state,
        "request",
    )


def _finding(row: Any, typed: Typed) -> Hit:
    url = reverse("governance:finding", args=[row.pk])
    facts = (FindingKind(row.kind).label, *((f"with {row.owner}",) if row.owner else ()))
    return Hit(url, marked(row.summary, typed, _EXCERPT), row.public_id, "", facts, row.state, "finding")


def _evidence(row: Any, typed: Typed) -> Hit:
    url = reverse("governance:evidence", args=[row.pk])
    return Hit(url, marked(row.title, typed), row.public_id, _telling(typed, row.note), (row.filename,))


def _account(row: Any, typed: Typed) -> Hit:
    return Hit(reverse("registry:account", args=[row.account_id]), marked(row.alias, typed), row.account_id)


_HITS: dict[Kind, Callable[[Any, Typed], Hit]] = {
    Kind.USE_CASE: _use_case,
    Kind.GROUP: _group,
    Kind.VERSION: _version,
    Kind.REQUEST: _request,
    Kind.FINDING: _finding,
    Kind.EVIDENCE: _evidence,
    Kind.ACCOUNT: _account,
}


def _telling(typed: Typed, *texts: str) -> SafeString:
    """Return the text that has what was looked for, or the first one, cut around it."""
    shown = [marked(text, typed, _EXCERPT) for text in texts if text]
    return next((text for text in shown if "<mark>" in text), shown[0] if shown else SafeString())


class Search(Page):
    """Everything that was found, by kind; typing on replaces it in place."""

    template_name = "dashboard/search.html"
    fragment = "found"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        typed = Typed.read(self.request.GET.get("q"))
        found = search(self.actor, typed)
        return super().get_context_data(
            typed=typed,
            search_query=typed.text,
            sections=sections(found, typed, SHOWN),
            is_exact=bool(found) and found[0].is_exact,
            shortest=SHORTEST,
            **kwargs,
        )


class Palette(Page):
    """What the command palette offers for what was typed: things that were found, pages and actions."""

    template_name = "dashboard/palette.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        typed = Typed.read(self.request.GET.get("q"))
        return super().get_context_data(
            typed=typed,
            commands=matching(self.actor, places(self.actor), typed),
            sections=sections(search(self.actor, typed), typed, OFFERED),
            search_url=f"{reverse('search')}?{urlencode({'q': typed.text})}",
            **kwargs,
        )
