"""A policy cell that asks for network isolation: on passes, off fails, and what nobody knows is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from governance.policies.facts import Outcome, ProvenanceFact, SubjectFacts
from governance.policies.rules import evaluate
from governance.policies.validation import problems_of_rule
from governance.selectors.provenance import TRAINING, Isolation, Licence
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


def licence(
    words: str = "Llama 3", said: str = "", accepted: bool | None = None, agreement: bool = True, known: bool = True
) -> Licence:
    return Licence(words, said, accepted, agreement, known, "How it was trained is not read yet.")


@pytest.mark.parametrize(
    ("told", "outcome", "actual", "detail"),
    [
        (
            licence(said="Llama 3 licence", accepted=True),
            Outcome.PASS,
            "Llama 3: Llama 3 licence, accepted",
            "Llama 3: Llama 3 licence, accepted, by its training job in SageMaker.",
        ),
        (
            licence(said="Apache-2.0", agreement=False),
            Outcome.PASS,
            "Llama 3: Apache-2.0, which has no agreement to accept",
            "Llama 3: Apache-2.0, which has no agreement to accept, by its training job in SageMaker.",
        ),
        (
            licence("", agreement=False),
            Outcome.PASS,
            "No model of a hub, so no licence to accept",
            "No model of a hub, so no licence to accept, by its training job in SageMaker.",
        ),
        (
            licence(accepted=False),
            Outcome.FAIL,
            "not accepted",
            "The licence agreement of Llama 3 was not accepted.",
        ),
        # An agreement that nobody said yes or no to, and a licence that nobody could read.
        (
            licence(said="Llama 3 licence"),
            Outcome.MISSING,
            "not known",
            "Whether the licence agreement of Llama 3 was accepted is not reported.",
        ),
        (
            licence(agreement=False),
            Outcome.MISSING,
            "not known",
            "Whether the licence agreement of Llama 3 was accepted is not reported.",
        ),
        (licence("", known=False), Outcome.MISSING, "not known", "How it was trained is not read yet."),
    ],
)
def test_a_licence_is_accepted_or_none_is_needed(told: Licence, outcome: Outcome, actual: str, detail: str) -> None:
    kind = Provenance.LICENCE_ACCEPTED
    facts = SubjectFacts(
        provenance=(ProvenanceFact(kind, told.holds, TRAINING),) if told.holds else (),
        licence=told.why_not,
        licence_refused=told.is_accepted is False,
    )
    [check] = evaluate(replace(needs(), provenance=(kind,)), facts, (), NOW)
    assert check.label == "Licence of the hub's model accepted"
    assert (check.outcome, check.actual, check.detail, check.threshold) == (outcome, actual, detail, "accepted")
