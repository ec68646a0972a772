"""The cases, each against the article it names; and what must not follow from them."""

from __future__ import annotations

from datetime import date

import pytest

from registry.ai_act import Assessment

from .cases import CASES, CREDIT, EXEMPT, MEDICAL, Case
from .filled import AMENDED, FIRST, assessed


def _articles(found: Assessment) -> set[str]:
    return {
        *(reason.article for reason in found.reasons),
        *(flag.article for flag in found.flags),
        *(f"duty {duty.article}" for duty in found.duties),
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.because}: {case.name}")
def test_the_article_says_so(case: Case) -> None:
    found = assessed(case.edition, **case.answers)
    assert found.is_complete
    assert found.risk_class == case.risk_class
    assert case.because in _articles(found), sorted(_articles(found))


def test_there_is_a_case_for_every_class_and_no_name_twice() -> None:
    assert {case.risk_class for case in CASES} == {"unacceptable", "high", "limited", "minimal"}
    assert len({case.name for case in CASES}) == len(CASES) >= 60


def _duties(found: Assessment) -> dict[str, date]:
    return {duty.key: duty.applies_from for duty in found.duties}


@pytest.mark.parametrize(
    ("edition", "answers", "duty", "day"),
    [
        (FIRST, CREDIT, "risk_management", date(2026, 8, 2)),
        (AMENDED, CREDIT, "risk_management", date(2027, 12, 2)),
        (FIRST, {**MEDICAL, "product_third_party": "yes"}, "risk_management", date(2027, 8, 2)),
        (AMENDED, {**MEDICAL, "product_third_party": "yes"}, "risk_management", date(2028, 8, 2)),
        # Both routes: the earlier day.
        (AMENDED, {**MEDICAL, "product_third_party": "yes", **CREDIT}, "risk_management", date(2027, 12, 2)),
        # An exempt Annex III area has no date of its own.
        (AMENDED, {**MEDICAL, "product_third_party": "yes", **CREDIT, **EXEMPT}, "risk_management", date(2028, 8, 2)),
        (FIRST, {"t_interacts": "yes"}, "inform_people", date(2026, 8, 2)),
        (AMENDED, {"t_interacts": "yes"}, "inform_people", date(2026, 8, 2)),
        (FIRST, {"t_synthetic": "yes"}, "mark_content", date(2026, 8, 2)),
        (AMENDED, {"t_synthetic": "yes"}, "mark_content", date(2026, 8, 2)),
        (AMENDED, {"t_synthetic": "yes", "t_synthetic_existing": "yes"}, "mark_content", date(2026, 12, 2)),
        # The grace is for marking alone.
        (
            AMENDED,
            {"t_synthetic": "yes", "t_synthetic_existing": "yes", "t_deep_fake": "yes"},
            "disclose_content",
            date(2026, 8, 2),
        ),
        (FIRST, {"p_social_scoring": "yes"}, "stop", date(2025, 2, 2)),
        (AMENDED, {"p_social_scoring": "yes"}, "stop", date(2025, 2, 2)),
        (AMENDED, {"p_intimate_imagery": "yes"}, "stop_new", date(2026, 12, 2)),
        (AMENDED, {"p_child_abuse": "yes"}, "stop_new", date(2026, 12, 2)),
        (AMENDED, {}, "literacy", date(2025, 2, 2)),
        (AMENDED, {"g_based": "yes", "g_provider": "yes"}, "model_documentation", date(2025, 8, 2)),
    ],
)
def test_from_when_a_duty_applies(edition: str, answers: dict[str, object], duty: str, day: date) -> None:
    assert _duties(assessed(edition, **answers))[duty] == day


def test_the_new_bans_are_not_asked_by_the_act_as_first_published() -> None:
    assert "stop_new" not in _duties(assessed(FIRST, p_social_scoring="yes"))


def test_what_is_prohibited_has_no_other_duty_than_to_stop() -> None:
    found = assessed(p_social_scoring="yes", t_interacts="yes", **CREDIT)
    assert set(_duties(found)) == {"stop"}
    assert "inform_people" in {flag.key for flag in found.flags}


@pytest.mark.parametrize(
    ("role", "has", "has_not"),
    [
        ("provider", {"risk_management", "conformity", "registration"}, {"use_as_instructed", "fria", "importer"}),
        ("deployer", {"use_as_instructed", "fria", "explain"}, {"risk_management", "conformity", "distributor"}),
        ("importer", {"importer"}, {"risk_management", "use_as_instructed", "literacy"}),
        ("distributor", {"distributor"}, {"risk_management", "use_as_instructed", "importer"}),
        ("authorised_representative", {"authorised_representative"}, {"risk_management", "use_as_instructed"}),
    ],
)
def test_duties_are_those_of_the_role(role: str, has: set[str], has_not: set[str]) -> None:
    found = assessed(role=[role], **CREDIT)
    assert has <= set(_duties(found))
    assert not has_not & set(_duties(found))
    assert found.roles == (role,)


def test_whoever_becomes_the_provider_has_his_duties_but_only_of_a_high_risk_system() -> None:
    assert "conformity" in _duties(assessed(role=["deployer"], becomes_provider=["modification"], **CREDIT))
    chat = assessed(role=["distributor"], becomes_provider=["name"], t_interacts="yes")
    assert "inform_people" not in _duties(chat)


def test_section_b_leaves_the_duties_to_the_law_of_the_product() -> None:
    found = assessed(product="component", product_law=["rail"], product_third_party="yes")
    assert found.risk_class == "high"
    assert not {"risk_management", "conformity"} & set(_duties(found))


def test_the_impact_assessment_is_not_for_infrastructure_nor_for_every_deployer() -> None:
    water = assessed(role=["deployer"], a3_infrastructure=["operation"], public_deployer=["public"])
    assert "fria" not in {flag.key for flag in water.flags}
    assert "fria" not in _duties(assessed(role=["deployer"], a3_employment=["recruitment"]))
    assert "fria" not in _duties(assessed(role=["deployer"], **{**CREDIT, **EXEMPT}))


def test_both_routes_are_both_named() -> None:
    found = assessed(product_third_party="yes", **MEDICAL, **CREDIT)
    assert [reason.rule for reason in found.reasons if reason.risk_class == "high"] == ["annex_i", "annex_iii"]


def test_every_area_chosen_is_a_reason_of_its_own() -> None:
    found = assessed(a3_services=["credit", "insurance"], a3_employment=["workers"])
    high = [reason.article for reason in found.reasons if reason.risk_class == "high"]
    assert high == [
        "Art. 6(2), Annex III, point 4(b)",
        "Art. 6(2), Annex III, point 5(b)",
        "Art. 6(2), Annex III, point 5(c)",
    ]
