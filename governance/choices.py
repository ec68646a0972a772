"""Vocabulary of what is allowed."""

from __future__ import annotations

from portal.core.vocabulary import EvidenceKind, RiskRating, Role, Stage, Status, SubjectKind, Word

from .lifecycle import MODEL_STAGES as _MODEL_STAGES
from .lifecycle import RequestState as _RequestState

__all__ = [
    "Agreement",
    "AuditCheckScope",
    "AuditCheckState",
    "CallbackOutcome",
    "CallbackSource",
    "ChannelKind",
    "DecisionSource",
    "Due",
    "EvidenceKind",
    "EvidenceSource",
    "FindingKind",
    "FindingState",
    "GateDecision",
    "InPlace",
    "MetricKind",
    "OrderAction",
    "OutboxKind",
    "OutboxState",
    "OutsideOutcome",
    "OutsideResponse",
    "PackScope",
    "PackState",
    "PipelineHome",
    "PolicyState",
    "RequestState",
    "RiskRating",
    "Role",
    "Severity",
    "SigningAlgorithm",
    "SigningKeyState",
    "Stage",
    "Status",
    "SubjectKind",
    "Verdict",
]

RequestState = _RequestState
REQUEST_STATE_CHOICES = [(state.value, state.value.replace("_", " ").capitalize()) for state in _RequestState]

# What something can be rejected to or checked at: every stage but the end.
LIVING_STAGE_CHOICES = [(stage.value, stage.label) for stage in Stage if stage is not Stage.RETIRED]
MODEL_STAGE_CHOICES = [(stage.value, stage.label) for stage in _MODEL_STAGES]


class Verdict(Word):
    """What one person decided."""

    APPROVE = "approve"
    REJECT = "reject"
    REQUEST_CHANGES = "request_changes"


class DecisionSource(Word):
    """Where a decision was made: in the portal, or in SageMaker and taken over as the same person's decision."""

    PORTAL = "portal"
    ADOPTED = "adopted"


class Agreement(Word):
    """How what SageMaker says of a version stands to the portal's word about it: `policies.out_of_band` judges."""

    AGREED = "agreed"
    WRITE_BACK_PENDING = "write_back_pending"
    WRITE_BACK_FAILED = "write_back_failed"
    APPROVED_OUTSIDE = "approved_outside"
    REJECTED_OUTSIDE = "rejected_outside"
    REVERTED = "reverted"
    LIFECYCLE_CHANGED = "lifecycle_changed"
    CONTENT_CHANGED = "content_changed"
    DELETED = "deleted"


class Due(Word):
    """How an open request stands to its due date, from what is latest to what has most time: no two overlap."""

    LONG_OVERDUE = "long_overdue"
    OVERDUE = "newly_overdue"
    TODAY = "within_a_day"
    SOON = "within_three_days"
    LATER = "later"

    @property
    def label(self) -> str:
        return _DUE_LABELS[self.value]


_DUE_LABELS = {
    "long_overdue": "Overdue for more than a week",
    "newly_overdue": "Overdue for up to a week",
    "within_a_day": "Due within a day",
    "within_three_days": "Due in one to three days",
    "later": "Due later",
}


class InPlace(Word):
    """How a deployment stands to the portal's word about its version at that stage: `selectors.endpoints` judges."""

    RUNS_APPROVED = "runs_approved"
    ON_TRIAL = "on_trial"
    RUNS_UNAPPROVED = "runs_unapproved"
    RUNS_REJECTED = "runs_rejected"
    APPROVED_NOT_RUNNING = "approved_not_running"
    ORDERED = "ordered"
    GONE = "gone"
    OVER = "over"

    @property
    def label(self) -> str:
        return _IN_PLACE_LABELS[self.value]


_IN_PLACE_LABELS = {
    "runs_approved": "Runs where it is approved",
    "on_trial": "Runs on trial before its approval",
    "runs_unapproved": "Runs, but is not approved there",
    "runs_rejected": "Runs, but is rejected or retired",
    "approved_not_running": "Approved, but not running",
    "ordered": "Ordered, not running yet",
    "gone": "Reported, but AWS does not have it",
    "over": "No longer runs, or no longer wanted",
}


