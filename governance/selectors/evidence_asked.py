"""Which evidence the policy asks for, and what a subject has of it."""

from __future__ import annotations

from dataclasses import dataclass

from portal.core.vocabulary import EvidenceKind, Stage
from registry.models import ModelVersion, UseCase

from ..policies.rules import NoRule
from . import policy as policies


@dataclass(frozen=True)
class Asked:
    """One kind of evidence the policy asks for, and where a subject has it, in words; `broken` is what is pointed at in
    vain, each with why."""

    kind: EvidenceKind
    has: tuple[str, ...]
    broken: tuple[str, ...] = ()


def asked_for(subject: UseCase | ModelVersion) -> list[Asked]:
    """Return the kinds of evidence the policy asks for where a subject stands, and which of them it has.

    Evidence the portal reads itself (card, reports, documents) counts as well; none where nothing is decided any more.
    """
    if subject.stage == Stage.RETIRED:
        return []
    try:
        needs = policies.requirements_for(subject, policies.in_force())
    except NoRule:
        return []
    found: dict[str, list[str]] = {}
    broken: dict[str, list[str]] = {}
    for fact in policies.facts_of(subject, Stage(subject.stage), with_quality=True).evidence:
        if fact.problem:
            broken.setdefault(fact.kind, []).append(f"{fact.reference} cannot be relied on: {fact.problem}")
        else:
            found.setdefault(fact.kind, []).append(fact.reference)
    return [Asked(kind, tuple(found.get(kind, ())), tuple(broken.get(kind, ()))) for kind in needs.evidence]
