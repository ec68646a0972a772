"""Policies: drafted, edited, tried, published for good; and who may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from governance.models import ApprovalRequest, PolicyRule, PolicyVersion
from governance.policies.facts import ApprovalNeed, Outcome, Rule
from governance.policies.validation import TIERS
from governance.selectors import policy as policies
from governance.selectors import policy_preview as previews
from governance.services import approvals
from governance.services import policies as services
from portal.core.actors import Actor
from portal.core.errors import Forbidden, InvalidInput, NotFound, StaleEdit
from portal.core.vocabulary import EvidenceKind, RiskRating, Role, Stage, SubjectKind
from registry.models import ModelVersion, UseCase
from tests.factories import at_stage, group, person, use_case, version
from tests.scene import fingerprint

from .conftest import Place
from .policies.making import cell, metric

VERSION, USE_CASE = SubjectKind.MODEL_VERSION, SubjectKind.USE_CASE
SHORT = (Stage.DEVELOPMENT, Stage.QA, Stage.PRODUCTION)


@pytest.fixture
def admin(place: Place) -> Actor:
    return place.people.admin.actor


@pytest.fixture
def draft(admin: Actor) -> PolicyVersion:
    return services.draft(actor=admin, note="Stricter.")


def publish(admin: Actor, policy: PolicyVersion) -> PolicyVersion:
    policy.refresh_from_db()
    return services.publish(actor=admin, policy_id=policy.pk, revision=policy.revision)


def set_cell(admin: Actor, policy: PolicyVersion, rule: Rule) -> PolicyVersion:
    policy.refresh_from_db()
    return services.set_rule(actor=admin, policy_id=policy.pk, revision=policy.revision, rule=rule)


def test_a_draft_starts_as_a_copy_and_binds_nobody(draft: PolicyVersion, admin: Actor) -> None:
    assert (draft.number, draft.state, draft.based_on, draft.follows) == (3, "draft", 2, 2)
    assert draft.created_by == admin.label
    assert policies.matrix_of(draft) == policies.matrix_of(policies.in_force())
    assert policies.in_force().number == 2
    assert not previews.changes(draft)


def test_a_draft_may_start_from_an_older_policy_or_another_draft(draft: PolicyVersion, admin: Actor) -> None:
    old = services.draft(actor=admin, based_on=1)
    assert (old.number, old.based_on, old.follows) == (4, 1, 2)
    assert all(rule.evidence == () for rule in policies.rules_of(old))
    set_cell(admin, draft, cell(evidence=(EvidenceKind.LICENCE,)))
    copy = services.draft(actor=admin, based_on=3)
    assert policies.matrix_of(copy).cell(VERSION, Stage.QA, RiskRating.LOW) == cell(evidence=(EvidenceKind.LICENCE,))
    for unknown in (99, 2**40, -1):
        with pytest.raises(NotFound):
            services.draft(actor=admin, based_on=unknown)


def test_a_cell_is_written_and_read_back(draft: PolicyVersion, admin: Actor) -> None:
    rule = cell(
        tier=RiskRating.HIGH,
        approvals=(ApprovalNeed(Role.GOVERNANCE_OFFICER, 3), ApprovalNeed(Role.MODEL_OWNER, 1)),
        evidence=(EvidenceKind.BIAS_REPORT, EvidenceKind.LICENCE),
        metrics=(metric(max_age_days=30), metric("bias.DI", value=(0.8, 1.25), segment="gender")),
        days_until_due=2,
        days_until_expiry=2,
    )
    changed = set_cell(admin, draft, rule)
    assert changed.revision == 2
    assert policies.matrix_of(changed).cell(VERSION, Stage.QA, RiskRating.HIGH) == rule
    found = previews.changes(changed)
    assert [(one.kind, one.stage, one.tier) for one in found.cells] == [(VERSION, Stage.QA, RiskRating.HIGH)]
    assert {one.field for one in found.cells[0].differences} == {
        "approvals",
        "evidence",
        "metrics",
        "days_until_due",
        "days_until_expiry",
    }
    assert PolicyRule.objects.filter(policy=draft).count() == 27


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (cell(approvals=()), "approvals"),
        (cell(approvals=(ApprovalNeed(Role.ML_ADMIN, 1),)), "approvals"),
        (cell(approvals=(ApprovalNeed(Role.GOVERNANCE_OFFICER, 10),)), "approvals"),
        (cell(days_until_due=31), "days_until_due"),
        (cell(days_until_due=10**9, days_until_expiry=10**9), "days_until_due"),
        (cell(metrics=(metric("a\x00b"),)), "metrics"),
        (cell(metrics=(metric("a\ud800"),)), "metrics"),
        (cell(metrics=(metric(value=float("nan")),)), "metrics"),
        (cell(kind=USE_CASE, metrics=(metric(),)), "metrics"),
        (cell(tier=RiskRating.UNKNOWN), "stage"),
        (cell(stage=Stage.POC), "stage"),
    ],
)
def test_a_cell_that_cannot_be_used_is_refused_by_field(
    draft: PolicyVersion, admin: Actor, rule: Rule, field: str
) -> None:
    before = list(draft.rules.order_by("pk").values())
    with pytest.raises(InvalidInput) as refusal:
        set_cell(admin, draft, rule)
    assert field in refusal.value.errors
    assert list(draft.rules.order_by("pk").values()) == before


def test_pre_production_is_switched_off_and_on(draft: PolicyVersion, admin: Actor, place: Place) -> None:
    for path in ((Stage.DEVELOPMENT, Stage.QA), (Stage.QA, Stage.DEVELOPMENT, Stage.PRODUCTION), (), (Stage.RETIRED,)):
        with pytest.raises(InvalidInput) as refusal:
            services.set_path(actor=admin, policy_id=draft.pk, revision=1, kind=VERSION, path=path)
        assert list(refusal.value.errors) == ["model_path"]
    changed = services.set_path(actor=admin, policy_id=draft.pk, revision=1, kind=VERSION, path=SHORT)
    assert policies.path_of(changed, VERSION) == SHORT
    made = at_stage(place.people, version(group(place.project, place.people)), Stage.QA)
    assert policies.stage_after(made) is Stage.PRE_PRODUCTION
    publish(admin, draft)
    assert policies.stage_after(made) is Stage.PRODUCTION
    assert at_stage(place.people, made, Stage.PRODUCTION).stage == Stage.PRODUCTION


def test_a_published_policy_is_in_force_and_never_changes(draft: PolicyVersion, admin: Actor) -> None:
    published = publish(admin, draft)
    assert (published.state, published.published_by, published.revision) == ("published", admin.label, 2)
    assert policies.in_force() == published
    later = {"actor": admin, "policy_id": draft.pk, "revision": published.revision}
    for call in (
        lambda: services.publish(**later),
        lambda: services.discard(**later),
        lambda: services.set_rule(**later, rule=cell()),
        lambda: services.edit(**later, note="Softer."),
        lambda: services.editable(actor=admin, number=draft.number),
    ):
        with pytest.raises(services.Published):
            call()


def test_an_incomplete_policy_is_refused_by_its_cells(draft: PolicyVersion, admin: Actor) -> None:
    draft.rules.filter(kind=VERSION, stage=Stage.QA).delete()
    draft.rules.filter(kind=USE_CASE, stage=Stage.POC, tier=RiskRating.LOW).update(
        approvals=[{"role": "auditor", "count": 1}]
    )
    with pytest.raises(services.Incomplete) as refusal:
        publish(admin, draft)
    assert set(refusal.value.errors) == {*(f"model_version.qa.{tier}" for tier in TIERS), "use_case.poc.low"}
    assert policies.in_force().number == 2
    services.set_path(
        actor=admin,
        policy_id=draft.pk,
        revision=1,
        kind=VERSION,
        path=(Stage.DEVELOPMENT, Stage.PRE_PRODUCTION, Stage.PRODUCTION),
    )
    set_cell(admin, draft, cell(kind=USE_CASE, stage=Stage.POC))
    assert publish(admin, draft).state == "published"


def test_an_edit_on_an_older_revision_is_refused(draft: PolicyVersion, admin: Actor) -> None:
    set_cell(admin, draft, cell(days_until_due=1))
    stale = {"actor": admin, "policy_id": draft.pk, "revision": 1}
    for call in (
        lambda: services.set_rule(**stale, rule=cell()),
        lambda: services.edit(**stale, note="x"),
        lambda: services.set_path(**stale, kind=VERSION, path=SHORT),
        lambda: services.discard(**stale),
        lambda: services.publish(**stale),
    ):
        with pytest.raises(StaleEdit):
            call()
    assert policies.matrix_of(draft).cell(VERSION, Stage.QA, RiskRating.LOW) == cell(days_until_due=1)


def test_publishing_one_draft_overtakes_the_others(draft: PolicyVersion, admin: Actor) -> None:
    other = services.draft(actor=admin)
    publish(admin, other)
    with pytest.raises(services.Overtaken, match="Policy 4 was published since"):
        publish(admin, draft)
    again = services.draft(actor=admin, based_on=draft.number)
    assert publish(admin, again).number == policies.in_force().number == 5


def test_a_discarded_draft_is_gone(draft: PolicyVersion, admin: Actor) -> None:
    services.discard(actor=admin, policy_id=draft.pk, revision=1)
    assert not PolicyVersion.objects.filter(pk=draft.pk).exists()
    for call in (services.discard, services.publish):
        with pytest.raises(NotFound):
            call(actor=admin, policy_id=draft.pk, revision=1)


@pytest.mark.parametrize(("note", "kept"), [("  a  ", "a"), ("x" * 2000, "x" * 2000)])
def test_a_note_is_kept(admin: Actor, note: str, kept: str) -> None:
    assert services.draft(actor=admin, note=note).note == kept


@pytest.mark.parametrize("note", ["a\x00b", "x" * 2001])
def test_a_note_that_cannot_be_kept_is_refused(admin: Actor, draft: PolicyVersion, note: str) -> None:
    for call in (
        lambda: services.draft(actor=admin, note=note),
        lambda: services.edit(actor=admin, policy_id=draft.pk, revision=1, note=note),
    ):
        with pytest.raises(InvalidInput) as refusal:
            call()
        assert list(refusal.value.errors) == ["note"]
    draft.refresh_from_db()
    assert draft.note == "Stricter."


# Who may


@pytest.mark.parametrize("role", Role)
def test_only_an_ml_admin_of_everything_changes_the_matrix(place: Place, draft: PolicyVersion, role: Role) -> None:
    everywhere, here = person(role).actor, person(role, project=place.project).actor
    may_read = role in (Role.ML_ADMIN, Role.GOVERNANCE_OFFICER, Role.AUDITOR)
    told = {"policy_id": draft.pk, "revision": 1}
    calls: tuple[Callable[[Actor], Any], ...] = (
        lambda actor: services.publish(actor=actor, **told),
        lambda actor: services.discard(actor=actor, **told),
        lambda actor: services.edit(actor=actor, **told, note="x"),
        lambda actor: services.set_rule(actor=actor, **told, rule=cell()),
        lambda actor: services.editable(actor=actor, number=draft.number),
    )
    before = fingerprint()
    for actor in (here,) if role is Role.ML_ADMIN else (here, everywhere):
        for call in calls:
            with pytest.raises(Forbidden if may_read else NotFound):
                call(actor)
        with pytest.raises(Forbidden):
            services.draft(actor=actor)
    assert fingerprint() == before
    if role is Role.ML_ADMIN:
        assert services.draft(actor=everywhere).number == 4


# Trying it


def ask(place: Place, subject: ModelVersion | UseCase) -> ApprovalRequest:
    return approvals.submit(actor=place.people.scientist.actor, subject_type=type(subject), subject_id=subject.pk)


def test_what_a_version_would_need_and_what_is_missing(place: Place, draft: PolicyVersion, admin: Actor) -> None:
    made = version(group(place.project, place.people), 7)
    rule = cell(
        stage=Stage.PRODUCTION, evidence=(EvidenceKind.TEST_REPORT,), metrics=(metric("validation_auc", value=0.8),)
    )
    set_cell(admin, draft, rule)
    before = fingerprint()
    found = previews.of_subject(draft, made, Stage.PRODUCTION)
    assert fingerprint() == before
    assert found.needs == replace(found.needs or cell(), evidence=rule.evidence, metrics=rule.metrics)  # type: ignore[type-var]
    assert [(check.key, check.outcome) for check in found.checks] == [
        ("evidence:test_report", Outcome.MISSING),
        ("metric:validation_auc>=0.8", Outcome.FAIL),
    ]
    assert found.checks[1].detail == "Validation AUC is 0.78 in Development, at least 0.8 is needed."
    assert (found.on_path, found.tier.value) == (True, RiskRating.LOW)


def test_where_there_is_no_rule_nothing_could_be_asked(place: Place, draft: PolicyVersion) -> None:
    made = version(group(place.project, place.people))
    draft.rules.filter(kind=VERSION, stage=Stage.QA).delete()
    found = previews.of_subject(draft, made, Stage.QA)
    assert (found.needs, found.checks) == (None, ())


def test_open_requests_that_would_change_are_named_and_keep_their_policy(
    place: Place, draft: PolicyVersion, admin: Actor
) -> None:
    models = group(place.project, place.people)
    made = at_stage(place.people, version(models, 1), Stage.QA)
    other = version(models, 2)
    asked, untouched = ask(place, made), ask(place, other)
    set_cell(
        admin, draft, cell(evidence=(EvidenceKind.TEST_REPORT,), approvals=(ApprovalNeed(Role.GOVERNANCE_OFFICER, 2),))
    )
    draft = services.set_path(actor=admin, policy_id=draft.pk, revision=2, kind=VERSION, path=SHORT)
    (found,) = previews.of_open_requests(place.people.officer.actor, draft)
    assert found.request == asked
    assert {one.field: (one.before, one.after) for one in found.differences} == {
        "approvals": ("1 governance officer", "2 governance officers"),
        "evidence": ("Validation metrics", "Test report"),
        "days_until_due": ("3", "5"),
        "to_stage": ("Pre-production", "Production"),
    }
    assert [check.key for check in found.unmet] == ["evidence:test_report"]
    assert previews.of_open_requests(place.people.stranger.actor, draft) == []
    kept = ApprovalRequest.objects.filter(pk__in=(asked.pk, untouched.pk)).order_by("pk").values()
    before = list(kept)
    publish(admin, draft)
    assert list(kept.all()) == before
    approvals.decide(actor=place.people.officer.actor, request_id=asked.pk, verdict=approvals.Verdict.APPROVE)
    asked.refresh_from_db()
    assert (asked.state, asked.policy.number) == ("approved", 2)


def test_a_request_whose_rule_goes_is_named(place: Place, draft: PolicyVersion) -> None:
    asked = ask(place, use_case(place.people, place.project))
    draft.rules.filter(kind=USE_CASE, stage=Stage.POC).delete()
    (found,) = previews.of_open_requests(place.people.auditor.actor, draft)
    assert found.request == asked
    assert [(one.field, one.after) for one in found.differences] == [("rule", "no rule")]


@pytest.mark.parametrize(
    ("name", "is_found"),
    [("{uc}", True), (" {uc} ", True), ("{group}/7", True), ("{group}/8", False), ("UC-999999999", False),
     ("", False), ("x", False), ("UC-", False), ("a/b", False), ("{group}/99999999999999", False)],
)  # fmt: skip
def test_subjects_are_found_by_the_names_people_use(place: Place, name: str, is_found: bool) -> None:
    case = use_case(place.people, place.project)
    made = version(group(place.project, place.people), 7)
    given = name.format(uc=case.public_id.lower(), group=made.group.name)
    found = previews.subject_named(place.people.scientist.actor, given)
    assert (found is not None) is is_found
    assert found in (None, case, made)
    assert previews.subject_named(place.people.stranger.actor, given) is None
