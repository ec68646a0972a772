"""What AWS shows in place confirms what was ordered there, and is found when it goes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import Q
from django.utils import timezone

from governance.choices import FindingKind, InPlace
from governance.models import StageEvent
from governance.selectors import endpoints as deployments
from governance.selectors import running
from portal.core.vocabulary import Stage, Status
from registry.choices import DeploymentState
from registry.models import AwsAccount, Deployment, ModelGroup, ModelVersion
from registry.services.deployments import region_of
from registry.sync import endpoints as reading
from tests.factories import at_stage
from tests.factories import version as new_version
from tests.factories.people import SYSTEM
from tests.factories.walk import approve_once
from tests.scene import settle

from .conftest import Place
from .serving_aws import TEST, Aws, look, model, open_ones, version_of
from .walking_by_hand import position

pytestmark = pytest.mark.django_db


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    fake = Aws()
    monkeypatch.setattr(reading, "aws", fake)
    return fake


def test_what_is_seen_in_place_confirms_its_order_and_is_found_when_it_goes(place: Place, aws: Aws) -> None:
    version = version_of(place)
    at_stage(place.people, version, Stage.PRODUCTION, Status.APPROVED)
    later = timezone.now() + timedelta(days=8)
    assert [one.subject for one in running.approved_not_deployed(later).holds] == [version]
    # A shadow answers nobody: nothing is live yet, and after the days allowed that is found.
    aws.serve("scores", model(version, is_shadow=True))
    look()
    ordered = Deployment.objects.get(version=version, stage=Stage.PRODUCTION)
    assert (ordered.state, position(version)) == (DeploymentState.ORDERED, "production/approved")
    assert len(running.approved_not_deployed(later).holds) == 1
    aws.serve("scores", model(version))
    look()
    ordered.refresh_from_db()
    assert (ordered.state, ordered.endpoint, position(version)) == ("deployed", "scores", "production/deployed")
    assert ordered.detail == "Seen serving in AWS at scores, variant main, in us-east-1."
    event = StageEvent.objects.filter(version=version).latest("pk")
    assert (event.verb, event.reason, event.actor) == ("deploy", ordered.detail, "sync")
    assert running.approved_not_deployed(later).holds == ()
    settle()
    written = StageEvent.objects.count()
    aws.described.append("")
    aws.serve("scores", model(version))
    look()
    assert StageEvent.objects.count() == written, "what is known is not written again"
    aws.records.clear()
    look()
    (missed,) = open_ones(FindingKind.APPROVED_NOT_DEPLOYED)
    assert "ran at scores" in missed.summary
    aws.serve("elsewhere", model(version))
    look()
    assert open_ones(FindingKind.APPROVED_NOT_DEPLOYED) == []


def test_a_lesser_share_beside_the_live_version_is_a_trial_until_it_takes_over(place: Place, aws: Aws) -> None:
    first = version_of(place)
    at_stage(place.people, first, Stage.PRODUCTION, Status.DEPLOYED)
    second = at_stage(place.people, new_version(first.group, 2), Stage.PRODUCTION)
    trial = Deployment.objects.get(version=second, stage=Stage.PRODUCTION)
    aws.serve("scores", model(first, "a", weight=0.9), model(second, "b", weight=0.1))
    look()
    trial.refresh_from_db()
    assert (trial.state, position(second)) == (DeploymentState.DEPLOYED, "production/pending")
    approve_once(place.people, second)
    look()
    assert (position(first), position(second)) == ("production/deployed", "production/approved")
    aws.described.append("")
    aws.serve("scores", model(first, "a", weight=0.5), model(second, "b", weight=0.5))
    look()
    assert (position(first), position(second)) == ("production/superseded", "production/deployed")
    assert Deployment.objects.get(version=first, stage=Stage.PRODUCTION).state == DeploymentState.REPLACED
    # What was superseded still serves, and that is no news.
    look()
    assert (position(first), position(second)) == ("production/superseded", "production/deployed")
    settle()


def test_a_reading_older_than_the_order_or_the_report_confirms_nothing(place: Place, aws: Aws) -> None:
    version = at_stage(place.people, version_of(place), Stage.QA)
    aws.serve("scores", model(version), account=TEST)
    look(TEST)
    order = Deployment.objects.get(version=version)
    assert order.state == DeploymentState.DEPLOYED
    later = timezone.now() + timedelta(hours=1)
    Deployment.objects.update(state=DeploymentState.FAILED, reported_at=later)
    look(TEST)
    order.refresh_from_db()
    assert order.state == DeploymentState.FAILED


def test_what_was_reported_and_aws_does_not_have_is_no_more_counted_as_running(place: Place, aws: Aws) -> None:
    version = at_stage(place.people, version_of(place), Stage.QA)
    reported = {"state": DeploymentState.DEPLOYED, "endpoint": "scores", "mode": "live"}
    Deployment.objects.update(**reported, reported_at=timezone.now())

    def stands() -> tuple[InPlace, dict[InPlace, int]]:
        (row,) = deployments.endpoints(SYSTEM).filter(version=version)
        found = deployments.counts(SYSTEM, Q(version=version))
        return InPlace(row.in_place), {word: total for word, total in found.items() if total}

    assert stands() == (InPlace.RUNS_UNAPPROVED, {InPlace.RUNS_UNAPPROVED: 1})
    look(TEST)
    assert stands() == (InPlace.GONE, {InPlace.GONE: 1})
    assert open_ones(FindingKind.RUNNING_UNAPPROVED) == []
    aws.serve("elsewhere", model(version), account=TEST)
    look(TEST)
    assert stands() == (InPlace.RUNS_UNAPPROVED, {InPlace.RUNS_UNAPPROVED: 1})
    assert len(open_ones(FindingKind.RUNNING_UNAPPROVED)) == 1


@pytest.mark.parametrize(
    ("regions", "ordered_to"), [(["us-east-1", "eu-west-1"], "eu-west-1"), (["us-east-1"], "us-east-1")]
)
def test_an_order_goes_where_the_package_lies_if_the_account_works_there(regions: list[str], ordered_to: str) -> None:
    version = ModelVersion(group=ModelGroup(region="eu-west-1"))
    assert region_of(version, AwsAccount(regions=regions)) == ordered_to
