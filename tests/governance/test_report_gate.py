"""A rule on a report from one end to the other: policy, what the data scientist is told, the decision, the gate."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse

from governance.choices import Verdict
from governance.policies.facts import MetricRule, Operator
from governance.selectors import policy as policy_selectors
from governance.services import approvals, gate, policies
from governance.services.readings import Tally
from portal.core.errors import WrongState
from portal.core.vocabulary import RiskRating, Stage, SubjectKind
from registry.models import ModelVersion
from registry.services import reports
from tests.factories import group, version
from tests.factories.people import SYSTEM
from tests.factories.walk import deciders
from tests.governance.conftest import Place
from tests.registry.reports.objects import Bucket

pytestmark = pytest.mark.django_db
SAID = (
    "bias.post_training.DI[gender] is 0.5 in the bias report (gender F) of 2026-03-01, between 0.8 and 1.25 is needed."
)


def ask_for_it(place: Place) -> None:
    admin = place.people.admin.actor
    draft = policies.draft(actor=admin, note="No disparate impact.")
    rule = MetricRule("bias.post_training.DI[gender]", Operator.BETWEEN, (0.8, 1.25))
    cell = next(
        one
        for one in policy_selectors.rules_of(draft)
        if (one.kind, one.stage, one.tier) == (SubjectKind.MODEL_VERSION, Stage.DEVELOPMENT, RiskRating.LOW)
    )
    draft = policies.set_rule(
        actor=admin, policy_id=draft.pk, revision=draft.revision, rule=replace(cell, metrics=(*cell.metrics, rule))
    )
    policies.publish(actor=admin, policy_id=draft.pk, revision=draft.revision)


def a_report(value: float) -> Bucket:
    facets = {"gender": [{"value_or_threshold": "F", "metrics": [{"name": "DI", "value": value}]}]}
    return Bucket({"bias.json": json.dumps({"post_training_bias_metrics": {"facets": facets}}).encode()})


def test_a_rule_on_a_report_blocks_until_the_report_says_otherwise(place: Place) -> None:
    ask_for_it(place)
    made = version(
        group(place.project, place.people), risk="Low", metrics={"Bias": {"Report": {"S3Uri": "s3://hub/bias.json"}}}
    )
    reports.read_version(SYSTEM, made, a_report(0.5), Tally())  # type: ignore[arg-type]

    client = Client()
    client.force_login(place.people.scientist)
    shown = client.get(reverse("governance:version_submit", args=[made.pk]))
    told = " ".join(shown.content.decode().split())
    assert SAID in told

    request = approvals.submit(actor=place.people.scientist.actor, subject_type=ModelVersion, subject_id=made.pk)
    decider = deciders(place.people, request)[0].actor
    with pytest.raises(WrongState) as refused:
        approvals.decide(actor=decider, request_id=request.pk, verdict=Verdict.APPROVE, comment="Fine.")
    assert SAID in str(refused.value)
    denied = gate.ask(place.people.engineer.actor, made.arn, "development", "222222222222")
    assert SAID in [reason.detail for reason in denied.reasons]

    reports.read_version(SYSTEM, made, a_report(0.95), Tally())  # type: ignore[arg-type]
    approvals.decide(actor=decider, request_id=request.pk, verdict=Verdict.APPROVE, comment="Fine.")
    allowed = gate.ask(place.people.engineer.actor, made.arn, "development", "222222222222")
    assert not [reason for reason in allowed.reasons if "DI" in reason.detail]
