"""One aggregate per file; import the models from here."""

from .approval import ApprovalRequest, Decision
from .audit import AuditEvent
from .finding import Finding
from .outbox import OutboxMessage
from .policy import PolicyRule, PolicyVersion
from .stage import LifecycleEdge, MetricReport, StageEvent, StageRecord, UseCaseStageRecord

__all__ = [
    "ApprovalRequest",
    "AuditEvent",
    "Decision",
    "Finding",
    "LifecycleEdge",
    "MetricReport",
    "OutboxMessage",
    "PolicyRule",
    "PolicyVersion",
    "StageEvent",
    "StageRecord",
    "UseCaseStageRecord",
]
