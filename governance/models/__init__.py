"""One aggregate per file; import the models from here."""

from .approval import ApprovalRequest, Decision
from .audit import AuditEvent
from .delegation import Delegation
from .evidence import Evidence
from .finding import Finding
from .outbox import OutboxMessage
from .override import Override
from .policy import PolicyRule, PolicyVersion
from .signing_key import SigningKey
from .stage import LifecycleEdge, MetricReport, StageEvent, StageRecord, UseCaseStageRecord

__all__ = [
    "ApprovalRequest",
    "AuditEvent",
    "Decision",
    "Delegation",
    "Evidence",
    "Finding",
    "LifecycleEdge",
    "MetricReport",
    "OutboxMessage",
    "Override",
    "PolicyRule",
    "PolicyVersion",
    "SigningKey",
    "StageEvent",
    "StageRecord",
    "UseCaseStageRecord",
]
