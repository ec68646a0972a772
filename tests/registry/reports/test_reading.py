"""A pass over the reports of an account's versions: what is kept, read again, left alone, and told as wrong."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from governance.policies.facts import MetricRule, Operator, Outcome, Requirements
from governance.selectors import policy
from governance.selectors.evidence_asked import asked_for
from governance.services import intake
from governance.services.readings import Tally
from portal.core.operations import operation
from portal.core.vocabulary import EvidenceKind, Stage
from registry.models import AwsAccount, ModelVersion, VersionReport
from registry.services import reports, versions
from tests.factories import group, version_record
from tests.factories.people import SYSTEM
from tests.governance.conftest import Place
from tests.registry.reports.objects import Bucket

pytestmark = pytest.mark.django_db
BIAS = json.dumps({"pre_training_bias_metrics": {"facets": {"age": [{"metrics": [{"name": "CI", "value": 0.1}]}]}}})
SHAP = json.dumps({"explanations": {"kernel_shap": {"label0": {"global_shap_values": {"income": 0.5}}}}})


def at(key: str, **more: str) -> dict[str, str]:
    return {"ContentType": "application/json", "S3Uri": f"s3://hub/{key}", **more}


def a_version(place: Place, **sections: Any) -> ModelVersion:
    metrics = sections or {"Bias": {"Report": at("bias.json")}, "Explainability": {"Report": at("shap.json")}}
    of = group(place.project, place.people)
    with operation(SYSTEM):
        change = versions.take_in(actor=SYSTEM, group=of, record=version_record(of.arn, metrics=metrics))
        intake.absorb_version(SYSTEM, change)
    return ModelVersion.objects.get(pk=change.version.pk)


def point(version: ModelVersion, **sections: Any) -> None:
    version.metric_sources = sections
    with operation(SYSTEM):
        version.save(update_fields=["metric_sources"])


def read(bucket: Bucket, version: ModelVersion) -> Tally:
    tally = Tally()
    reports.read_version(SYSTEM, version, bucket, tally)  # type: ignore[arg-type]
    return tally


def row(version: ModelVersion, kind: str = "bias") -> VersionReport:
    return VersionReport.objects.get(version=version, kind=kind, replaced_at=None)


@pytest.fixture
def bucket() -> Bucket:
    return Bucket({"bias.json": BIAS.encode(), "shap.json": SHAP.encode()})


def test_a_pass_reads_every_version_of_the_account_and_region(place: Place, bucket: Bucket) -> None:
    version = a_version(place)
    tally = Tally()
    hub = AwsAccount.objects.get(account_id="111111111111")
    reports.read(SYSTEM, hub, bucket, tally)  # type: ignore[arg-type]
    assert (tally.created, tally.problems) == (2, [])
    found = row(version)
    assert found.content == json.loads(BIAS)
    assert (found.sha256, found.size) == (hashlib.sha256(BIAS.encode()).hexdigest(), len(BIAS))
    assert found.content_read_at == found.read_at
    assert found.counts
    bucket.account = type(bucket.account)("111111111111", "eu-west-1")
    elsewhere = Tally()
    reports.read(SYSTEM, hub, bucket, elsewhere)  # type: ignore[arg-type]
    assert (elsewhere.created, elsewhere.unchanged) == (0, 0)


def test_what_did_not_change_is_only_looked_at(place: Place, bucket: Bucket) -> None:
    version = a_version(place)
    read(bucket, version)
    first, taken = row(version), bucket.read
    assert read(bucket, version).unchanged == 2
    again = row(version)
    assert bucket.read == taken
    assert again.read_at > first.read_at
    assert again.content_read_at == first.content_read_at

    bucket.objects["bias.json"] = BIAS.replace("0.1", "0.2").encode()
    tally = read(bucket, version)
    assert (tally.updated, tally.unchanged) == (1, 1)
    assert row(version).content_etag != first.content_etag


def test_one_file_for_two_reports_is_read_once(place: Place, bucket: Bucket) -> None:
    version = a_version(place, Bias={"PreTrainingReport": at("bias.json"), "PostTrainingReport": at("bias.json")})
    assert read(bucket, version).created == 2
    assert bucket.calls == ["HeadObject", "GetObject"]


def test_a_pointer_that_moved_leaves_what_was_read_and_may_come_back(place: Place, bucket: Bucket) -> None:
    version = a_version(place)
    read(bucket, version)
    bucket.objects["new.json"] = BIAS.encode()
    point(version, Bias={"Report": at("new.json")})
    tally = read(bucket, version)
    assert (tally.created, tally.missing) == (1, 2)
    old = VersionReport.objects.get(version=version, address="s3://hub/bias.json")
    assert old.replaced_at is not None
    assert (old.content, old.counts) == (json.loads(BIAS), False)
    point(version, Bias={"Report": at("bias.json")})
    read(bucket, version)
    assert row(version).pk == old.pk


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b'{"pre_training_', "truncated"),
        (b"oops", "not_json"),
        (b'{"violations": []}', "wrong_type"),
        (None, "missing"),
    ],
)
def test_what_can_be_read_no_more_keeps_what_it_said(
    place: Place, bucket: Bucket, data: bytes | None, problem: str
) -> None:
    version = a_version(place)
    read(bucket, version)
    if data is None:
        del bucket.objects["bias.json"]
    else:
        bucket.objects["bias.json"] = data
    assert read(bucket, version).problems == []
    found = row(version)
    assert (found.problem, found.content, found.counts) == (problem, json.loads(BIAS), False)
    assert found.trouble
    assert row(version, "explainability").counts
    bucket.objects["bias.json"] = BIAS.encode()
    read(bucket, version)
    mended = row(version)
    assert (mended.problem, mended.sentence, mended.counts) == ("", "", True)


def test_a_report_that_is_too_large_was_never_read(place: Place, bucket: Bucket) -> None:
    version = a_version(place, Bias={"Report": at("bias.json")})
    bucket.sizes["bias.json"] = 200 * 1024 * 1024
    read(bucket, version)
    found = row(version)
    assert (found.problem, found.content, found.content_read_at) == ("too_large", None, None)
    assert bucket.read == 0


def test_what_could_not_be_reached_stays_as_it_was_and_is_told_by_the_pass(place: Place, bucket: Bucket) -> None:
    version = a_version(place)
    read(bucket, version)
    before = row(version)
    bucket.refusals["bias.json"] = "unreachable"
    tally = read(bucket, version)
    assert len(tally.problems) == 1
    assert tally.problems[0].startswith(f"{version.name}: Bias report at s3://hub/bias.json.")
    assert row(version).read_at == before.read_at
    assert row(version).counts


def test_the_digest_the_package_gives_is_compared(place: Place, bucket: Bucket) -> None:
    right = hashlib.sha256(BIAS.encode()).hexdigest()
    version = a_version(
        place,
        Bias={"Report": at("bias.json", ContentDigest=f"sha256:{right}")},
        Explainability={"Report": at("shap.json", ContentDigest="sha256:" + "a" * 64)},
    )
    read(bucket, version)
    assert (row(version).is_altered, row(version).counts) == (False, True)
    other = row(version, "explainability")
    assert (other.is_altered, other.counts, other.problem) == (True, False, "")
    assert "not the report that was registered" in other.trouble


def test_a_rule_of_policy_rests_on_what_was_read(place: Place, bucket: Bucket) -> None:
    version = a_version(place)
    rule = MetricRule("bias.pre_training.CI[age]", Operator.AT_MOST, 0.2)
    needs = Requirements((), 5, 30, (EvidenceKind.BIAS_REPORT,), (rule,))
    named, before = policy.checks(version, Stage.DEVELOPMENT, needs)
    assert (named.outcome, before.outcome) == (Outcome.PASS, Outcome.MISSING)
    read(bucket, version)
    named, after = policy.checks(version, Stage.DEVELOPMENT, needs)
    assert (named.outcome, after.outcome, after.actual) == (Outcome.PASS, Outcome.PASS, "0.1")

    bucket.objects["bias.json"] = b"<html>"
    read(bucket, version)
    named, after = policy.checks(version, Stage.DEVELOPMENT, needs)
    assert (named.outcome, after.outcome) == (Outcome.FAIL, Outcome.MISSING)
    for check in (named, after):
        assert "s3://hub/bias.json cannot be relied on: It is an HTML page" in check.detail
    version.stage = Stage.DEVELOPMENT
    assert not any(one.has for one in asked_for(version) if one.kind is EvidenceKind.BIAS_REPORT)


def test_model_quality_is_validation_where_nobody_reported_any(place: Place) -> None:
    quality = {"binary_classification_metrics": {"auc": {"value": 0.8}}}
    version = a_version(place, ModelQuality={"Statistics": at("quality.json")})
    read(Bucket({"quality.json": json.dumps(quality).encode()}), version)
    needs = Requirements((), 5, 30, (EvidenceKind.VALIDATION_METRICS,), (MetricRule("auc", Operator.AT_LEAST, 0.75),))
    there, auc = policy.checks(version, Stage.QA, needs)
    assert (there.outcome, auc.outcome, auc.actual) == (Outcome.PASS, Outcome.PASS, "0.8")
    assert there.actual.endswith("SageMaker's model quality statistics at s3://hub/quality.json")
