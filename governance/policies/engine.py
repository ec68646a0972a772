"""Putting a request's state into plain words."""

from __future__ import annotations

from collections.abc import Sequence

from portal.core.vocabulary import EvidenceKind, Provenance, Role

from .facts import ApprovalNeed

_ARTICLE = {
    Role.DATA_SCIENTIST: "a data scientist",
    Role.MODEL_OWNER: "the model owner",
    Role.ML_ENGINEER: "an ML engineer",
    Role.GOVERNANCE_OFFICER: "a governance officer",
    Role.ML_ADMIN: "an ML admin",
    Role.AUDITOR: "an auditor",
}
_EVIDENCE = {
    EvidenceKind.TRANSPARENCY: "Transparency and explainability",
    EvidenceKind.MONITORING_PLAN: "Monitoring and evaluation",
}
_HOW_IT_IS = {
    Provenance.NETWORK_ISOLATION: "Network isolation of training on",
    Provenance.LICENCE_ACCEPTED: "Licence of the hub's model accepted",
}


def evidence_words(kind: EvidenceKind) -> str:
    """Name a kind of evidence in plain words: "Bias report"."""
    return _EVIDENCE.get(kind, kind.label)


def provenance_words(kind: Provenance) -> str:
    """Say what must be known of where a version comes from: "Training job known"."""
    # How a job ran is on or off, a licence is accepted or not; of the rest it matters that it is known.
    return _HOW_IT_IS.get(kind) or f"{kind.label} known"


def waiting_for(needs: Sequence[ApprovalNeed], missing: Sequence[ApprovalNeed]) -> str:
    """Say who a request waits for: "waiting for a governance officer (1 of 2)"; "" when for nobody."""
    wanted = {need.role: need.count for need in needs}
    parts = [
        f"{_ARTICLE[need.role]} ({wanted[need.role] - need.count + 1} of {wanted[need.role]})"
        if wanted[need.role] > 1
        else _ARTICLE[need.role]
        for need in missing
    ]
    return f"waiting for {' and '.join(parts)}" if parts else ""
