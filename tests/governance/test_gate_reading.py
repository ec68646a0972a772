"""The gate's one statement reads what many plain questions read, whatever the rows say and whoever asks."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from guardian.shortcuts import assign_perm

from governance.choices import SigningAlgorithm
from governance.models import Evidence, Override, StageRecord
from governance.selectors import gate as reading
from governance.selectors import policy as selectors
from governance.services import evidence, gate, policies, signing
from portal.core.operations import operation
from portal.core.vocabulary import EvidenceKind, RiskClass, Role, Stage, Status, SubjectKind
from registry.models import AwsAccount, ModelVersion, RunReading, TrackingServer, VersionRun, VersionUseCase
from tests.factories import Cast, at_stage, cast, group, person, project, use_case, version
from tests.factories.people import SYSTEM
from tests.factories.walk import all_accounts
from tests.scene import undone

from . import gate_by_orm

pytestmark = pytest.mark.django_db

ACCOUNTS = ("111111111111", "222222222222", "333333333333", "444444444444", "999999999999", "", "٤" * 12)
STAGES = ("development", "qa", "pre_production", "production", "poc", "retired", "nowhere")
NUMBERS = {"auc": 0.9071, "count": 12345678901234567890, "none": None, "nested": {"é\u2028": [1e-9, -0.0, True]}}


@dataclass(frozen=True)
class Scene:
    people: Cast
    versions: list[ModelVersion]
    actors: list[Any]


@pytest.fixture(scope="module")
def shared_scene(django_db_setup: None, django_db_blocker: Any) -> Iterator[Scene]:
    with django_db_blocker.unblock(), undone():
        here, there = project(), project()
        all_accounts()
        people = cast(here, there)
        served = use_case(people, here)
        models = group(here, people, served)
        made = [
            version(models, 1),
            at_stage(people, version(models, 2), Stage.QA, Status.PENDING),
            at_stage(people, version(models, 3, metadata={"validation_auc": "0.81"}), Stage.QA, Status.APPROVED),
            at_stage(people, version(models, 4), Stage.PRODUCTION, Status.DEPLOYED),
        ]
        hidden = use_case(cast(there, project()), there, risk=RiskClass.UNACCEPTABLE)
        with operation(SYSTEM):
            VersionUseCase.objects.create(version=made[2], use_case=hidden, source="card")
        shown = person()
        assign_perm("registry.view_modelgroup", shown, models)
        everywhere = person(Role.AUDITOR)
        askers = [people.engineer, people.scientist, people.auditor, people.stranger, shown, everywhere]
        signing.active_key()
        yield Scene(people, made, [SYSTEM, *(one.actor for one in askers)])


@pytest.fixture
def scene(shared_scene: Scene, db: None) -> Scene:
    return shared_scene


def some_version(dice: random.Random, scene: Scene) -> None:
    made = dice.choice(scene.versions)
    values: dict[str, Any] = dice.choice(
        [
            {"metadata": {"algorithm": str(dice.random())}},
            {"aws_status": dice.choice(["Failed", "", "Completed"])},
            {"missing_since": dice.choice([None, timezone.now()])},
            {"card": dice.choice([None, {}, {"model_overview": {"model_name": "x"}}, [1]])},
            {"metric_sources": {"Bias": {"Report": {"S3Uri": "s3://b/k", "ContentDigest": "sha256:AB"}}}},
            {"risk_rating": dice.choice(["High", "Low", "Medium", "Unknown"]).lower()},
            {"containers": [{"image": "i", "model_data_url": "s3://b/ä"}, {}]},
        ]
    )
    ModelVersion.objects.filter(pk=made.pk).update(**values)


def some_record(dice: random.Random, scene: Scene) -> None:
    values: dict[str, Any] = dice.choice(
        [
            {"approved_digest": dice.choice(["", "v1:0"])},
            {"outdated_at": dice.choice([None, timezone.now()])},
            {"validation_metrics": dice.choice([None, {}, NUMBERS]), "validation_captured_at": timezone.now()},
            {"monitoring_metrics": {"drift": 1}, "monitoring_captured_at": timezone.now()},
        ]
    )
    row = dice.choice(list(StageRecord.objects.filter(version__in=scene.versions)))
    StageRecord.objects.filter(pk=row.pk).update(**values)


def some_account(dice: random.Random, scene: Scene) -> None:
    AwsAccount.objects.filter(account_id=dice.choice(ACCOUNTS)).update(is_enabled=dice.random() < 0.5)


def some_evidence(dice: random.Random, scene: Scene) -> None:
    made = dice.choice(scene.versions)
    known = Evidence.objects.filter(version=made, withdrawn_at=None)
    if known and dice.random() < 0.5:
        evidence.withdraw(actor=scene.people.scientist.actor, evidence_id=known[0].pk, reason="It is wrong.")
        return
    file = SimpleUploadedFile("report.txt", str(dice.random()).encode(), "text/plain")
    evidence.attach_upload(
        actor=scene.people.scientist.actor,
        subject_type=ModelVersion,
        subject_id=made.pk,
        kind=dice.choice([EvidenceKind.TEST_REPORT, EvidenceKind.SECURITY_REVIEW]),
        file=file,
    )


def some_override(dice: random.Random, scene: Scene) -> None:
    now = timezone.now()
    Override.objects.create(
        kind=SubjectKind.MODEL_VERSION,
        version=dice.choice(scene.versions),
        stage=dice.choice(STAGES[:4]),
        check_key=dice.choice(["evidence:validation_metrics", "evidence:model_card", "metric:auc>=0.75"]),
        check_label="A check",
        reason="It is urgent.",
        granted_by=scene.people.second_officer,
        granted_by_name="officer",
        expires_at=now + timedelta(minutes=dice.choice([5, 500])),
    )


def some_link(dice: random.Random, scene: Scene) -> None:
    link = VersionUseCase.objects.filter(version=dice.choice(scene.versions)).first()
    if link is not None and dice.random() < 0.3:
        link.delete()


def some_run(dice: random.Random, scene: Scene) -> None:
    made, now = dice.choice(scene.versions), timezone.now()
    server, _ = TrackingServer.objects.get_or_create(name="mlflow", defaults={"url": "https://mlflow.example"})
    run = VersionRun.objects.filter(version=made).first() or VersionRun.objects.create(
        version=made, server=server, run_id="0" * 32
    )
    reading = RunReading.objects.create(
        run=run,
        read_at=now,
        read_by="system:tracking",
        name=dice.choice(["", "wise-owl-7"]),
        status=dice.choice(["FINISHED", "RUNNING"]),
        lifecycle_stage="active",
        ended_at=dice.choice([None, now]),
        params={"depth": str(dice.random())},
        metrics=dice.choice([{}, {"auc": 0.91, "loss": "NaN"}]),
        measured_at=dice.choice([None, now + timedelta(days=1)]),
        digest="v1:0",
    )
    ModelVersion.objects.filter(pk=made.pk).update(run_reading=dice.choice([None, reading, reading]))


CHANGES: tuple[Callable[[random.Random, Scene], None], ...] = (
    some_version, some_version, some_record, some_record, some_account, some_evidence, some_override, some_link,
    some_run, some_run,
)  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_one_statement_reads_what_many_questions_read(scene: Scene, seed: int) -> None:
    dice = random.Random(seed)
    now = timezone.now() + timedelta(minutes=dice.choice([0, 60]))
    for _ in range(4):
        with operation(SYSTEM):
            dice.choice(CHANGES)(dice, scene)
        for _ in range(4):
            asker, made = dice.choice(scene.actors), dice.choice(scene.versions)
            question = {
                "arn": dice.choice([made.arn, made.arn, made.arn, made.arn + "0", ""]),
                "stage": dice.choice((*STAGES, made.stage, made.stage, made.stage)),
                "account_id": dice.choice(ACCOUNTS),
            }
            found = reading.read(asker, **question, now=now)
            plain = gate_by_orm.read(asker, **question, now=now)
            assert asdict(found.facts) == asdict(plain.facts), (asker, question)
            assert found == plain


def test_an_answer_is_one_statement_and_the_next_one_another(scene: Scene) -> None:
    """Nothing of an answer is kept: what was committed before the question is in it."""
    made, asker = scene.versions[3], scene.people.engineer.actor
    gate.ask(asker, made.arn, "production", "444444444444")
    with CaptureQueriesContext(connection) as queries:
        allowed = gate.ask(asker, made.arn, "production", "444444444444")
    # Django counts only its own statements, and the one is not asked through it.
    assert queries.captured_queries == []
    assert allowed.is_allowed
    with operation(SYSTEM):
        ModelVersion.objects.filter(pk=made.pk).update(metadata={"another": "one"})
    denied = gate.ask(asker, made.arn, "production", "444444444444")
    assert {reason.code for reason in denied.reasons} == {"content_changed"}


def test_the_next_answer_is_signed_by_the_next_key(scene: Scene) -> None:
    made, asker, admin = scene.versions[2], scene.people.engineer.actor, person(Role.ML_ADMIN).actor

    def key() -> str:
        answer = gate.ask(asker, made.arn, "qa", "333333333333")
        signing.verify(answer.attestation, typ=gate.TYP)
        return str(signing.jwt.get_unverified_header(answer.attestation)["kid"])

    first = key()
    second = signing.rotate(actor=admin, algorithm=SigningAlgorithm.EDDSA).kid
    assert key() == second != first
    signing.revoke(actor=admin, kid=second, reason="Lost.")
    assert key() not in (first, second)


def test_a_publication_that_was_undone_leaves_nothing_behind(scene: Scene) -> None:
    """The cells of published policies are kept in the process; a draft that keeps its number may become another."""
    admin = person(Role.ML_ADMIN).actor
    drafted = policies.draft(actor=admin)

    with transaction.atomic():
        published = policies.publish(actor=admin, policy_id=drafted.pk, revision=drafted.revision)
        kept = selectors.rules_of(published)
        transaction.set_rollback(True)
    rule = next(rule for rule in kept if rule.stage is Stage.QA)
    drafted = policies.set_path(
        actor=admin,
        policy_id=drafted.pk,
        revision=drafted.revision,
        kind=SubjectKind.MODEL_VERSION,
        path=(Stage.DEVELOPMENT, Stage.QA, Stage.PRODUCTION),
    )
    drafted = policies.set_rule(
        actor=admin, policy_id=drafted.pk, revision=drafted.revision, rule=replace(rule, days_until_expiry=77)
    )
    again = policies.publish(actor=admin, policy_id=drafted.pk, revision=drafted.revision)
    assert again.pk == drafted.pk
    assert replace(rule, days_until_expiry=77) in selectors.rules_of(again)
