"""Pure answers: facts in, answers out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from portal.core.vocabulary import EvidenceKind, Provenance, RiskClass, RiskRating, Role, Stage, SubjectKind

from . import metrics
from .engine import evidence_words, provenance_words
from .facts import (
    ApprovalNeed,
    Check,
    MetricRule,
    MetricsFact,
    ModelInScope,
    Outcome,
    OverrideFact,
    Requirements,
    Rule,
    SubjectFacts,
    Tier,
    UseCaseRisk,
    Vote,
)

_TIER_OF_CLASS: dict[RiskClass, RiskRating] = {
    RiskClass.UNCLASSIFIED: RiskRating.HIGH,
    RiskClass.UNACCEPTABLE: RiskRating.HIGH,
    RiskClass.HIGH: RiskRating.HIGH,
    RiskClass.LIMITED: RiskRating.MEDIUM,
    RiskClass.MINIMAL: RiskRating.LOW,
}
_WEIGHT = {RiskRating.LOW: 1, RiskRating.MEDIUM: 2, RiskRating.HIGH: 3}
# Of many references the first are named.
_NAMED = 3
# Of several reports the worst counts.
_GRAVITY = {Outcome.PASS: 0, Outcome.MISSING: 1, Outcome.FAIL: 2}


class NoRule(LookupError):
    """The policy has no cell for this kind, stage and tier: nothing can be asked for there."""


def tier_of_use_case(risk: UseCaseRisk) -> Tier:
    """Return the tier of a use case; unclassified counts as high until someone decides."""
    value = _TIER_OF_CLASS[risk.risk_class]
    if risk.risk_class is RiskClass.UNCLASSIFIED:
        return Tier(value, f"{risk.name} is not classified yet, which counts as high")
    return Tier(value, f"{risk.name} is classified {risk.risk_class.label.lower()}")


def tier_of_version(rating: RiskRating, use_cases: Iterable[UseCaseRisk]) -> Tier:
    """Return the higher of a model's own rating and its use cases' class; unknown counts as high."""
    if rating is RiskRating.UNKNOWN:
        own = Tier(RiskRating.HIGH, "the model's own rating is unknown, which counts as high")
    else:
        own = Tier(rating, f"the model card rates it {rating.label.lower()}")
    candidates = [*map(tier_of_use_case, use_cases), own]
    return max(candidates, key=lambda tier: _WEIGHT[tier.value])


def requirements(rules: Iterable[Rule], kind: SubjectKind, stage: Stage, tier: RiskRating) -> Requirements:
    """Return what a request needs. Raises NoRule."""
    for rule in rules:
        if (rule.kind, rule.stage, rule.tier) == (kind, stage, tier):
            return Requirements(
                rule.approvals,
                rule.days_until_due,
                rule.days_until_expiry,
                rule.evidence,
                rule.metrics,
                rule.provenance,
            )
    raise NoRule(f"The policy has no rule for {kind.label.lower()}s at {stage.label} with {tier.label.lower()} risk.")


def evaluate(
    needs: Requirements, facts: SubjectFacts, overrides: Sequence[OverrideFact], now: datetime
) -> tuple[Check, ...]:
    """Return one check for each kind of evidence, metric rule and provenance that is needed, in the policy's order.

    Missing is not zero: what is absent, null, no number, contradictory or too old never passes. An override sets a
    check that does not hold aside until it expires; one that holds stays as it is.
    """
    checks = [
        *(_evidence_check(kind, facts) for kind in needs.evidence),
        *(_metric_check(rule, facts, now) for rule in needs.metrics),
        *(_provenance_check(kind, facts) for kind in needs.provenance),
    ]
    return tuple(_overridden(check, overrides, now) for check in checks)


def _evidence_check(kind: EvidenceKind, facts: SubjectFacts) -> Check:
    found = [fact for fact in facts.evidence if fact.kind is kind]
    references = ", ".join(dict.fromkeys(fact.reference for fact in found if not fact.problem))
    broken = " ".join(
        dict.fromkeys(f"{fact.reference} cannot be relied on: {fact.problem}" for fact in found if fact.problem)
    )
    if references:
        outcome, detail = Outcome.PASS, f"{references}."
    elif broken:
        outcome, detail = Outcome.FAIL, f"{evidence_words(kind)}:"
    else:
        outcome, detail = Outcome.MISSING, f"{evidence_words(kind)}: not reported."
    return Check(
        key=f"evidence:{kind}",
        label=evidence_words(kind),
        outcome=outcome,
        detail=f"{detail} {broken}".strip(),
        actual=references or ("not readable" if broken else "not reported"),
        threshold="present",
    )


# What must be of how it was trained, and what is not so; of the rest it matters that it is known.
_STATES = {
    Provenance.NETWORK_ISOLATION: ("on", "off"),
    Provenance.LICENCE_ACCEPTED: ("accepted", "not accepted"),
}


def _provenance_check(kind: Provenance, facts: SubjectFacts) -> Check:
    found = [fact for fact in facts.provenance if fact.kind is kind]
    words = provenance_words(kind)
    how = _STATES.get(kind)
    if how and not found:
        why, is_not = (
            (facts.isolation, facts.isolation_off)
            if kind is Provenance.NETWORK_ISOLATION
            else (facts.licence, facts.licence_refused)
        )
        return Check(
            key=f"provenance:{kind}",
            label=words,
            outcome=Outcome.FAIL if is_not else Outcome.MISSING,
            detail=why,
            actual=how[1] if is_not else "not known",
            threshold=how[0],
        )
    references = ", ".join(dict.fromkeys(fact.reference for fact in found[:_NAMED]))
    if len(found) > _NAMED:
        references += f" and {len(found) - _NAMED} more"
    sources = " and ".join(dict.fromkeys(fact.source for fact in found))
    # Nobody asked is not the same as asked and not known: only the one may be mended by waiting.
    reason = facts.unread or "SageMaker's lineage and the version itself name none."
    return Check(
        key=f"provenance:{kind}",
        label=words,
        outcome=Outcome.PASS if found else Outcome.MISSING if facts.unread else Outcome.FAIL,
        detail=f"{references}, by {sources}." if found else f"{words}: not known. {reason}",
        actual=references or ("not read yet" if facts.unread else "not known"),
        threshold=how[0] if how else "known",
    )


def _metric_check(rule: MetricRule, facts: SubjectFacts, now: datetime) -> Check:
    name, needed = metrics.metric_words(rule), metrics.needed_words(rule)
    readings = _readings(rule, facts, now)
    if readings:
        reading, fact = max(readings, key=lambda pair: _GRAVITY[pair[0].outcome])
        said = f"{name} is {reading.actual}{f' in {fact.where}' if fact.where else ''}"
    else:
        reading = metrics.Reading(Outcome.MISSING, "not reported")
        said = f"{name} is not reported"
    why = _unreadable(rule, facts) if reading.outcome is Outcome.MISSING and metrics.asks_files(rule) else ()
    return Check(
        key=metrics.key_of(rule),
        label=metrics.metric_label(rule),
        outcome=reading.outcome,
        detail=" ".join((f"{said}, {reading.problem or needed}.", *why)),
        actual=reading.actual,
        threshold=metrics.threshold_of(rule).strip(),
    )


def _unreadable(rule: MetricRule, facts: SubjectFacts) -> tuple[str, ...]:
    return tuple(sentence for about, sentence in facts.unreadable if about == metrics.first_word(rule))


def _readings(rule: MetricRule, facts: SubjectFacts, now: datetime) -> list[tuple[metrics.Reading, MetricsFact]]:
    """Read a rule in every report of its kind; in what stands in for them only where none says anything of it.

    What nobody reported may stand in files that the portal read: in those that name it, and nowhere else. The MLflow
    run and SageMaker's model quality stand in: a rule must hold in both where both have the number.
    """
    found = [(metrics.read(rule, fact, now), fact) for fact in facts.metrics if fact.kind is rule.kind]
    in_files = [
        pair for pair in found if pair[1].is_of_file and not pair[1].is_bare and metrics.is_named(rule, pair[1])
    ]
    reported = [pair for pair in found if not (pair[1].is_of_run or pair[1].is_of_file)]
    if any(reading.outcome is not Outcome.MISSING for reading, _ in reported):
        return [*reported, *in_files]
    if in_files:
        return in_files
    standing_in = [pair for pair in found if pair[1].stands_in and pair[0].outcome is not Outcome.MISSING]
    return standing_in or reported


def _overridden(check: Check, overrides: Sequence[OverrideFact], now: datetime) -> Check:
    standing = [override for override in overrides if override.key == check.key and override.expires_at > now]
    if check.holds or not standing:
        return check
    last = max(standing, key=lambda override: override.expires_at)
    until = last.expires_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    return replace(
        check,
        outcome=Outcome.OVERRIDDEN,
        detail=f"{check.detail} Set aside by {last.reference} until {until} UTC.",
    )


def outstanding(needs: Sequence[ApprovalNeed], votes: Iterable[Vote]) -> tuple[ApprovalNeed, ...]:
    """Return the approvals still missing. A person counts once, in the role he gave his vote in."""
    given: Counter[Role] = Counter()
    seen: set[int] = set()
    for vote in votes:
        if vote.person not in seen:
            seen.add(vote.person)
            given[vote.role] += 1
    return tuple(
        ApprovalNeed(need.role, need.count - given[need.role]) for need in needs if given[need.role] < need.count
    )


def use_case_blockers(
    stage: Stage, risk: RiskClass, models: Sequence[ModelInScope], *, outdated: bool = False
) -> tuple[str, ...]:
    """Return, in plain words, everything that keeps an approved use case in its stage; empty when it may go on.

    An approval is `outdated` when the use case is no longer what it was given for.
    """
    if risk is RiskClass.UNACCEPTABLE:
        return ("Its risk is unacceptable: it can never leave POC.",)
    own = ("It is no longer what was approved here: its approval must be asked for anew.",) if outdated else ()
    if stage is Stage.POC:
        return (*own, "Its risk is not classified.") if risk is RiskClass.UNCLASSIFIED else own
    if not models:
        return (*own, "No model group is linked to it.")
    return own + tuple(
        f"No version of {model.group} is approved in {stage.label}"
        + (f" ({', '.join(model.waiting)})." if model.waiting else " (it has no version there).")
        for model in models
        if not model.approved
    )
