"""A policy cell that asks for network isolation: on passes, off fails, and what nobody knows is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from governance.policies.facts import Outcome, ProvenanceFact, SubjectFacts
from governance.policies.rules import evaluate
from governance.policies.validation import problems_of_rule
from governance.selectors.provenance import TRAINING, Isolation
from portal.core.vocabulary import Provenance

from .making import NOW, USE_CASE, cell, needs

ON = ProvenanceFact(Provenance.NETWORK_ISOLATION, "credit-7", TRAINING)


@pytest.mark.parametrize(
    ("training", "outcome", "actual", "detail"),
    [
        (
            Isolation("credit-7", True, "", True),
            Outcome.PASS,
            "credit-7",
            "credit-7, by its training job in SageMaker.",
        ),
        (
            Isolation("credit-7", False, "", True),
            Outcome.FAIL,
            "off",
            "The training job credit-7 ran without network isolation.",
        ),
        # A later refusal does not make it unknown: what was read stays.
        (
            Isolation("credit-7", False, "denied", True),
            Outcome.FAIL,
            "off",
            "The training job credit-7 ran without network isolation.",
        ),
        (Isolation("", None, "", False), Outcome.MISSING, "not known", "How it was trained is not read yet."),
        (
            Isolation("", None, "", True),
            Outcome.MISSING,
            "not known",
            "How it was trained is not known. No training job of it is known.",
        ),
        (
            Isolation("", None, "AWS denied it.", True),
            Outcome.MISSING,
            "not known",
            "How it was trained is not known. AWS denied it.",
        ),
    ],
)
def test_the_check_says_what_is_known(training: Isolation, outcome: Outcome, actual: str, detail: str) -> None:
    facts = SubjectFacts(
        provenance=(ON,) if training.is_on else (),
        isolation=training.why_not,
        isolation_off=training.is_on is False,
    )
    [check] = evaluate(replace(needs(), provenance=(Provenance.NETWORK_ISOLATION,)), facts, (), NOW)
    assert (check.key, check.label) == ("provenance:network_isolation", "Network isolation of training on")
    assert (check.outcome, check.actual, check.detail, check.threshold) == (outcome, actual, detail, "on")


def test_only_versions_can_be_asked_for_it() -> None:
    assert not problems_of_rule(cell(provenance=(Provenance.NETWORK_ISOLATION,))).get("provenance")
    assert problems_of_rule(cell(kind=USE_CASE, provenance=(Provenance.NETWORK_ISOLATION,)))["provenance"]
