"""The shared components say the right words, escape what they are given and never turn missing into zero."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from django.core.paginator import Paginator
from django.template import Context, Template
from django.template.loader import get_template
from django.test import RequestFactory

from governance import choices as governance_choices
from portal.core.templatetags import palette, portal_ui, wording
from portal.core.vocabulary import RiskClass, RiskRating, Status
from registry import choices as registry_choices

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOSTILE = '"><script>alert(1)</script>'
CSS = Path(__file__).resolve().parents[2] / "portal" / "static" / "portal" / "portal.css"


def rendered(source: str, **context: Any) -> str:
    return Template("{% load portal_ui %}" + source).render(Context(context))


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("pre_production", "Pre-production"),
        ("PreProduction", "Pre-production"),
        ("qa", "QA"),
        ("poc", "POC"),
        ("ml_engineer", "ML engineer"),
        ("governance_officer", "Governance officer"),
        ("missing_in_aws", "Missing in AWS"),
        ("PendingManualApproval", "Pending manual approval"),
        ("SOMETHING_NEW", "Something new"),
        ("", ""),
        (None, ""),
    ],
)
def test_stored_values_read_as_plain_words(value: str | None, words: str) -> None:
    assert palette.plain_words(value) == words


def test_the_same_value_may_look_different_by_kind() -> None:
    assert palette.look("open", "request").words == "Waiting for a decision"
    assert palette.look("open", "finding").words == "Open"
    assert palette.look("InService").tone == "live"
    assert palette.look("nobody_listed_this") == palette.Look("Nobody listed this", "mute", "point")


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (Status, ""),
        (RiskClass, "risk"),
        (RiskRating, "risk"),
        (governance_choices.RequestState, "request"),
        (governance_choices.Verdict, ""),
        (governance_choices.OutboxState, "outbox"),
        (governance_choices.AuditCheckState, "check"),
        (governance_choices.PolicyState, ""),
        (governance_choices.Severity, "severity"),
        (governance_choices.FindingState, "finding"),
        (registry_choices.DeploymentState, ""),
        (registry_choices.ShareState, "share"),
        (registry_choices.ParkedEventState, "event"),
        (registry_choices.SyncState, "sync"),
    ],
)
def test_every_state_of_the_domain_has_its_own_look(words: type[Enum], kind: str) -> None:
    known = {(group, value) for group, value, _look in palette.looks()}
    unlisted = [word for word in words if not {(kind, palette.key(word)), ("", palette.key(word))} & known]
    assert unlisted == []


def test_every_tone_passes_contrast_in_light_and_dark() -> None:
    found = re.findall(r"--(\w+)-ground: (#\w{6}); --\1-ink: (#\w{6});", CSS.read_text(encoding="utf-8"))
    assert len(found) == 16
    for tone, ground, ink in found:
        lighter, darker = sorted((luminance(ground), luminance(ink)), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (tone, ground, ink)


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (timedelta(seconds=-10), "just now"),
        (timedelta(minutes=-3), "3 minutes ago"),
        (timedelta(minutes=-59, seconds=-40), "1 hour ago"),
        (timedelta(days=2), "in 2 days"),
        (timedelta(days=-400), "1 year ago"),
    ],
)
def test_times_are_relative_words(distance: timedelta, words: str) -> None:
    assert wording.relative_words(NOW + distance, NOW) == words


def test_days_are_named_and_absolute_time_is_kept() -> None:
    assert wording.relative_words(date(2026, 11, 22), NOW) == "tomorrow"
    html = portal_ui.reltime("2026-11-21T11:00:00+01:00")
    assert 'title="2026-11-21 10:00:00 UTC"' in html
    assert 'datetime="2026-11-21T10:00:00+00:00"' in html
    assert "never" in portal_ui.reltime(None)


def test_a_missing_figure_is_not_reported_and_zero_is_a_figure() -> None:
    assert "not reported" in portal_ui.metric(None)
    assert "not reported" not in portal_ui.metric(0)
    assert ">0<" in portal_ui.metric(0)
    assert ">0.8712<" in portal_ui.metric(0.87120)
    assert "not reported" in portal_ui.stat("PSI", None)
    assert "not reported" in rendered("{{ value|reported }}", value=None)
    assert rendered("{{ value|reported }}", value=0) == "0"


def test_small_figures_keep_their_size() -> None:
    assert wording.number_words(0.00001234) == "1.23e-05"
    assert wording.number_words(12345.6) == "12,345.6"
    assert wording.number_words({"DataQuality": 3, "ModelQuality": None}) == "DataQuality 3, ModelQuality not reported"
    assert wording.number_words({}) is None
    assert wording.number_words(123_456_789_012) == "123,456,789,012"
    assert wording.number_words(-1.5e300) == wording.number_words(-15 * 10**299) == "-1.5e+300"
    assert wording.number_words(10**400) == "inf"
    assert wording.number_words(True) == "yes"


def test_components_escape_what_they_are_given() -> None:
    rows = [{"field": HOSTILE, "before": HOSTILE, "after": HOSTILE}]
    pieces = [
        portal_ui.badge(HOSTILE, title=HOSTILE),
        portal_ui.status_badge(HOSTILE),
        portal_ui.arn(HOSTILE),
        portal_ui.account(alias=HOSTILE, id=HOSTILE, region=HOSTILE),
        portal_ui.person(HOSTILE, role=HOSTILE),
        portal_ui.metric(HOSTILE, rule=HOSTILE),
        portal_ui.difference(rows),
        portal_ui.json_viewer({"a": HOSTILE}, label=HOSTILE),
        portal_ui.key_values([{"label": HOSTILE, "value": HOSTILE, "hint": HOSTILE}]),
        portal_ui.checklist([{"state": "fail", "label": HOSTILE, "detail": HOSTILE}]),
        portal_ui.timeline([{"at": NOW, "title": HOSTILE, "text": HOSTILE, "person": HOSTILE}]),
        portal_ui.empty_state(HOSTILE, HOSTILE),
        rendered("{% card title %}{{ text }}{% endcard %}", title=HOSTILE, text=HOSTILE),
        rendered('{% notice "bad" title=title %}{{ text }}{% endnotice %}', title=HOSTILE, text=HOSTILE),
    ]
    for piece in pieces:
        assert "<script" not in piece
        assert "&lt;script" in piece or "&quot;&gt;" in piece or "Script" in piece or '\\"' in piece


def test_an_identifier_is_shortened_in_the_middle_and_kept_whole() -> None:
    arn = "arn:aws:sagemaker:eu-west-1:111111111111:model-package/credit-risk/7"
    html = portal_ui.arn(arn)
    assert f'data-copy="{arn}"' in html
    assert f'<span class="arn-full">{arn}</span>' in html
    assert '<span class="arn-tail">ge/credit-risk/7</span>' in html


def test_the_stepper_marks_the_current_stage_with_its_status() -> None:
    html = portal_ui.stepper(
        [
            {"stage": "development", "state": "done"},
            {"stage": "pre_production", "state": "current", "status": "rejected"},
            {"stage": "production", "state": "todo", "status": "approved"},
        ]
    )
    assert html.count('aria-current="step"') == 1
    assert "Pre-production" in html
    assert "Rejected" in html
    assert "Approved" not in html


def test_the_checklist_counts_by_outcome() -> None:
    html = portal_ui.checklist([{"state": "pass", "label": "a"}, {"state": "missing", "label": "b"}])
    assert "1 pass" in html
    assert "1 missing" in html


def test_who_must_sign_counts_decisions_given() -> None:
    decision = {"person": "gloria", "decision": "approve", "at": NOW}
    html = portal_ui.sign_offs([{"role": "governance_officer", "needed": 2, "decisions": [decision]}])
    assert "1 of 2" in html
    assert "Governance officer" in html


def test_a_confirmation_names_object_account_and_effect_and_carries_the_token() -> None:
    html = rendered(
        '{% confirm "/go" label="Retire" title="Retire version 7?" object="credit-risk / 7" account="production"'
        ' effects="It stops." reason="required" hidden=hidden %}',
        hidden={"key": "k-1"},
        csrf_token="t" * 64,
    )
    for part in (
        "credit-risk / 7",
        "production",
        "It stops.",
        'value="k-1"',
        "csrfmiddlewaretoken",
        "required",
    ):
        assert part in html
    refused = rendered('{% confirm "/go" label="Retire" title="?" disabled="Served by endpoint e" %}')
    assert "<dialog" not in refused
    assert "Served by endpoint e" in refused


def test_pages_keep_the_filters_of_the_address() -> None:
    request = RequestFactory().get("/list/", {"stage": "qa", "page": "2"})
    html = rendered("{% pagination page %}", page=Paginator(range(100), 10).page(2), request=request)
    assert "stage=qa&amp;page=3" in html
    assert "11\u201320 of 100" in html
    assert 'aria-current="page"' in html


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500", "errors/409", "errors/412", "errors/503"])
def test_error_pages_need_no_context(name: str) -> None:
    html = get_template(f"{name}.html").render({})
    assert "data-error-title" in html
    assert "Go to my work" in html


def test_a_conflict_shows_its_reason_and_the_fresh_difference() -> None:
    context = {
        "title": "Not possible now",
        "detail": "AR-000031 was withdrawn.",
        "errors": {"reason": ["Too short."]},
        "difference": [{"field": "AUC", "before": 0.87, "after": None}],
        "back_url": "/requests/31/",
    }
    html = get_template("errors/409.html").render(context)
    for part in ("AR-000031 was withdrawn.", "Too short.", "0.87", "not reported", "/requests/31/"):
        assert part in html