class OutsideResponse(Word):
    """What a policy has the portal do about a change of a version's approval that was made outside of it."""

    REPORT = "report"
    ADOPT = "adopt"
    WRITE_BACK = "write_back"


class OutsideOutcome(Word):
    """What the portal did about one such change."""

    REPORTED = "reported"
    ADOPTED = "adopted"
    WRITTEN_BACK = "written_back"


class MetricKind(Word):
    """Which of the two metric attributes of a stage record a report fills."""

    VALIDATION = "validation"
    MONITORING = "monitoring"


class OutboxKind(Word):
    """What the outbox carries."""

    WRITE_BACK = "write_back"
    DEPLOYMENT_ORDER = "deployment_order"
    ARTIFACT_COPY = "artifact_copy"
    GROUP_CREATION = "group_creation"
    REGISTRATION = "version_registration"
    SHARE = "share"
    INVITATION = "share_invitation"
    CARD = "model_card"
    CARD_EXPORT = "model_card_export"


class OutboxState(Word):
    """How far a message has come.

    A superseded one is never carried out: a later word about the same version took its place (ADR 0012).
    """

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPERSEDED = "superseded"


class EvidenceSource(Word):
    """Where the bytes of a piece of evidence lie."""

    UPLOAD = "upload"
    S3 = "s3"


class PolicyState(Word):
    """A published policy never changes; a draft binds nobody."""

    DRAFT = "draft"
    PUBLISHED = "published"


class Severity(Word):
    """How much a finding matters."""

    INFO = "info"
    WARNING = "warning"
    SERIOUS = "serious"
    CRITICAL = "critical"


