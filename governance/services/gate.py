"""The gate's answer: the decision with every failed rule, signed, so that a pipeline can keep it as evidence."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from portal.core.actors import Actor

from ..choices import GateDecision
from ..models import Override
from ..policies.gate import Reason, failed
from ..selectors import gate as reading
from . import signing

log = logging.getLogger(__name__)

TYP = "gate+jwt"
# An ARN of AWS is no longer; what is echoed and signed does not grow with what was sent.
LONGEST = 2048


@dataclass(frozen=True)
class GateAnswer:
    """What the gate says; `attestation` is the same as a signed token."""

    decision: GateDecision
    reasons: tuple[Reason, ...]
    version: str | None
    model_version: int | None
    model_package_arn: str
    stage: str
    account: str
    digest: str | None
    policy_version: int | None
    overrides: tuple[Override, ...]
    checked_at: datetime
    expires_at: datetime
    attestation: str = ""

    @property
    def is_allowed(self) -> bool:
        return self.decision is GateDecision.ALLOW

    def as_json(self) -> dict[str, Any]:
        """Return the answer without its attestation, as the API shows it and the attestation carries it."""
        return {
            "decision": self.decision.value,
            "reasons": [{"code": one.code, "rule": one.rule, "detail": one.detail} for one in self.reasons],
            "version": self.version,
            "model_version": self.model_version,
            "model_package_arn": self.model_package_arn,
            "stage": self.stage,
            "account": self.account,
            "digest": self.digest,
            "policy_version": self.policy_version,
            "overrides": [
                {
                    "id": row.public_id,
                    "check": row.check_key,
                    "reason": row.reason,
                    "granted_by": row.granted_by_name,
                    "expires_at": _iso(row.expires_at),
                }
                for row in self.overrides
            ],
            "checked_at": _iso(self.checked_at),
            "expires_at": _iso(self.expires_at),
        }


def ask(actor: Actor, model_package_arn: str, stage: str, account: str) -> GateAnswer:
    """Answer whether a version may run at a stage in an account now; whatever is unknown is a reason to deny.

    Writes nothing but one line of the log. The answer holds for PORTAL_GATE_MINUTES, and no longer than an override
    it rests on. Raises sealing.Unreadable when the portal cannot sign.
    """
    now = timezone.now().replace(microsecond=0)
    found = reading.read(actor, arn=model_package_arn, stage=stage, account_id=account, now=now)
    reasons = failed(found.facts)
    until = now + timedelta(minutes=settings.PORTAL_GATE_MINUTES)
    answer = GateAnswer(
        decision=GateDecision.DENY if reasons else GateDecision.ALLOW,
        reasons=reasons,
        version=found.version.name if found.version else None,
        model_version=found.version.pk if found.version else None,
        model_package_arn=model_package_arn[:LONGEST],
        stage=stage[:LONGEST],
        account=account[:LONGEST],
        digest=found.facts.digest or None,
        policy_version=found.policy,
        overrides=found.set_aside,
        checked_at=now,
        expires_at=min([until, *(row.expires_at.replace(microsecond=0) for row in found.set_aside)]),
    )
    log.info(
        "gate %s: %s at %r in %r asked by %s%s",
        answer.decision,
        f"version {answer.model_version}" if answer.model_version else "an unknown version",
        stage[:40],
        account[:40],
        actor.label,
        f" ({', '.join(reason.code for reason in reasons)})" if reasons else "",
    )
    return replace(answer, attestation=signing.sign(_claims(answer), typ=TYP, key=found.key))


def audience(stage: str, account: str) -> str:
    """Return whom an answer is meant for: whoever deploys to that stage in that account, and nobody else."""
    return f"{stage}@{account}"


def _claims(answer: GateAnswer) -> dict[str, Any]:
    return {
        **answer.as_json(),
        "iss": settings.PORTAL_PUBLIC_URL,
        "sub": answer.model_package_arn,
        "aud": audience(answer.stage, answer.account),
        "iat": int(answer.checked_at.timestamp()),
        "exp": int(answer.expires_at.timestamp()),
        "jti": uuid.uuid4().hex,
    }


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
