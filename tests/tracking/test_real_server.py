"""Runs of a real MLflow tracking server: read, named, judged by rules, read again; and a server that falls silent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from governance.models import AuditEvent, Finding, StageRecord
from governance.policies.facts import Outcome
from governance.selectors import policy as policies
from governance.selectors.binding import moved_since
from governance.services import approvals, runs
from portal.core import fetching
from portal.core.errors import Forbidden, InvalidInput, NotFound, StaleEdit, WrongState
from portal.core.vocabulary import Stage
from registry.choices import TrackingLogin
from registry.models import ModelVersion, Project, RunReading, TrackingServer, VersionRun
from registry.selectors import tracking
from registry.services import tracking_search, tracking_servers
from registry.tracking import server as gateway
from registry.tracking.errors import ExperimentUnknown, LoginRefused, QuestionRefused, RunUnknown, ServerUnreachable
from tests import mlflow_server
from tests.factories import Cast, cast, group, project, version
from tests.factories.walk import all_accounts, approve_once
from tests.governance.policies.making import metric, needs
from tests.mlflow_server import Door, Mlflow
from tests.scene import undone

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Place:
    """A project and its people, and the server its runs are tracked on, behind a door."""

    project: Project
    elsewhere: Project
    people: Cast
    mlflow: Mlflow
    door: Door
    server: TrackingServer
    experiment: str


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mlflow]:
    with mlflow_server.running(tmp_path_factory.mktemp("mlflow")) as made:
        yield made


@pytest.fixture(scope="module")
def shared_place(mlflow: Mlflow, django_db_setup: None, django_db_blocker: Any) -> Iterator[Place]:
    with (
        mlflow_server.door(mlflow) as door,
        pytest.MonkeyPatch.context() as patch,
        django_db_blocker.unblock(),
        undone(),
    ):
        from django.conf import settings  # noqa: PLC0415 - not set up yet when this file is read

        patch.setattr(settings, "PORTAL_TRACKING_ALLOWED_NETWORKS", ["127.0.0.0/8"])
        # A machine that is busy with other tests answers late, and that is not what is tried here.
        patch.setattr(tracking_servers, "SECONDS", 60.0)
        patch.setattr(fetching, "READ_SECONDS", 60)
        here, there = project(), project()
        all_accounts()
        people = cast(here, there)
        made = tracking_servers.register(actor=people.admin.actor, name="credit", url=door.url)
        yield Place(here, there, people, mlflow, door, made, mlflow.experiment("credit risk"))


@pytest.fixture
def place(shared_place: Place, db: None) -> Iterator[Place]:
    yield shared_place
    shared_place.door.wanted = ""


@pytest.fixture
def made(place: Place) -> ModelVersion:
    return version(group(place.project, place.people))


def attach(place: Place, subject: ModelVersion, run_id: str) -> VersionRun:
    return runs.attach(actor=place.people.scientist.actor, version_id=subject.pk, run=run_id)


def outcome(subject: ModelVersion, path: str = "roc_auc", **more: Any) -> tuple[Outcome, str]:
    subject.refresh_from_db()
    (check,) = policies.checks(subject, Stage(subject.stage), needs(metric(path, **more)), (), _now())
    return check.outcome, check.detail


def _now() -> Any:
    from django.utils import timezone  # noqa: PLC0415 - as above

    return timezone.now()


def test_everything_a_run_says_is_read(place: Place, made: ModelVersion) -> None:
    run_id = place.mlflow.run(
        place.experiment,
        {"roc_auc": 0.81, "loss": "NaN", "huge": 1e300, "odd": "Infinity"},
        {"max_depth": "8", "note": "ä\u2028b"},
        {
            "mlflow.source.git.commit": "4f1c2d",
            "mlflow.source.name": "train.py",
            "mlflow.source.type": "LOCAL",
            "team": "credit",
        },
    )
    attach(place, made, run_id)
    made.refresh_from_db()
    reading = made.run_reading
    assert isinstance(reading, RunReading)
    assert reading.metrics == {"roc_auc": 0.81, "loss": "NaN", "huge": int(1e300), "odd": "Infinity"}
    assert reading.params == {"max_depth": "8", "note": "ä\u2028b"}
    assert (reading.git_commit, reading.source_name, reading.source_type) == ("4f1c2d", "train.py", "LOCAL")
    assert (reading.status, reading.lifecycle_stage, reading.name) == ("FINISHED", "active", "loud-fox-12")
    assert (reading.experiment_name, reading.user_name) == ("credit risk", "ana")
    assert reading.artifact_uri.endswith(f"{run_id}/artifacts")
    assert reading.tags["team"] == "credit"
    assert reading.ended_at is not None
    shown = tracking.run_of(place.people.scientist.actor, made)
    assert shown is not None
    assert shown.page_url == f"{place.door.url}/#/experiments/{place.experiment}/runs/{run_id}"
    # Read again it says the same: nothing new is kept, and nothing becomes outdated.
    runs.refresh(actor=place.people.scientist.actor, version_id=made.pk)
    assert RunReading.objects.filter(run__version=made).count() == 1
    point = gateway.metric_history(tracking_servers.asking(place.server), run_id, "roc_auc")
    assert [one.value for one in point] == [0.81]


def test_rules_are_judged_by_the_run_where_no_report_speaks(place: Place, made: ModelVersion) -> None:
    assert outcome(made)[0] is Outcome.MISSING
    attach(place, made, place.mlflow.run(place.experiment, {"roc_auc": 0.81, "loss": "NaN"}))
    said, words = outcome(made)
    assert said is Outcome.PASS
    assert "the MLflow run loud-fox-12" in words
    assert outcome(made, value=0.9)[0] is Outcome.FAIL
    assert outcome(made, path="loss")[0] is Outcome.FAIL
    assert outcome(made, path="other")[0] is Outcome.MISSING
    assert outcome(made, max_age_days=1)[0] is Outcome.PASS
    # What was tested at the stage counts before what was logged while training.
    StageRecord.objects.filter(version=made).update(validation_metrics={"roc_auc": 0.6})
    assert outcome(made)[0] is Outcome.FAIL


@pytest.mark.parametrize("status", ["RUNNING", "FAILED", "KILLED"])
def test_only_a_run_that_finished_counts(place: Place, made: ModelVersion, status: str) -> None:
    run_id = place.mlflow.run(place.experiment, {"roc_auc": 0.81}, status=status)
    run = attach(place, made, run_id)
    assert outcome(made)[0] is Outcome.MISSING
    assert run.is_settled is (status != "RUNNING")
    if status == "RUNNING":
        place.mlflow.log(run_id, {"roc_auc": 0.83})
        place.mlflow.end(run_id)
        VersionRun.objects.filter(pk=run.pk).update(tried_at=_now() - runs.SOON * 2)
        assert runs.read_due() == 1
        assert outcome(made)[0] is Outcome.PASS
        assert runs.read_due() == 0, "it is over: there is nothing more to read"
        assert list(RunReading.objects.filter(run=run).order_by("pk").values_list("status", flat=True)) == [
            "RUNNING",
            "FINISHED",
        ]


def test_an_approval_stands_on_what_was_read(place: Place, made: ModelVersion) -> None:
    people = place.people
    run_id = place.mlflow.run(place.experiment, {"roc_auc": 0.81}, {"max_depth": "8"})
    attach(place, made, run_id)
    approve_once(people, made)
    record = StageRecord.objects.get(version=made, stage=Stage.DEVELOPMENT)
    request = approvals.submit(actor=people.scientist.actor, subject_type=ModelVersion, subject_id=made.pk)
    place.mlflow.log(run_id, tags={"team": "somebody else's"})
    runs.refresh(actor=people.scientist.actor, version_id=made.pk)
    request.refresh_from_db()
    assert request.state == "open", "a note on the run says nothing of what is decided"
    # MLflow lets people log into a run that is over.
    place.mlflow.log(run_id, {"roc_auc": 0.99})
    runs.refresh(actor=people.scientist.actor, version_id=made.pk)
    request.refresh_from_db()
    record.refresh_from_db()
    assert request.state == "outdated"
    assert record.outdated_at is not None
    assert [change.field for change in moved_since(request)] == [f"evidence.mlflow_run {run_id}.metrics.roc_auc"]
    assert Finding.objects.standing().filter(version=made, kind="content_changed_after_approval").exists()
    assert RunReading.objects.filter(run__version=made).count() == 3
    place.mlflow.log(run_id, {"roc_auc": 0.81})
    runs.refresh(actor=people.scientist.actor, version_id=made.pk)
    record.refresh_from_db()
    assert record.outdated_at is None, "it is again what was approved"


def test_a_run_named_later_takes_nothing_back_and_another_or_none_does(place: Place, made: ModelVersion) -> None:
    people = place.people
    approve_once(people, made)
    record = StageRecord.objects.get(version=made, stage=Stage.DEVELOPMENT)
    request = approvals.submit(actor=people.scientist.actor, subject_type=ModelVersion, subject_id=made.pk)
    first = place.mlflow.run(place.experiment, {"roc_auc": 0.81})
    attach(place, made, first)
    request.refresh_from_db()
    record.refresh_from_db()
    assert (request.state, record.outdated_at) == ("outdated", None)
    approve_once(people, made)
    qa = StageRecord.objects.get(version=made, stage=Stage.QA)
    attach(place, made, place.mlflow.run(place.experiment, {"roc_auc": 0.82}))
    qa.refresh_from_db()
    assert qa.outdated_at is not None
    attach(place, made, first)
    qa.refresh_from_db()
    assert qa.outdated_at is None
    runs.detach(actor=people.scientist.actor, version_id=made.pk)
    qa.refresh_from_db()
    assert qa.outdated_at is not None
    assert outcome(made)[0] is Outcome.MISSING
    assert VersionRun.objects.filter(version=made).count() == 3, "what was named stays in the history"
    assert AuditEvent.objects.filter(table="registry_versionrun").exists()


def test_a_deleted_run_counts_no_more(place: Place, made: ModelVersion) -> None:
    run_id = place.mlflow.run(place.experiment, {"roc_auc": 0.81})
    attach(place, made, run_id)
    place.mlflow.ask("runs/delete", run_id=run_id)
    run = runs.refresh(actor=place.people.scientist.actor, version_id=made.pk)
    assert run.last_error == ""
    made.refresh_from_db()
    assert made.run_reading is not None
    assert made.run_reading.lifecycle_stage == "deleted"
    assert outcome(made)[0] is Outcome.MISSING


def test_a_silent_server_is_said_and_asked_again(
    place: Place, made: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking_servers, "SECONDS", 0.4)
    run_id = place.mlflow.run(place.experiment, {"roc_auc": 0.81})
    with place.mlflow.asleep():
        run = attach(place, made, run_id)
    assert "did not answer" in run.last_error
    assert run.failing_since is not None
    assert not run.is_settled
    assert outcome(made)[0] is Outcome.MISSING
    VersionRun.objects.filter(pk=run.pk).update(tried_at=_now() - runs.SOON * 2)
    monkeypatch.setattr(tracking_servers, "SECONDS", 60.0)
    assert runs.read_due() == 1
    run.refresh_from_db()
    assert (run.last_error, run.failing_since) == ("", None)
    assert outcome(made)[0] is Outcome.PASS
    # Gone altogether after it was read: what was read stands, and the page says since when.
    monkeypatch.setattr(tracking_servers, "asking", lambda server: _refused)
    failed = runs.refresh(actor=place.people.scientist.actor, version_id=made.pk)
    assert failed.failing_since is not None
    assert outcome(made)[0] is Outcome.PASS


def _refused(path: str, **_: Any) -> Any:
    raise ServerUnreachable("credit did not answer: the connection failed.")


def test_a_closed_port_is_unreachable(place: Place, made: ModelVersion) -> None:
    with mlflow_server.door(place.mlflow) as door:
        other = tracking_servers.register(actor=place.people.admin.actor, name="other", url=door.url)
        run_id = place.mlflow.run(place.experiment, {"roc_auc": 0.81})
        assert tracking_servers.try_out(actor=place.people.admin.actor, server_id=other.pk).check_error == ""
    assert (
        "the connection failed"
        in tracking_servers.try_out(actor=place.people.admin.actor, server_id=other.pk).check_error
    )
    run = runs.attach(actor=place.people.scientist.actor, version_id=made.pk, run=run_id, server="other")
    assert "the connection failed" in run.last_error


def test_the_token_or_password_is_shown_to_the_server_and_to_nobody_else(place: Place, made: ModelVersion) -> None:
    admin = place.people.admin.actor
    run_id = place.mlflow.run(place.experiment, {"roc_auc": 0.81})
    place.door.asks_for_token("s3cret-token")
    with pytest.raises(LoginRefused):
        gateway.get_run(tracking_servers.asking(place.server), run_id)
    changed = tracking_servers.edit(
        actor=admin, server_id=place.server.pk, revision=place.server.revision,
        login=TrackingLogin.TOKEN.value, secret="s3cret-token",
    )  # fmt: skip
    assert gateway.get_run(tracking_servers.asking(changed), run_id).metrics == {"roc_auc": 0.81}
    assert "s3cret-token" not in changed.secret
    place.door.asks_for_password("portal", "pass:word")
    changed = tracking_servers.edit(
        actor=admin, server_id=changed.pk, revision=changed.revision,
        login=TrackingLogin.BASIC.value, username="portal", secret="pass:word",
    )  # fmt: skip
    assert tracking_servers.try_out(actor=admin, server_id=changed.pk).check_error == ""
    assert tracking_servers.encrypt_anew(actor=admin) == 1
    changed.refresh_from_db()
    assert gateway.get_run(tracking_servers.asking(changed), run_id).run_id == run_id
    told = AuditEvent.objects.filter(table="registry_trackingserver").values_list("changes", flat=True)
    assert not any("s3cret" in str(one) or changed.secret in str(one) for one in told)
    with pytest.raises(StaleEdit):
        tracking_servers.edit(actor=admin, server_id=changed.pk, revision=1, name="later")
    # The secret stays with the host it was given for.
    with pytest.raises(InvalidInput) as refusal:
        tracking_servers.edit(
            actor=admin, server_id=changed.pk, revision=changed.revision, url="https://elsewhere.example.com"
        )
    assert set(refusal.value.errors) == {"secret"}
    place.door.asks_for_password("portal", "changed meanwhile")
    run = attach(place, made, run_id)
    assert "does not let the portal in" in run.last_error


def test_the_best_run_comes_first(place: Place) -> None:
    experiment = place.mlflow.experiment("best of")
    made = {
        auc: place.mlflow.run(experiment, {"auc": auc}, {"depth": str(depth)}, name=f"run-{depth}")
        for depth, auc in enumerate([0.7, 0.9, 0.8])
    }
    scientist = place.people.scientist.actor
    find = partial(tracking_search.best_runs, actor=scientist, server_id=place.server.pk)
    found = find(experiment="best of", order_by=["metrics.auc DESC"], most=2)
    assert [run.run_id for run in found.runs] == [made[0.9], made[0.8]]
    assert found.runs[0].params == {"depth": "1"}
    assert found.has_more
    assert find(experiment="best of", order_by=["auc"]).runs[0].run_id == made[0.9], "the largest comes first"
    found = find(experiment=experiment, order_by=["metrics.auc ASC"], filter_string="params.depth = '2'")
    assert [run.run_id for run in found.runs] == [made[0.8]]
    there = tracking_search.experiments(actor=scientist, server_id=place.server.pk)
    assert "best of" in [one.name for one in there]
    for field, wrong in {
        "experiment": {"experiment": "no such"},
        "order_by": {"order_by": ["metrics.auc; DROP"]},
        "filter": {"filter_string": "metrics.auc >> 3"},
        "most": {"most": 0},
    }.items():
        with pytest.raises(InvalidInput) as refusal:
            find(**{"experiment": "best of", "order_by": ["auc"], **wrong})
        assert set(refusal.value.errors) == {field}
    fetch = tracking_servers.asking(place.server)
    with pytest.raises(ExperimentUnknown):
        gateway.experiment_named(fetch, "no such")
    with pytest.raises(QuestionRefused, match="SIDEWAYS"):
        gateway.search_runs(fetch, experiment_id=experiment, order_by=["metrics.auc SIDEWAYS"])
    with pytest.raises(RunUnknown):
        gateway.get_run(fetch, "0" * 32)


def test_who_may_name_a_run_and_which(place: Place, made: ModelVersion) -> None:
    people = place.people
    run_id = place.mlflow.run(place.experiment, {"roc_auc": 0.81})
    for person in (people.officer, people.admin, people.auditor):
        with pytest.raises(Forbidden):
            runs.attach(actor=person.actor, version_id=made.pk, run=run_id)
    with pytest.raises(NotFound):
        runs.attach(actor=people.stranger.actor, version_id=made.pk, run=run_id)
    for wrong in ("../x", "0" * 32, f"https://elsewhere.example.com/#/experiments/1/runs/{run_id}"):
        with pytest.raises(InvalidInput):
            attach(place, made, wrong)
    with pytest.raises(NotFound):
        runs.detach(actor=people.scientist.actor, version_id=made.pk)
    runs.attach(
        actor=people.engineer.actor, version_id=made.pk,
        run=f"{place.door.url}/#/experiments/{place.experiment}/runs/{run_id}",
    )  # fmt: skip
    with pytest.raises(WrongState):
        attach(place, made, f"runs:/{run_id}/model")
    with pytest.raises(WrongState):
        tracking_servers.remove(actor=people.admin.actor, server_id=place.server.pk)
    # A server of other projects is none here.
    tracking_servers.edit(
        actor=people.admin.actor, server_id=place.server.pk, revision=place.server.revision, projects=[place.elsewhere]
    )
    other = version(group(place.project, people))
    with pytest.raises(InvalidInput):
        attach(place, other, run_id)
    assert not TrackingServer.objects.visible_to(people.scientist.actor).exists()
    assert TrackingServer.objects.visible_to(people.stranger.actor).exists()


def test_a_retired_version_keeps_its_run(place: Place, made: ModelVersion) -> None:
    run_id = place.mlflow.run(place.experiment, {"roc_auc": 0.81})
    attach(place, made, run_id)
    ModelVersion.objects.filter(pk=made.pk).update(missing_since=_now())
    for act in (runs.refresh, runs.detach):
        with pytest.raises(WrongState):
            act(actor=place.people.scientist.actor, version_id=made.pk)


def test_runs_that_metadata_names_are_recognised(place: Place) -> None:
    run_id = place.mlflow.run(place.experiment, {"roc_auc": 0.81})
    by_metadata = version(group(place.project, place.people), metadata={"mlflow.run_id": run_id})
    by_source = version(group(place.project, place.people), source_uri=f"runs:/{run_id}/model")
    for subject in (by_metadata, by_source):
        run = VersionRun.objects.get(version=subject)
        assert (run.run_id, run.attached_by_id, run.read_at) == (run_id, None, None)
        runs.read_run(run_id=run.pk)
        assert outcome(subject)[0] is Outcome.PASS
    assert not VersionRun.objects.filter(version=version(group(place.project, place.people))).exists()
