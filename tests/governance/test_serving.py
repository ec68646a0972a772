"""What AWS shows to be serving against what is approved: one verdict for each model, in Python and in the database."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from django.utils import timezone

from governance.choices import FindingKind, Severity
from governance.selectors import served
from governance.services import retirement, review
from governance.serving_words import Serves
from portal.core.errors import WrongState
from portal.core.vocabulary import Stage, Status
from registry.aws.errors import AwsDenied, AwsNotFound, AwsThrottled
from registry.choices import DeploymentState, SyncState
from registry.models import AwsAccount, Deployment, Endpoint, EndpointVariant, ModelVersion
from registry.sync import endpoints as reading
from tests.factories import at_stage
from tests.factories.people import SYSTEM

from .conftest import Place
from .serving_aws import (
    DEVELOPMENT,
    NOW,
    PRODUCTION,
    TEST,
    Aws,
    look,
    model,
    open_ones,
    refused,
    verdicts,
    version_of,
)

GONE = ("rejected", "retired")


def expected(serving: bool, names: str, governed: bool, retired: bool, status: str, trial: bool) -> Serves:
    """The verdict in words of the requirement, written apart from the rules."""
    if not serving:
        return Serves.NOT_SERVING
    if names != "version":
        return Serves.UNREADABLE if names == "unread" else Serves.UNKNOWN
    if retired or (governed and status in GONE):
        return Serves.REJECTED
    if not governed:
        return Serves.FREE
    if status in ("approved", "deployed", "superseded"):
        return Serves.APPROVED
    return Serves.TRIAL if status == "pending" and trial else Serves.UNAPPROVED


STATUSES = ["", *(status.value for status in Status)]
CASES = list(
    product([True, False], ["version", "unknown", "unread"], [True, False], [True, False], STATUSES, [True, False])
)


def test_every_combination_of_what_is_observed_and_recorded() -> None:
    for serving, names, governed, retired, status, trial in CASES:
        found = served.judged(
            is_serving=serving,
            names=names,
            is_governed=governed,
            is_retired=retired,
            record_status=status,
            is_trial=trial,
        )
        assert found is expected(serving, names, governed, retired, status, trial), (serving, names, status, trial)
    assert {expected(*case) for case in CASES} == set(Serves)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    fake = Aws()
    monkeypatch.setattr(reading, "aws", fake)
    return fake


pytestmark = pytest.mark.django_db


def test_the_database_judges_as_the_rules_do(place: Place, aws: Aws) -> None:
    pending, approved, unknown = version_of(place), version_of(place), version_of(place)
    at_stage(place.people, approved, Stage.PRODUCTION, Status.APPROVED)
    at_stage(place.people, pending, Stage.QA)
    trial = Serves.TRIAL  # the QA stage is ordered as a trial beside what is live
    by_account: dict[str, list[Serves]] = {
        PRODUCTION: [Serves.APPROVED, Serves.UNAPPROVED, Serves.UNAPPROVED, Serves.UNAPPROVED],
        TEST: [Serves.APPROVED, trial, trial, Serves.UNAPPROVED],
        DEVELOPMENT: [Serves.FREE] * 4,
    }
    for account, first in by_account.items():
        aws.records.clear()
        aws.serve(
            "scores",
            model(approved, "a"),
            model(pending, "b"),
            model(pending, "s", is_shadow=True),
            model(unknown, "c"),
            model(None, "d"),
            model(None, "e", facts={"problem": "denied"}),
            model(None, "f", model_name=""),
            account=account,
        )
        aws.serve("broken", model(approved), account=account, status="Failed")
        look(account)
        rows = list(served.served(SYSTEM).filter(endpoint__account__account_id=account).order_by("pk"))
        assert len(rows) == 8
        for row in rows:
            assert row.verdict == served.judged(
                is_serving=row.is_serving,
                names=row.names,
                is_governed=row.is_governed,
                is_retired=row.is_retired,
                record_status=row.record_status,
                is_trial=row.is_trial,
            )
        rest = [Serves.UNKNOWN, Serves.UNREADABLE, Serves.NOT_SERVING, Serves.NOT_SERVING]
        assert [row.verdict for row in rows] == [*first, *rest]


def test_what_did_not_change_is_not_described_and_what_is_gone_is_marked(place: Place, aws: Aws) -> None:
    version = version_of(place)
    aws.serve("a", model(version))
    aws.serve("b", model(version), model(version, "new"))
    first = look()
    assert (first.state, first.created, first.unchanged) == (SyncState.SUCCEEDED, 2, 0)
    read_at = Endpoint.objects.get(name="a").read_at
    again = look()
    assert (again.created, again.updated, again.unchanged) == (0, 0, 2)
    assert aws.described == ["a", "b"]
    assert Endpoint.objects.get(name="a").read_at > read_at
    aws.serve("b", model(version))
    del aws.records["a"]
    third = look()
    assert (third.updated, third.missing) == (1, 1)
    assert Endpoint.objects.get(name="a").missing_since is not None
    assert EndpointVariant.objects.get(name="new").missing_since is not None
    assert [row.endpoint.name for row in served.served(SYSTEM)] == ["b"]
    aws.serve("a", model(version))
    look()
    assert Endpoint.objects.get(name="a").missing_since is None


def test_what_aws_does_not_answer_takes_nothing_away(place: Place, aws: Aws) -> None:
    aws.serve("a", model(version_of(place)))
    look()
    aws.stops = refused(AwsDenied, "no listing")
    run = look()
    assert run.state == SyncState.FAILED
    assert "no listing" in run.error
    assert Endpoint.objects.get().missing_since is None
    aws.stops = None
    aws.records["b"] = refused(AwsDenied, "no describing")
    aws.records["c"] = refused(AwsNotFound, "gone meanwhile")
    run = look()
    assert run.state == SyncState.FAILED
    assert "Endpoint b could not be read" in run.error
    assert "gone meanwhile" not in run.error
    assert Endpoint.objects.get().missing_since is None
    del aws.records["a"]
    aws.records["d"] = refused(AwsThrottled)
    assert look().missing == 0
    assert Endpoint.objects.get().missing_since is None


def test_what_was_known_of_a_model_stays_when_it_is_deleted(place: Place, aws: Aws) -> None:
    version = version_of(place)
    aws.serve("a", model(version, facts={"network_isolation": True}))
    look()
    aws.described.append("")
    aws.serve("a", model(None, facts={"found": False}))
    look()
    row = EndpointVariant.objects.get()
    assert (row.version_id, row.network_isolation, row.model_found) == (version.pk, True, False)


def test_a_configuration_that_is_gone_says_what_it_said(place: Place, aws: Aws) -> None:
    version = version_of(place)
    aws.serve("a", model(version), model(version, "b", weight=0.2))
    look()
    aws.described.append("")
    gone = {"found": False, "package_arn": ""}
    aws.serve("a", model(None, model_name="", facts=gone, weight=0.7), model(None, "b", model_name="", facts=gone))
    assert look().updated == 1
    assert [(row.version_id, row.model_name, row.weight) for row in EndpointVariant.objects.order_by("name")] == [
        (version.pk, "model", 1.0),
        (version.pk, "model", 0.7),
    ]
    assert verdicts() == [Serves.UNAPPROVED] * 2
    assert open_ones(FindingKind.UNKNOWN_MODEL_RUNNING) == []


def test_what_an_update_brings_up_and_a_component_that_failed(place: Place, aws: Aws) -> None:
    version = version_of(place)
    for count, verdict in ((0, Serves.NOT_SERVING), (1, Serves.UNAPPROVED)):
        aws.described.append("")
        coming = model(version, instance_count=count, is_pending=True)
        aws.serve("a", model(None, model_name="old"), coming, status="Updating")
        look()
        assert verdicts() == [Serves.UNKNOWN, verdict]
        assert len(open_ones(FindingKind.RUNNING_UNAPPROVED)) == count
    aws.serve("a", model(version, inference_component="c", component_status="Failed"))
    look()
    assert verdicts() == [Serves.NOT_SERVING]
    assert open_ones(FindingKind.RUNNING_UNAPPROVED) == open_ones(FindingKind.UNKNOWN_MODEL_RUNNING) == []


def test_a_version_registered_later_is_linked(place: Place, aws: Aws) -> None:
    version = version_of(place)
    aws.serve("a", model(None, facts={"package_arn": version.arn + "7"}))
    look()
    assert verdicts() == [Serves.UNKNOWN]
    (finding,) = open_ones(FindingKind.UNKNOWN_MODEL_RUNNING)
    assert finding.severity == Severity.CRITICAL
    assert finding.account is not None
    assert finding.account.account_id == PRODUCTION
    EndpointVariant.objects.update(package_arn=version.arn)
    look()
    assert EndpointVariant.objects.get().version == version
    assert open_ones(FindingKind.UNKNOWN_MODEL_RUNNING) == []


def test_an_unknown_model_where_things_are_tried_is_a_warning(place: Place, aws: Aws) -> None:
    aws.serve("a", model(None), model(None, "b"), account=DEVELOPMENT)
    look(DEVELOPMENT)
    (finding,) = open_ones(FindingKind.UNKNOWN_MODEL_RUNNING)
    assert finding.severity == Severity.WARNING
    assert "and 1 more" in finding.summary


def test_report_and_observation_are_one_finding(place: Place, aws: Aws) -> None:
    version = version_of(place)
    at_stage(place.people, version, Stage.QA)
    Deployment.objects.filter(version=version).update(
        state=DeploymentState.DEPLOYED, mode="live", endpoint="scores", reported_at=NOW - timedelta(days=1)
    )
    review.review_all(actor=SYSTEM)
    (reported,) = open_ones(FindingKind.RUNNING_UNAPPROVED)
    assert "observed" not in reported.evidence
    aws.serve("scores", model(version, "a"), model(version, "b"), account=TEST)
    look(TEST)
    (observed,) = open_ones(FindingKind.RUNNING_UNAPPROVED)
    assert (observed.pk, observed.evidence["observed"]) == (reported.pk, True)
    assert "scores, variant a; scores, variant b" in observed.summary
    # AWS has it no more: the report, which is older, says nothing against that.
    aws.records.clear()
    look(TEST)
    assert open_ones(FindingKind.RUNNING_UNAPPROVED) == []
    # Somebody reports it again, later than the last reading.
    Deployment.objects.filter(version=version).update(reported_at=timezone.now())
    review.review_all(actor=SYSTEM)
    assert len(open_ones(FindingKind.RUNNING_UNAPPROVED)) == 1


def test_a_retired_version_that_serves_is_found_and_its_retirement_names_the_endpoint(place: Place, aws: Aws) -> None:
    version = version_of(place)
    aws.serve("notebook", model(version), account=DEVELOPMENT)
    look(DEVELOPMENT)
    officer = place.people.officer.actor
    with pytest.raises(WrongState, match="notebook"):
        retirement.retire(actor=officer, subject_type=ModelVersion, subject_id=version.pk, reason="Old.")
    retirement.retire(actor=officer, subject_type=ModelVersion, subject_id=version.pk, reason="Old.", force=True)
    assert verdicts() == [Serves.REJECTED]
    (finding,) = open_ones(FindingKind.RUNNING_REJECTED)
    assert "notebook, variant main" in finding.summary


def test_who_sees_what_serves(place: Place, aws: Aws) -> None:
    aws.serve("scores", model(version_of(place)), model(None, "b"))
    aws.serve("stray", model(None))
    look()
    seen = {
        name: (
            sorted(str(row) for row in Endpoint.objects.visible_to(who.actor)),
            EndpointVariant.objects.visible_to(who.actor).count(),
        )
        for name, who in (("scientist", place.people.scientist), ("stranger", place.people.stranger))
    }
    assert seen == {"scientist": (["scores"], 2), "stranger": (["stray"], 1)}
    assert AwsAccount.objects.count() > 0
    assert Endpoint.objects.visible_to(SYSTEM).count() == 2
