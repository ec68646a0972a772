"""The reading pass over lineage: what is due, what is kept, what a refusal leaves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from governance.selectors import policy as policies
from governance.selectors.provenance import Provenances
from governance.services.readings import Tally
from portal.core.actors import Actor
from portal.core.vocabulary import Provenance, Stage
from registry.aws import lineage as gateway
from registry.aws.errors import AwsDenied, AwsError, AwsThrottled
from registry.lineage.graph import LineageGraph
from registry.models import AwsAccount, ModelVersion, VersionLineage
from registry.services import accounts, lineage
from tests.factories import group, project, version

from . import graphs
from .graphs import vertex

pytestmark = pytest.mark.django_db
ACTOR = Actor.system("sync")
JOB = "arn:aws:sagemaker:us-east-1:111111111111:training-job/credit-risk-7"
KNOWN = graphs.graph(
    ("data", "job"),
    ("job", "start"),
    vertices=(vertex("data", source_uri="s3://bucket/train.csv"), vertex("job", "TrainingJob", source_uri=JOB)),
)
Read = Callable[[], LineageGraph | None]


@pytest.fixture
def one() -> ModelVersion:
    return version(group(project()))


def refusal(kind: type[AwsError], operation: str = "QueryLineage", code: str = "AccessDeniedException") -> AwsError:
    return kind(service="sagemaker", operation=operation, account_id="1" * 12, code=code, message="not allowed")


def go(monkeypatch: pytest.MonkeyPatch, one: ModelVersion, answer: LineageGraph | AwsError | None) -> Tally:
    """Run a pass in which SageMaker gives that answer of every version."""

    def read(session: Any, arn: str) -> LineageGraph | None:
        if isinstance(answer, AwsError):
            raise answer
        return answer

    monkeypatch.setattr(gateway, "read", read)
    tally = Tally()
    account = AwsAccount.objects.get(pk=one.group.account_id)
    lineage.read(ACTOR, account, accounts.reach(account, one.group.region), tally)
    return tally


def long_ago(one: ModelVersion, **since: int) -> None:
    VersionLineage.objects.filter(version=one).update(tried_at=timezone.now() - timedelta(**since))


def test_a_graph_is_kept_with_what_it_proves(monkeypatch: pytest.MonkeyPatch, one: ModelVersion) -> None:
    assert go(monkeypatch, one, KNOWN).created == 1
    row = one.aws_lineage
    assert (row.lineage, row.vertex_count, row.is_cut, row.problem) == (KNOWN, 3, False, "")
    assert row.facts == {"training_job": [JOB], "data_set": ["s3://bucket/train.csv"]}
    assert row.read_at is not None
    assert go(monkeypatch, one, KNOWN) == Tally(), "nothing is due"


def test_it_is_read_again_when_it_is_a_day_old_or_the_version_changed(
    monkeypatch: pytest.MonkeyPatch, one: ModelVersion
) -> None:
    go(monkeypatch, one, KNOWN)
    long_ago(one, hours=23)
    assert go(monkeypatch, one, KNOWN) == Tally()
    long_ago(one, hours=25)
    assert go(monkeypatch, one, KNOWN).unchanged == 1
    ModelVersion.objects.filter(pk=one.pk).update(aws_modified_at=timezone.now())
    assert go(monkeypatch, one, graphs.graph(("data", "start"))).updated == 1


def test_what_sagemaker_has_no_longer_stays_and_says_so(monkeypatch: pytest.MonkeyPatch, one: ModelVersion) -> None:
    go(monkeypatch, one, KNOWN)
    long_ago(one, days=2)
    assert go(monkeypatch, one, None).missing == 1
    row = VersionLineage.objects.get(version=one)
    assert (row.lineage, row.problem) == (KNOWN, lineage.GONE)
    assert row.missing_since is not None
    long_ago(one, days=2)
    assert go(monkeypatch, one, KNOWN).unchanged == 1
    again = VersionLineage.objects.get(pk=row.pk)
    assert (again.missing_since, again.problem) == (None, "")


def test_no_lineage_is_an_answer(monkeypatch: pytest.MonkeyPatch, one: ModelVersion) -> None:
    assert go(monkeypatch, one, None).unchanged == 1
    row = VersionLineage.objects.get(version=one)
    assert (row.graph, row.problem) == (None, "")
    assert row.read_at is not None


def test_one_version_that_cannot_be_read_is_named_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, one: ModelVersion
) -> None:
    go(monkeypatch, one, KNOWN)
    long_ago(one, days=2)
    (problem,) = go(monkeypatch, one, refusal(AwsDenied)).problems
    assert one.name in problem
    assert "not allowed" in problem
    row = VersionLineage.objects.get(version=one)
    assert (row.lineage, "not allowed" in row.problem) == (KNOWN, True)
    assert go(monkeypatch, one, KNOWN) == Tally()
    long_ago(one, hours=2)
    assert go(monkeypatch, one, KNOWN).unchanged == 1


def test_a_throttled_account_ends_the_pass_and_a_region_without_lineage_is_no_problem(
    monkeypatch: pytest.MonkeyPatch, one: ModelVersion
) -> None:
    with pytest.raises(AwsThrottled):
        go(monkeypatch, one, refusal(AwsThrottled))
    assert go(monkeypatch, one, refusal(AwsError, "ListArtifacts", "UnknownOperationException")) == Tally()
    assert not VersionLineage.objects.filter(version=one).exists()


def test_facts_are_told_only_when_asked_for_and_in_one_query(
    monkeypatch: pytest.MonkeyPatch, one: ModelVersion, django_assert_num_queries: Any
) -> None:
    ModelVersion.objects.filter(pk=one.pk).update(described={"MetadataProperties": {"CommitId": "4f2c1d9"}})
    one.refresh_from_db()
    assert policies.facts_of(one, Stage.QA).provenance == ()
    unread = policies.facts_of(one, Stage.QA, with_provenance=True)
    assert unread.unread == "Its lineage is not read yet."
    go(monkeypatch, one, KNOWN)
    found = policies.facts_of(one, Stage.QA, with_provenance=True)
    said = {(fact.kind, fact.reference) for fact in found.provenance}
    assert {(Provenance.DATA_SET, "s3://bucket/train.csv"), (Provenance.CODE_COMMIT, "4f2c1d9")} <= said
    assert found.unread == ""
    others = [version(group(project())) for _ in range(2)]
    known = Provenances([row.pk for row in others])
    with django_assert_num_queries(1):
        assert [known.of(row).read_at for row in others] == [None, None]
