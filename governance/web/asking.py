"""What an approval takes, as pages say it: each thing that is asked for beside the page where one brings it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from django.urls import reverse

from portal.core.actors import Actor
from portal.core.permissions import Act, may, may_anywhere
from portal.core.vocabulary import Provenance, RiskClass, Stage, Status
from registry.choices import DocumentKind
from registry.models import ModelVersion, UseCase

from ..choices import EvidenceKind
from ..models import Evidence
from ..policies.facts import Check
from ..selectors import standing
from ..selectors.standing import is_outdated_here
from ..services import approvals, evidence, outlook
from ..services.outlook import Block, Obstacle, Signature
from .wording import check_lines, needs_words, request_url

Subject = UseCase | ModelVersion
_LINK = dict[str, str]
# More names than these say no more than how many there are.
_NAMED = 4


def asking(actor: Actor, subject: Subject, *, later: bool = False, brief: bool = False) -> dict[str, Any]:
    """Return what asking for approval of a subject would take, and why it cannot be asked for now.

    A `brief` answer is for where the whole of it is a page away.
    """
    seen = outlook.outlook(actor, subject, later=later, brief=brief)
    stage = seen.stage
    return {
        "seen": seen,
        "refusal": seen.refusal,
        "needs": needs_words(seen.approvals) if seen.approvals else "",
        "checks": () if brief else check_items(actor, subject, seen.checks),
        "unmet": [check.label for check in seen.unmet],
        "signatures": signature_items(seen.signatures),
        "tier": seen.tier,
        "tier_fix": _classify(actor, subject),
        "stage": stage,
        "later": [
            {
                "stage": one.stage,
                "needs": needs_words(one.approvals),
                "unmet": [check.label for check in one.checks if not check.holds],
                "met": sum(1 for check in one.checks if check.holds),
                "total": len(one.checks),
            }
            for one in seen.later
        ],
        "again": subject.status == Status.REJECTED,
        "may": may(actor, Act.SUBMIT, subject.scope_project_id),
    }


def check_items(
    actor: Actor, subject: Subject, checks: Iterable[Check], proofs: Sequence[Evidence] = ()
) -> list[dict[str, Any]]:
    """Return checks as the checklist takes them, each with where to read its evidence or where to bring it."""
    checks, mend = list(checks), _Mend(actor, subject)
    return [
        {**line, **(_proof(subject, check, proofs) if check.holds else mend.check(check))}
        for line, check in zip(check_lines(checks), checks, strict=True)
    ]


def block_items(actor: Actor, subject: Subject, blocks: Iterable[Block]) -> list[dict[str, Any]]:
    """Return what keeps a subject where it is, each with the page where this person can do something about it."""
    mend = _Mend(actor, subject)
    return [{"text": block.text, "hint": _who(block), **mend.block(block)} for block in blocks]


def signature_items(signatures: Iterable[Signature]) -> list[dict[str, Any]]:
    """Return who must sign, how many have, and in words who could: "Olga Officer or Sam Second"."""
    return [
        {
            "role": signature.role,
            "count": signature.count,
            "given": signature.given,
            "is_missing": signature.is_missing,
            "could": _names(signature),
        }
        for signature in signatures
    ]


def _who(block: Block) -> str:
    """Say who could take a missing signature out of the way."""
    if block.obstacle is not Obstacle.SIGNATURE or block.request is None:
        return ""
    missing = [signature for signature in outlook.signatures_of(block.request) if signature.is_missing]
    named = [names for signature in missing if (names := _names(signature))]
    return f"Could sign: {'; '.join(named)}." if named else "Nobody who may sign is left here."


def _names(signature: Signature) -> str:
    names = [
        f"{signer.person} for {signer.in_the_name_of}" if signer.in_the_name_of else str(signer.person)
        for signer in signature.could
    ]
    shown, rest = names[:_NAMED], len(names) - _NAMED
    if rest > 0:
        return f"{', '.join(shown)} or {rest} other{'s' if rest > 1 else ''}"
    return " or ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def _kind_of(check: Check) -> str:
    name, _, kind = check.key.partition(":")
    return kind if name == "evidence" else ""


def _proof(subject: Subject, check: Check, proofs: Sequence[Evidence]) -> _LINK:
    """Return where what a check rests on is to be read."""
    kind = _kind_of(check)
    found = next((row for row in proofs if row.kind == kind), None)
    if found is not None:
        return {"url": reverse("governance:evidence", args=[found.pk]), "link_label": f"Read {found.public_id}"}
    if isinstance(subject, UseCase):
        return {}
    if kind == EvidenceKind.MODEL_CARD:
        return {"url": reverse("registry:version_card", args=[subject.pk]), "link_label": "Read the card"}
    if kind in (EvidenceKind.BIAS_REPORT, EvidenceKind.EXPLAINABILITY_REPORT):
        return {"url": reverse("registry:version_bias", args=[subject.pk]), "link_label": "See the report"}
    if where := _origin(subject, check):
        return where
    if check.key.startswith("metric:") or kind == EvidenceKind.VALIDATION_METRICS:
        return {"url": reverse("registry:version_metrics", args=[subject.pk]), "link_label": "See the metrics"}
    return {}


def _origin(version: ModelVersion, check: Check) -> _LINK:
    """Return where it is told what is known of where a version comes from: nobody can bring that by hand."""
    name, _, kind = check.key.partition(":")
    if name == "metric" and kind.startswith("training."):
        kind = Provenance.TRAINING_JOB
    elif name != "provenance":
        return {}
    if kind in (Provenance.TRAINING_JOB, Provenance.NETWORK_ISOLATION, Provenance.LICENCE_ACCEPTED):
        return {"url": reverse("registry:version_training", args=[version.pk]), "link_label": "See its training"}
    return {"url": reverse("registry:version_lineage", args=[version.pk]), "link_label": "See its lineage"}


class _Mend:
    """Where one person can bring what a subject misses, or take away what blocks it; nothing where others must."""

    def __init__(self, actor: Actor, subject: Subject) -> None:
        self.actor, self.subject = actor, subject

    def check(self, check: Check) -> _LINK:
        """Return where this person can bring what a check misses."""
        actor, subject, kind = self.actor, self.subject, _kind_of(check)
        if isinstance(subject, ModelVersion) and (where := _origin(subject, check)):
            return where
        is_measured = check.key.startswith("metric:") and not check.key.startswith("metric:monitoring:")
        if isinstance(subject, ModelVersion) and (is_measured or kind == EvidenceKind.VALIDATION_METRICS):
            return self._reporting
        if not kind:
            return {}
        if isinstance(subject, UseCase) and kind in set(DocumentKind):
            if not may(actor, Act.EDIT_USE_CASE, subject.project_id):
                return {}
            address = reverse("registry:use_case_documents", args=[subject.number])
            return {"url": f"{address}#id_{kind}", "link_label": "Write it"}
        if evidence.attaching_refusal(actor, subject):
            return {}
        name, key = ("use_case", subject.number) if isinstance(subject, UseCase) else ("version", subject.pk)
        address = reverse(f"governance:{name}_attach", args=[key])
        return {"url": f"{address}?kind={kind}", "link_label": "Attach it"}

    def block(self, block: Block) -> _LINK:
        """Return where this person can do something about what blocks the subject."""
        actor, subject = self.actor, self.subject
        match block.obstacle:
            case Obstacle.CHECK if block.check is not None:
                return self.check(block.check)
            case Obstacle.UNCLAIMED if isinstance(subject, ModelVersion) and may_anywhere(actor, Act.EDIT_GROUP):
                return {"url": reverse("registry:group_edit", args=[subject.group_id]), "link_label": "Claim it"}
            case Obstacle.REFUSED:
                return _classify(actor, subject)
            case Obstacle.NOT_ASKED if may(actor, Act.SUBMIT, subject.scope_project_id):
                words = "Submit it again" if subject.status == Status.REJECTED else "Ask for it"
                return {"url": _submit_url(subject), "link_label": words}
            case Obstacle.SIGNATURE | Obstacle.CHANGED if block.request is not None:
                mine = not approvals.refusal_for(actor, block.request)
                return {"url": request_url(block.request), "link_label": "Decide" if mine else "Open the request"}
            case Obstacle.MODEL if isinstance(subject, UseCase):
                return _of_models(subject)
        return {}

    @cached_property
    def _reporting(self) -> _LINK:
        # Several checks ask for metrics, all on the same record.
        version = self.subject
        if not isinstance(version, ModelVersion) or not may(self.actor, Act.REPORT_METRICS, version.scope_project_id):
            return {}
        record = next(iter(standing.records_of_version(version, Stage(version.stage))), None)
        if record is None:
            return {}
        return {"url": reverse("governance:metrics_report", args=[record.pk]), "link_label": "Report metrics"}


def _of_models(use_case: UseCase) -> _LINK:
    if is_outdated_here(use_case) or use_case.stage == Stage.POC:
        return {}
    return {"url": f"{reverse('registry:use_case', args=[use_case.number])}#models", "link_label": "See its models"}


def _submit_url(subject: Subject) -> str:
    if isinstance(subject, UseCase):
        return reverse("governance:use_case_submit", args=[subject.number])
    return reverse("governance:version_submit", args=[subject.pk])


def _classify(actor: Actor, subject: Subject) -> _LINK:
    """Return where a use case nobody classified is classified, or its questions are answered."""
    behind = [subject] if isinstance(subject, UseCase) else list(subject.use_cases.all())
    for use_case in behind:
        if use_case.risk_class != RiskClass.UNCLASSIFIED:
            continue
        address = reverse("registry:use_case_ai_act", args=[use_case.number])
        if may(actor, Act.CLASSIFY_USE_CASE, use_case.project_id):
            return {"url": address, "link_label": f"Classify {use_case.public_id}"}
        if may(actor, Act.ASSESS_USE_CASE, use_case.project_id):
            return {"url": address, "link_label": f"Answer the questions about {use_case.public_id}"}
    return {}