class FindingState(Word):
    """How far a finding has come."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    ACCEPTED = "accepted"


# Every move a finding can make, (from, to); "" is "does not exist yet". Migration 0011 has the database keep it.
FINDING_MOVES: frozenset[tuple[str, str]] = frozenset(
    {
        ("", FindingState.OPEN),
        (FindingState.OPEN, FindingState.ACKNOWLEDGED),
        (FindingState.OPEN, FindingState.ACCEPTED),
        (FindingState.ACKNOWLEDGED, FindingState.ACCEPTED),
        (FindingState.OPEN, FindingState.RESOLVED),
        (FindingState.ACKNOWLEDGED, FindingState.RESOLVED),
        (FindingState.ACCEPTED, FindingState.RESOLVED),
        # An acceptance that is taken back or runs out, and a resolution that did not hold.
        (FindingState.ACCEPTED, FindingState.OPEN),
        (FindingState.RESOLVED, FindingState.OPEN),
    }
)


class FindingKind(Word):
    """Every kind of disagreement (DOMAIN section 7), what was attached and altered, and what could not be read."""

    APPROVED_OUTSIDE = "approved_outside_portal"
    REJECTED_OUTSIDE = "rejected_outside_portal"
    REVERTED = "write_back_reverted"
    LIFECYCLE_CHANGED = "lifecycle_changed_outside"
    WRITE_BACK_PENDING = "write_back_pending"
    WRITE_BACK_FAILED = "write_back_failed"
    CONTENT_CHANGED = "content_changed_after_approval"
    RUNNING_UNAPPROVED = "running_unapproved"
    RUNNING_REJECTED = "running_rejected_or_retired"
    APPROVED_NOT_DEPLOYED = "approved_not_deployed"
    UNKNOWN_MODEL_RUNNING = "unknown_model_running"
    MISSING_IN_AWS = "missing_in_aws"
    USE_CASE_UNKNOWN = "use_case_unknown"
    GROUP_UNLINKED = "group_unlinked"
    SHARE_DRIFT = "share_drift"
    SHARE_TO_UNKNOWN_ACCOUNT = "share_to_unknown_account"
    SHARE_EXTERNAL_PRINCIPAL = "share_external_principal"
    APPROVE_PATH_OUTSIDE_HUB = "approve_path_outside_hub"
    INVITATION_PENDING = "invitation_pending"
    INVITATION_EXPIRED = "invitation_expired"
    MONITOR_MISSING = "monitor_missing"
    MONITOR_VIOLATIONS = "monitor_violations"
    METRIC_BREACHED = "metric_threshold_breached"
    CARD_MISSING = "card_missing"
    CARD_INVALID = "card_invalid"
    METADATA_INVALID = "metadata_invalid"
    ARTIFACT_UNREACHABLE = "artifact_bucket_unknown"
    NETWORK_ISOLATION_OFF = "network_isolation_off"
    REVIEW_OVERDUE = "review_overdue"
    BREAK_GLASS_USED = "break_glass_used"
    EVIDENCE_ALTERED = "evidence_altered"
    EVENT_UNREADABLE = "event_unreadable"
    REPORT_UNREADABLE = "report_unreadable"

    @property
    def label(self) -> str:
        return "Missing in AWS" if self is FindingKind.MISSING_IN_AWS else super().label


class GateDecision(Word):
    """What the gate answers; there is nothing in between."""

    ALLOW = "allow"
    DENY = "deny"


class SigningAlgorithm(Word):
    """How the portal signs: the JWS names of ECDSA on P-256 with SHA-256 (RFC 7518) and of Ed25519 (RFC 8037)."""

    ES256 = "ES256"
    EDDSA = "EdDSA"

    @property
    def label(self) -> str:
        return self.value


class SigningKeyState(Word):
    """The active key signs and verifies, a retired one verifies, a revoked one does neither."""

    ACTIVE = "active"
    RETIRED = "retired"
    REVOKED = "revoked"


class AuditCheckScope(Word):
    """How much of the audit trail a check reads: all of it, or what came since the last sound one."""

    ALL = "all"
    RECENT = "recent"

    @property
    def label(self) -> str:
        return "The whole trail" if self is AuditCheckScope.ALL else "What is new"


class AuditCheckState(Word):
    """How far a check has come: sound and broken are what it found, failed is a check that could not be done."""

    WAITING = "waiting"
    RUNNING = "running"
    SOUND = "sound"
    BROKEN = "broken"
    FAILED = "failed"


class PackScope(Word):
    """What an audit pack is about: one use case with everything of it, or what happened in a period."""

    USE_CASE = "use_case"
    PERIOD = "period"


class PackState(Word):
    """How far an audit pack has come; the file of an expired or removed one is gone, its row stays."""

    WAITING = "waiting"
    BUILDING = "building"
    READY = "ready"
    FAILED = "failed"
    EXPIRED = "expired"
    REMOVED = "removed"


class ChannelKind(Word):
    """How a deployment order reaches whoever deploys."""

    EVENT_BRIDGE = "event_bridge"
    PIPELINE = "pipeline"
    CALLBACK = "callback"
    WEBHOOK = "webhook"

    @property
    def label(self) -> str:
        return _CHANNEL_LABELS[self.value]


_CHANNEL_LABELS = {
    "event_bridge": "EventBridge event",
    "pipeline": "SageMaker pipeline",
    "callback": "Waiting pipeline step",
    "webhook": "Signed webhook",
}


class PipelineHome(Word):
    """In which account the pipeline of a channel runs."""

    HUB = "hub"
    TARGET = "target"

    @property
    def label(self) -> str:
        return "The hub" if self is PipelineHome.HUB else "The account that is deployed to"


class OrderAction(Word):
    """What an order asks for; a refusal tells a waiting pipeline that it may not go on."""

    DEPLOY = "deploy"
    REMOVE = "remove"
    REFUSE = "refuse"


class CallbackSource(Word):
    """How the portal learned that a pipeline waits."""

    API = "api"
    QUEUE = "queue"
    LOOKUP = "lookup"

    @property
    def label(self) -> str:
        return {"api": "Posted to the API", "queue": "Read from its queue", "lookup": "Found in SageMaker"}[self.value]


class CallbackOutcome(Word):
    """What became of a waiting step: gone is one that no longer waited when it was answered."""

    WAITING = "waiting"
    RELEASED = "released"
    REFUSED = "refused"
    GONE = "gone"
