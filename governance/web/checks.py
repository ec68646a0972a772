"""What a decision page checks off: who has signed, what is reported, what is open."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from portal.core.actors import Actor
from portal.core.templatetags.palette import plain_words
from portal.core.vocabulary import RiskClass, Stage
from registry.choices import DocumentKind
from registry.models import ModelVersion, UseCase

from ..choices import DecisionSource, EvidenceKind, RequestState, Verdict
from ..models import ApprovalRequest
from ..policies.facts import Requirements
from ..selectors import evidence as selectors
from ..selectors import policy as policies
from ..selectors import standing
from ..selectors.binding import digest_of
from ..services import approvals, lifecycle, outlook
from .asking import check_items, signature_items


def sign_offs_of(request: ApprovalRequest) -> list[dict[str, Any]]:
    """Return the roles a request needs and who has signed in each; refusals stand under the role they were given in."""
    needs = Requirements.from_json(request.requirements).approvals
    decisions = list(request.decisions.all())
    could = {item["role"]: item for item in signature_items(outlook.signatures_of(request))}
    is_open = request.state == RequestState.OPEN
    return [
        {
            "role": need.role,
            "needed": need.count,
            "given": sum(1 for one in decisions if one.role == need.role and one.verdict == Verdict.APPROVE),
            "decisions": [
                {
                    "person": one.decider,
                    "in_the_name_of": one.on_behalf_of,
                    "decision": one.verdict,
                    "at": one.decided_at,
                    "comment": one.comment,
                    "adopted": one.source == DecisionSource.ADOPTED,
                }
                for one in decisions
                if one.role == need.role
            ],
            "could": could[need.role]["could"],
            "is_missing": is_open and could[need.role]["is_missing"],
        }
        for need in needs
    ]


def checks_of(actor: Actor, request: ApprovalRequest) -> list[dict[str, Any]]:
    """Return the checks of a request. They inform whoever decides; the service enforces what is enforced."""
    subject = request.subject
    policy = check_items(actor, subject, approvals.checks_of(request), selectors.asked_about(actor, request))
    checks = [_approvals(request), _unchanged(request), *policy]
    own = _of_version(subject, request) if isinstance(subject, ModelVersion) else _of_use_case(subject, request)
    # What the policy asks for is checked by it, and not told twice.
    asked = {check["key"] for check in policy}
    return [*checks, *(check for check in own if check.pop("like", "") not in asked), _findings(actor, subject)]


def _approvals(request: ApprovalRequest) -> dict[str, Any]:
    wanted = Requirements.from_json(request.requirements).approvals
    missing = {need.role: need.count for need in approvals.missing_approvals(request)}
    said = ", ".join(
        f"{need.role.label.lower()} {need.count - missing.get(need.role, 0)} of {need.count}" for need in wanted
    )
    return {
        "state": "missing" if missing else "pass",
        "label": "Approvals",
        "detail": f"{said[:1].upper()}{said[1:]}. Policy {request.policy.number} at {request.tier} risk.",
    }


# What officers say most often, so that a refusal takes no longer than an approval.
_REASONS = (
    "The evidence does not show how this was tested. Attach the report and submit it again.",
    "The change against the approved version is not explained. Say what changed and why.",
    "The documentation is incomplete. Complete it and submit it again.",
    "The risk of this use case has to be looked at again first.",
)


def quick_reasons(checks: list[dict[str, Any]]) -> list[str]:
    """Return reasons to offer for a refusal: what the checks say is missing or not met, then the usual ones."""
    enforced = [check["detail"] for check in checks if check.get("key") and check["state"] in ("fail", "missing")]
    return [*enforced, *_REASONS]


def _unchanged(request: ApprovalRequest) -> dict[str, Any]:
    if request.state != RequestState.OPEN:
        return {"state": "not_applicable", "label": "Unchanged since it was submitted", "detail": "It is closed."}
    same = digest_of(request.subject, Stage(request.stage)) == request.digest
    return {
        "state": "pass" if same else "fail",
        "label": "Unchanged since it was submitted",
        "detail": "What you see is what was asked about." if same else "It has changed: a decision will be refused.",
    }


def _of_version(version: ModelVersion, request: ApprovalRequest) -> list[dict[str, Any]]:
    card = version.card is not None
    checks = [
        _metrics(version, Stage(request.stage)),
        {
            "state": "pass" if card else "missing",
            "label": "Model card",
            "like": f"evidence:{EvidenceKind.MODEL_CARD}",
            "detail": f"{plain_words(version.card_status) or 'Present'}." if card else "SageMaker holds none.",
        },
    ]
    copied = bool(version.hub_artifact_sha256) or not _lies_outside(version)
    artifact = {
        "state": "pass" if version.artifact_url and copied else "missing",
        "label": "Artifact in the hub",
        "detail": version.hub_artifact_url
        or (version.artifact_url if copied else f"The copy of {version.artifact_url} is on its way.")
        or "Not reported.",
    }
    served = [use_case.public_id for use_case in version.use_cases.all()]
    link = {
        "state": "pass" if served else "missing",
        "label": "Serves a use case",
        "detail": ", ".join(served) or "No use case is linked.",
    }
    return [*checks, artifact, link]


def _metrics(version: ModelVersion, stage: Stage) -> dict[str, Any]:
    records = standing.records_of_version(version, stage)
    reported = [record for record in records if record.validation_metrics is not None]
    count = sum(len(record.validation_metrics or {}) for record in reported)
    sources = sorted({record.validation_source or "no source given" for record in reported})
    return {
        "state": "pass" if reported and len(reported) == len(records) else "missing",
        "label": f"Validation metrics in {stage.label}",
        "like": f"evidence:{EvidenceKind.VALIDATION_METRICS}",
        "detail": f"{count} reported, {' and '.join(sources)}." if reported else "Not reported.",
    }


def _lies_outside(version: ModelVersion) -> bool:
    """Whether the artifact still has to come to the hub: an order for its copy stands in the outbox."""
    return any(message.kind == "artifact_copy" for message in standing.messages_of(version))


def _of_use_case(use_case: UseCase, request: ApprovalRequest) -> list[dict[str, Any]]:
    classified = use_case.risk_class != RiskClass.UNCLASSIFIED
    written = use_case.documents.count()
    checks = [
        {
            "state": "pass" if classified else "missing",
            "label": "Risk classified",
            "detail": use_case.risk_reason or "A governance officer classifies it.",
        },
        {
            "state": "pass" if written == len(DocumentKind) else "missing",
            "label": "Governance documents",
            "detail": f"{written} of {len(DocumentKind)} written.",
        },
    ]
    if Stage(request.stage) is not Stage.POC and request.state == RequestState.OPEN:
        blockers = lifecycle.blockers(use_case)
        following = policies.stage_after(use_case, request.policy)
        checks.append(
            {
                "state": "missing" if blockers else "pass",
                "label": f"Ready for {following.label}" if following else "Models",
                "detail": " ".join(blockers) or "Every model behind it is approved in this stage.",
            }
        )
    return checks


def _findings(actor: Actor, subject: UseCase | ModelVersion) -> dict[str, Any]:
    found = list(standing.standing_findings(actor, subject))
    if not found:
        return {"state": "pass", "label": "Findings", "detail": "None is open."}
    return {
        "state": "fail",
        "label": f"{len(found)} open finding{'s' if len(found) != 1 else ''}",
        "detail": " ".join(finding.summary for finding in found[:3]),
        "url": reverse("governance:finding", args=[found[0].pk]),
        "link_label": found[0].public_id,
    }
