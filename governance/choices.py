"""Vocabulary of what is allowed."""

from __future__ import annotations

from portal.core.vocabulary import EvidenceKind, RiskRating, Role, Stage, Status, SubjectKind, Word

from .lifecycle import RequestState as _RequestState

__all__ = [
    "EvidenceKind",
    "EvidenceSource",
    "FindingKind",
    "FindingState",
    "MetricKind",
    "OutboxKind",
    "OutboxState",
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


class Verdict(Word):
    """What one person decided."""

    APPROVE = "approve"
    REJECT = "reject"
    REQUEST_CHANGES = "request_changes"


class MetricKind(Word):
    """Which of the two metric attributes of a stage record a report fills."""

    VALIDATION = "validation"
    MONITORING = "monitoring"


class OutboxKind(Word):
    """What the outbox carries."""

    WRITE_BACK = "write_back"
    DEPLOYMENT_ORDER = "deployment_order"
    ARTIFACT_COPY = "artifact_copy"


class OutboxState(Word):
    """How far a message has come."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


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


class FindingKind(Word):
    """What the portal can find so far; DOMAIN section 7 names the whole list."""

    USE_CASE_UNKNOWN = "use_case_unknown"
    GROUP_UNLINKED = "group_unlinked"
    CARD_MISSING = "card_missing"
    CARD_INVALID = "card_invalid"
    METADATA_INVALID = "metadata_invalid"
    CONTENT_CHANGED = "content_changed_after_approval"
    MISSING_IN_AWS = "missing_in_aws"
    WRITE_BACK_FAILED = "write_back_failed"
    EVENT_UNREADABLE = "event_unreadable"


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
