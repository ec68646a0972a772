"""One aggregate per file; import the models from here."""

from .anchor import AuditAnchor, AuditCheck
from .approval import ApprovalRequest, Decision
from .audit import AuditEvent
from .audit_pack import AuditPack, AuditPackDownload
from .delegation import Delegation
from .deployment_channel import DeploymentChannel
from .deployment_order import DeploymentOrder, WaitingCallback
from .evidence import Evidence
from .finding import Finding
from .history import PastStageRow, PastUseCase, PastVersion
from .idempotency import IdempotentAnswer
from .live_version import LiveVersion
from .notification import Notification, NotificationDelivery, NotificationSettings, Occasion
from .outbox import OutboxMessage
from .outside_change import OutsideChange
from .override import Override
from .policy import PolicyRule, PolicyVersion
from .signing_key import SigningKey
from .stage import LifecycleEdge, MetricReport, StageEvent, StageRecord, UseCaseStageRecord
from .token_terms import TokenTerms
from .webhook import Webhook, WebhookAttempt, WebhookDelivery, WebhookEvent

__all__ = [
    "ApprovalRequest",
    "AuditAnchor",
    "AuditCheck",
    "AuditEvent",
    "AuditPack",
    "AuditPackDownload",
    "Decision",
    "Delegation",
    "DeploymentChannel",
    "DeploymentOrder",
    "Evidence",
    "Finding",
    "IdempotentAnswer",
    "LifecycleEdge",
    "LiveVersion",
    "MetricReport",
    "Notification",
    "NotificationDelivery",
    "NotificationSettings",
    "Occasion",
    "OutboxMessage",
    "OutsideChange",
    "Override",
    "PastStageRow",
    "PastUseCase",
    "PastVersion",
    "PolicyRule",
    "PolicyVersion",
    "SigningKey",
    "StageEvent",
    "StageRecord",
    "TokenTerms",
    "UseCaseStageRecord",
    "WaitingCallback",
    "Webhook",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEvent",
]
