"""The gate against the real database: every stage and standing, accounts, what one may not see, and its attestation."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance.models import AuditEvent, Override, PolicyVersion, StageRecord
from governance.selectors.binding import digest_of
from governance.selectors.policy import rules_of
from governance.services import gate, overrides, policies, retirement, signing
from governance.services.gate import GateAnswer
from portal.core.actors import Actor
from portal.core.operations import operation
from portal.core.vocabulary import EvidenceKind, RiskClass, Role, Stage, Status, SubjectKind
from registry.models import AwsAccount, ModelGroup, ModelVersion, Project, UseCase, User
from registry.services import people as registry_people
from registry.services import use_cases
from tests.factories import Cast, at_stage, cast, group, person, project, use_case, version
from tests.factories.people import SYSTEM
from tests.factories.walk import account, all_accounts, approve_once
from tests.scene import fingerprint, undone

pytestmark = pytest.mark.django_db

WHERE = {
    Stage.DEVELOPMENT: "222222222222",
    Stage.QA: "333333333333",
    Stage.PRE_PRODUCTION: "333333333333",
    Stage.PRODUCTION: "444444444444",
}


@dataclass(frozen=True)
class Scene:
    project: Project
    elsewhere: Project
    people: Cast
    use_case: UseCase
    group: ModelGroup
    accounts: dict[str, AwsAccount]


@pytest.fixture(scope="module")
def shared_scene(django_db_setup: None, django_db_blocker: Any) -> Iterator[Scene]:
    with django_db_blocker.unblock(), undone():
        here, there = project(), project()
        accounts = all_accounts()
        people = cast(here, there)
        served = use_case(people, here)
        yield Scene(here, there, people, served, group(here, people, served), accounts)


@pytest.fixture
def scene(shared_scene: Scene, db: None) -> Scene:
    return shared_scene


def ask(who: User | Actor, made: ModelVersion, stage: Stage, account_id: str = "") -> GateAnswer:
    actor = who if isinstance(who, Actor) else who.actor
    return gate.ask(actor, made.arn, stage.value, account_id or WHERE[stage])


def codes(answer: GateAnswer) -> set[str]:
    return {reason.code for reason in answer.reasons}


def at(scene: Scene, stage: Stage, status: Status = Status.APPROVED, number: int = 1) -> ModelVersion:
    return at_stage(scene.people, version(scene.group, number), stage, status)


def test_it_allows_where_it_is_approved_and_nowhere_ahead(scene: Scene) -> None:
    made = version(scene.group)
    engineer = scene.people.engineer
    for stage in WHERE:
        assert ask(engineer, made, stage).is_allowed is False
    expected: list[Stage] = []
    for stage in WHERE:
        approve_once(scene.people, made)
        expected.append(stage)
        assert [one for one in WHERE if ask(engineer, made, one).is_allowed] == expected
    deployed = at_stage(scene.people, version(scene.group, 2), Stage.PRODUCTION, Status.DEPLOYED)
    assert ask(engineer, deployed, Stage.PRODUCTION).is_allowed


def test_it_names_where_the_version_stands(scene: Scene) -> None:
    engineer = scene.people.engineer
    made = at(scene, Stage.QA, Status.PENDING)
    assert "approval_pending" in codes(ask(engineer, made, Stage.QA))
    assert "never_at_stage" in codes(ask(engineer, made, Stage.PRODUCTION))
    rejected = at(scene, Stage.QA, Status.REJECTED, number=2)
    assert "approval_rejected" in codes(ask(engineer, rejected, Stage.QA))
    assert ask(engineer, rejected, Stage.DEVELOPMENT).is_allowed, "what it was sent back from does not undo what it has"


def test_a_superseded_version_waits_for_a_rollback(scene: Scene) -> None:
    first = at(scene, Stage.PRODUCTION, Status.DEPLOYED)
    at(scene, Stage.PRODUCTION, Status.DEPLOYED, number=2)
    answer = ask(scene.people.engineer, first, Stage.PRODUCTION)
    assert codes(answer) == {"superseded"}
    assert "rollback" in answer.reasons[0].detail
    assert ask(scene.people.engineer, first, Stage.QA).is_allowed


def test_a_retired_version_runs_nowhere(scene: Scene) -> None:
    made = at(scene, Stage.QA)
    retirement.retire(
        actor=scene.people.officer.actor, subject_type=ModelVersion, subject_id=made.pk, reason="Replaced."
    )
    for stage in (Stage.DEVELOPMENT, Stage.QA):
        assert {"version_retired", "record_retired"} <= codes(ask(scene.people.engineer, made, stage))


def test_content_that_moved_is_denied_before_and_after_anybody_noticed(scene: Scene) -> None:
    made = at(scene, Stage.QA)
    approved = ask(scene.people.engineer, made, Stage.QA)
    assert approved.is_allowed
    assert approved.digest == digest_of(made, Stage.QA) == StageRecord.objects.get(
        version=made, stage=Stage.QA
    ).approved_digest  # fmt: skip
    with operation(SYSTEM):
        ModelVersion.objects.filter(pk=made.pk).update(metadata={"algorithm": "another"})
    answer = ask(scene.people.engineer, made, Stage.QA)
    assert codes(answer) == {"content_changed"}
    assert answer.digest not in (None, approved.digest)
    with operation(SYSTEM):
        StageRecord.objects.filter(version=made, stage=Stage.QA).update(outdated_at=timezone.now())
    assert codes(ask(scene.people.engineer, made, Stage.QA)) == {"content_changed", "approval_outdated"}


def test_an_approval_of_nobody_knows_what_is_no_approval(scene: Scene) -> None:
    made = at(scene, Stage.QA)
    with operation(SYSTEM):
        StageRecord.objects.filter(version=made, stage=Stage.QA).update(approved_digest="")
    assert codes(ask(scene.people.engineer, made, Stage.QA)) == {"unknown_digest"}


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"missing_since": timezone.now()}, "version_missing"),
        ({"aws_status": "Failed"}, "version_not_completed"),
        ({"aws_status": ""}, "version_not_completed"),
    ],
)
def test_what_aws_says_counts(scene: Scene, values: dict[str, Any], code: str) -> None:
    made = at(scene, Stage.QA)
    with operation(SYSTEM):
        ModelVersion.objects.filter(pk=made.pk).update(**values)
    assert codes(ask(scene.people.engineer, made, Stage.QA)) == {code}


def test_the_account_must_be_known_enabled_and_for_the_stage(scene: Scene) -> None:
    made = at(scene, Stage.QA)
    engineer = scene.people.engineer
    assert codes(ask(engineer, made, Stage.QA, "999999999999")) >= {"unknown_account"}
    assert codes(ask(engineer, made, Stage.QA, "444444444444")) >= {"account_not_for_stage"}
    assert codes(ask(engineer, made, Stage.QA, "111111111111")) >= {"account_not_for_stage"}
    with operation(SYSTEM):
        AwsAccount.objects.filter(account_id=WHERE[Stage.QA]).update(is_enabled=False)
    assert codes(ask(engineer, made, Stage.QA)) == {"account_disabled"}


def test_an_account_one_may_not_see_is_known_only_where_it_runs_the_stage(scene: Scene) -> None:
    made = at(scene, Stage.QA)
    scientist = scene.people.scientist
    assert ask(scientist, made, Stage.QA).is_allowed
    hidden = [ask(scientist, made, Stage.QA, one) for one in ("444444444444", "111111111111", "999999999999")]
    assert {frozenset(codes(answer)) for answer in hidden} == {
        frozenset({"unknown_account", "not_approved_in_account"})
    }
    with operation(SYSTEM):
        AwsAccount.objects.filter(account_id=WHERE[Stage.QA]).update(is_enabled=False)
    assert codes(ask(scientist, made, Stage.QA)) == {"unknown_account"}


def test_an_approval_in_one_account_is_none_in_another(scene: Scene) -> None:
    made = at(scene, Stage.QA)
    late = account("666666666666", *scene.accounts["test"].purposes)
    assert codes(ask(scene.people.engineer, made, Stage.QA, late.account_id)) == {"not_approved_in_account"}
    # Development was approved for no account in particular, so for each that runs it.
    other = account("777777777777", *scene.accounts["development"].purposes)
    assert ask(scene.people.engineer, made, Stage.DEVELOPMENT, other.account_id).is_allowed


def test_the_use_cases_it_serves_count(scene: Scene) -> None:
    made = at(scene, Stage.QA)
    engineer, officer = scene.people.engineer, scene.people.officer
    use_cases.classify(
        actor=officer.actor, use_case_id=scene.use_case.pk, risk_class=RiskClass.UNACCEPTABLE, reason="Prohibited."
    )
    answer = ask(engineer, made, Stage.QA)
    assert "use_case_unacceptable" in codes(answer)
    assert scene.use_case.public_id in " ".join(reason.detail for reason in answer.reasons)
    with operation(SYSTEM):
        made.use_case_links.all().delete()
    assert "no_use_case" in codes(ask(engineer, made, Stage.QA))


def test_a_use_case_one_may_not_see_counts_and_is_not_named(scene: Scene) -> None:
    other = project()
    stranger = cast(other, scene.project)
    hidden = use_case(stranger, other, risk=RiskClass.UNACCEPTABLE)
    made = at(scene, Stage.QA)
    with operation(SYSTEM):
        made.use_case_links.create(use_case=hidden, source="card")
    answer = ask(scene.people.engineer, made, Stage.QA)
    assert "use_case_unacceptable" in codes(answer)
    text = json.dumps(answer.as_json())
    assert hidden.public_id not in text
    assert hidden.name not in text


def test_a_stage_that_is_switched_off_runs_nothing(scene: Scene) -> None:
    made = at(scene, Stage.PRE_PRODUCTION)
    before = ask(scene.people.engineer, made, Stage.PRE_PRODUCTION)
    assert before.is_allowed
    publish(scene, path=(Stage.DEVELOPMENT, Stage.QA, Stage.PRODUCTION))
    answer = ask(scene.people.engineer, made, Stage.PRE_PRODUCTION)
    assert codes(answer) == {"stage_not_on_path"}
    assert ask(scene.people.engineer, made, Stage.QA).is_allowed
    fresh = version(scene.group, 2)
    assert codes(ask(scene.people.engineer, fresh, Stage.PRE_PRODUCTION)) == {"stage_not_on_path", "never_at_stage"}


def publish(scene: Scene, path: tuple[Stage, ...] = (), evidence: tuple[EvidenceKind, ...] = ()) -> PolicyVersion:
    """Put a policy in force with another path for versions, or more evidence for QA."""
    admin = scene.people.admin.actor
    drafted = policies.draft(actor=admin)
    if path:
        drafted = policies.set_path(
            actor=admin, policy_id=drafted.pk, revision=drafted.revision, kind=SubjectKind.MODEL_VERSION, path=path
        )
    for rule in rules_of(drafted) if evidence else ():
        if (rule.kind, rule.stage) == (SubjectKind.MODEL_VERSION, Stage.QA):
            drafted = policies.set_rule(
                actor=admin,
                policy_id=drafted.pk,
                revision=drafted.revision,
                rule=replace(rule, evidence=(*rule.evidence, *evidence)),
            )
    return policies.publish(actor=admin, policy_id=drafted.pk, revision=drafted.revision)


def break_glass(scene: Scene, made: ModelVersion, key: str, minutes: int = 5) -> Override:
    return overrides.break_glass(
        actor=scene.people.second_officer.actor,
        subject_type=ModelVersion,
        subject_id=made.pk,
        stage=Stage.QA,
        check_key=key,
        reason="The reviewer is ill.",
        expires_at=timezone.now() + timedelta(minutes=minutes),
    )


def test_an_approval_that_rests_on_break_glass_ends_with_it(scene: Scene) -> None:
    published = publish(scene, evidence=(EvidenceKind.SECURITY_REVIEW,))
    made = at(scene, Stage.QA, Status.PENDING)
    engineer = scene.people.engineer
    before = ask(engineer, made, Stage.QA)
    assert codes(before) == {"approval_pending", "check_missing"}
    (key,) = (reason.rule for reason in before.reasons if reason.code == "check_missing")
    granted = break_glass(scene, made, key)
    approve_once(scene.people, made)
    allowed = ask(engineer, made, Stage.QA)
    assert allowed.is_allowed, allowed.reasons
    assert allowed.policy_version == published.number
    assert allowed.overrides == (granted,)
    assert allowed.expires_at <= granted.expires_at, "an answer never outlives what it rests on"
    (said,) = allowed.as_json()["overrides"]
    assert (said["id"], said["check"], said["reason"]) == (granted.public_id, key, "The reviewer is ill.")
    overrides.revoke(actor=scene.people.second_officer.actor, override_id=granted.pk)
    ended = ask(engineer, made, Stage.QA)
    assert codes(ended) == {"break_glass_expired"}
    assert ended.overrides == ()


def test_a_later_policy_changes_nothing_about_what_was_approved_before(scene: Scene) -> None:
    made = at(scene, Stage.QA)
    before = ask(scene.people.engineer, made, Stage.QA)
    published = publish(scene, evidence=(EvidenceKind.SECURITY_REVIEW,))
    after = ask(scene.people.engineer, made, Stage.QA)
    assert after.is_allowed
    assert after.policy_version == before.policy_version != published.number


def test_what_one_may_not_see_is_answered_exactly_like_what_there_is_not(scene: Scene) -> None:
    made = at(scene, Stage.QA)
    stranger = scene.people.stranger.actor
    hidden = gate.ask(stranger, made.arn, "qa", WHERE[Stage.QA]).as_json()
    absent = gate.ask(stranger, made.arn + "0", "qa", WHERE[Stage.QA]).as_json()
    same = {"model_package_arn": "", "checked_at": "", "expires_at": ""}
    assert {**hidden, **same} == {**absent, **same}
    assert [reason["code"] for reason in hidden["reasons"]] == ["unknown_version"]
    assert hidden["digest"] is None
    nobody = person()
    assert "unknown_version" in codes(gate.ask(nobody.actor, made.arn, "qa", WHERE[Stage.QA]))
    registry_people.grant(actor=SYSTEM, role=Role.AUDITOR, to=nobody, project=scene.project)
    assert ask(User.objects.get(pk=nobody.pk), made, Stage.QA).is_allowed


GARBAGE = (
    "",
    " ",
    "\x00",
    "x" * 5000,
    "arn:aws:sagemaker:::",
    "'; DROP TABLE x; --",
    "ä\U0001f4a5",
    "production\n",
    "٤" * 12,
)


@pytest.mark.parametrize("value", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_denied(scene: Scene, value: str) -> None:
    made = at(scene, Stage.QA)
    before = fingerprint()
    for arn, stage, account_id, code in (
        (value, "qa", WHERE[Stage.QA], "unknown_version"),
        (made.arn, value, WHERE[Stage.QA], "unknown_stage"),
        (made.arn, "qa", value, "unknown_account"),
        (value, value, value, "unknown_version"),
    ):
        answer = gate.ask(scene.people.engineer.actor, arn, stage, account_id)
        assert code in codes(answer), (arn, stage, account_id)
        assert len(answer.attestation) < 20_000
    assert fingerprint()[1:] == before[1:]


@pytest.mark.parametrize("stage", ["poc", "retired", "Production", "PRODUCTION", "unknown"])
def test_a_word_that_is_no_stage_of_versions_is_denied(scene: Scene, stage: str) -> None:
    made = at(scene, Stage.QA)
    answer = gate.ask(scene.people.engineer.actor, made.arn, stage, WHERE[Stage.QA])
    assert codes(answer) & {"unknown_stage", "stage_not_on_path"}


def test_a_version_that_came_back_as_something_else_is_judged_as_what_it_is_now(scene: Scene) -> None:
    made = at(scene, Stage.QA)
    with operation(SYSTEM):
        ModelVersion.objects.filter(pk=made.pk).update(missing_since=timezone.now())
    again = version(scene.group, 1, created_at=made.aws_created_at + timedelta(days=1))
    assert again.arn == made.arn
    answer = ask(scene.people.engineer, made, Stage.QA)
    assert answer.model_version == again.pk
    assert "never_at_stage" in codes(answer)


def test_the_attestation_is_the_whole_answer(scene: Scene, settings: LazySettings) -> None:
    settings.PORTAL_GATE_MINUTES = 7
    made = at(scene, Stage.QA)
    for answer in (ask(scene.people.engineer, made, Stage.QA), ask(scene.people.engineer, made, Stage.PRODUCTION)):
        header = jwt.get_unverified_header(answer.attestation)
        assert header["typ"] == "gate+jwt"
        claims = signing.verify(answer.attestation, typ=gate.TYP)
        assert {name: claims[name] for name in answer.as_json()} == answer.as_json()
        assert claims["iss"] == settings.PORTAL_PUBLIC_URL
        assert claims["sub"] == made.arn
        assert claims["aud"] == gate.audience(answer.stage, answer.account)
        assert claims["iat"] == answer.checked_at.timestamp()
        assert claims["exp"] - claims["iat"] == 7 * 60
    again = signing.verify(ask(scene.people.engineer, made, Stage.QA).attestation, typ=gate.TYP)
    assert again["jti"] != signing.verify(ask(scene.people.engineer, made, Stage.QA).attestation, typ=gate.TYP)["jti"]


def test_a_question_leaves_a_line_in_the_log_and_nothing_else(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    made = at(scene, Stage.QA)
    signing.active_key()
    before, trail = fingerprint(), AuditEvent.objects.count()
    with caplog.at_level(logging.INFO, logger="governance.services.gate"):
        ask(scene.people.engineer, made, Stage.QA)
        gate.ask(scene.people.engineer.actor, "arn\nforged line", "qa\nforged line", "1")
    assert fingerprint() == before
    assert AuditEvent.objects.count() == trail
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["gate allow", "gate deny"]
    assert not any("\n" in record.getMessage() for record in caplog.records)


def test_an_answer_takes_few_queries(scene: Scene) -> None:
    made = at(scene, Stage.QA)
    engineer = scene.people.engineer
    ask(engineer, made, Stage.QA)
    with CaptureQueriesContext(connection) as queries:
        assert ask(engineer, made, Stage.QA).is_allowed
    assert len(queries) <= 1, [query["sql"][:120] for query in queries]
