"""The dashboard's numbers as figures, each with the address of the list behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from governance.choices import Due, FindingKind, InPlace, Severity
from governance.lifecycle import STAGES
from governance.selectors.ageing import OVERDUE
from governance.selectors.endpoints import DISAGREEING
from governance.selectors.figures import Funnel, Scope
from portal.core.figures import Bar, Bars, Cell, Heat, Part
from portal.core.templatetags import palette
from portal.core.vocabulary import RiskClass, RiskRating, Stage, Status, SubjectKind, Word
from registry.choices import ReviewDue

_RISK_CLASSES = (
    RiskClass.UNACCEPTABLE,
    RiskClass.HIGH,
    RiskClass.LIMITED,
    RiskClass.MINIMAL,
    RiskClass.UNCLASSIFIED,
)
_DUE_TONES = {
    Due.LONG_OVERDUE: "grave",
    Due.OVERDUE: "bad",
    Due.TODAY: "warn",
    Due.SOON: "wait",
    Due.LATER: "mute",
}
_REVIEW_TONES = {
    ReviewDue.OVERDUE: "bad",
    ReviewDue.SOON: "wait",
    ReviewDue.LATER: "good",
    ReviewDue.NO_DATE: "mute",
}
_GRAVEST_FIRST = tuple(reversed(Severity))
# What the funnel of each kind of subject filters its list by.
_LISTS = {SubjectKind.USE_CASE: "registry:use_case_list", SubjectKind.MODEL_VERSION: "registry:version_list"}
_RISKS: dict[SubjectKind, tuple[str, str, Iterable[Word]]] = {
    SubjectKind.USE_CASE: ("risk_class", "AI Act class", _RISK_CLASSES),
    SubjectKind.MODEL_VERSION: ("risk_rating", "Risk rating", tuple(RiskRating)),
}


def address(name: str, scope: Scope, **chosen: Any) -> str:
    """Return a list with filters set, narrowed as the figures are."""
    query = urlencode({**{key: str(value) for key, value in chosen.items()}, **scope.query})
    return f"{reverse(name)}?{query}" if query else reverse(name)


def funnel(kind: SubjectKind, found: Funnel, scope: Scope) -> Bars:
    """Return one bar per stage in the order it is walked, a part per status."""
    rows = []
    for stage in (*STAGES[kind], Stage.RETIRED):
        parts = tuple(
            Part(
                status.label,
                count,
                address(_LISTS[kind], scope, stage=stage.value, status=status.value),
                palette.look(status.value).tone,
            )
            for status in Status
            if (count := found.by_status.get((stage, status), 0))
        )
        rows.append(Bar(stage.label, parts, address(_LISTS[kind], scope, stage=stage.value)))
    return Bars(tuple(rows), "Stage")


def heat(kind: SubjectKind, found: Funnel, scope: Scope) -> Heat:
    """Return risk by stage."""
    field, name, risks = _RISKS[kind]
    stages = (*STAGES[kind], Stage.RETIRED)
    rows = []
    for risk in risks:
        cells = [Cell(palette.look(risk.value, "risk").words)]
        for stage in stages:
            url = address(_LISTS[kind], scope, stage=stage.value, **{field: risk.value})
            cells.append(Cell(found.by_risk.get((risk.value, stage), 0), url))
        rows.append(tuple(cells))
    return Heat(tuple(stage.label for stage in stages), tuple(rows), name)


def ageing(found: Mapping[Due, int], scope: Scope) -> Bars:
    """Return the open requests by what is left until they are due."""
    return _plain(
        "Against the due date",
        (
            (due.label, count, address("governance:queue", scope, tab="all", due=due.value), _DUE_TONES[due])
            for due, count in found.items()
        ),
    )


def reviews(found: Mapping[ReviewDue, int], scope: Scope) -> Bars:
    """Return the use cases by the date of their next review."""
    return _plain(
        "Next review",
        (
            (due.label, count, address("registry:use_case_list", scope, review=due.value), _REVIEW_TONES[due])
            for due, count in found.items()
        ),
    )


def running(found: Mapping[InPlace, int], scope: Scope) -> Bars:
    """Return the deployments by how they stand to what is approved."""
    return _plain(
        "Running and approved",
        (
            (
                word.label,
                count,
                address("governance:deployment_list", scope, in_place=word.value),
                palette.look(word.value, "running").tone,
            )
            for word, count in found.items()
        ),
    )


def findings(found: Mapping[tuple[FindingKind, Severity], int], scope: Scope) -> Bars:
    """Return the standing findings by kind, those there are most of first, a part per severity."""
    rows = []
    for kind in dict.fromkeys(kind for kind, _ in found):
        parts = tuple(
            Part(
                palette.look(severity.value, "severity").words,
                found[kind, severity],
                findings_url(scope, kind=kind.value, severity=severity.value),
                palette.look(severity.value, "severity").tone,
            )
            for severity in _GRAVEST_FIRST
            if (kind, severity) in found
        )
        rows.append(Bar(kind.label, parts, findings_url(scope, kind=kind.value)))
    rows.sort(key=lambda bar: (-bar.total, bar.label))
    return Bars(tuple(rows), "Finding")


def findings_url(scope: Scope, **chosen: str) -> str:
    """Return the standing findings, filtered further."""
    return address("governance:finding_list", scope, state="standing", **chosen)


def stats(
    requests: Mapping[Due, int],
    due_reviews: Mapping[ReviewDue, int],
    found: Mapping[tuple[FindingKind, Severity], int],
    in_place: Mapping[InPlace, int],
    scope: Scope,
) -> list[dict[str, Any]]:
    """Return what asks for somebody first, each number with its list; grey when there is none of it."""
    breached = sum(total for (kind, _), total in found.items() if kind is FindingKind.METRIC_BREACHED)
    queue, cases = "governance:queue", "registry:use_case_list"
    shown = [
        (
            "Waiting for a decision",
            sum(requests.values()),
            address(queue, scope, tab="all", due="any"),
            "inbox",
            "wait",
        ),
        (
            "Approvals overdue",
            sum(requests[due] for due in OVERDUE),
            address(queue, scope, tab="all", due="overdue"),
            "calendar-due",
            "bad",
        ),
        (
            "Reviews overdue",
            due_reviews[ReviewDue.OVERDUE],
            address(cases, scope, review=ReviewDue.OVERDUE.value),
            "calendar",
            "bad",
        ),
        ("Findings that stand", sum(found.values()), findings_url(scope), "flag", "warn"),
        (
            "Metrics beyond a threshold",
            breached,
            findings_url(scope, kind=FindingKind.METRIC_BREACHED.value),
            "gauge",
            "bad",
        ),
        (
            "Running without approval",
            sum(in_place[word] for word in DISAGREEING),
            address("governance:deployment_list", scope, in_place="disagrees"),
            "rocket",
            "grave",
        ),
    ]
    return [
        {"label": label, "value": value, "url": url, "icon": icon, "tone": tone if value else "mute"}
        for label, value, url, icon, tone in shown
    ]


def _plain(name: str, rows: Iterable[tuple[str, int, str, str]]) -> Bars:
    """Return bars of one part each."""
    return Bars(tuple(Bar(label, (Part("Count", count, url, tone),), url) for label, count, url, tone in rows), name)
