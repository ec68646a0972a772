"""The words of the domain, Django-free, with the stored value and the plain words people read."""

from __future__ import annotations

from enum import StrEnum


class Word(StrEnum):
    """A stored value with a label; `choices()` feeds Django fields, forms and the API schema."""

    @property
    def label(self) -> str:
        """The value in plain words: `pre_production` reads "Pre-production"."""
        return _LABELS.get(self.value, self.value.replace("_", " ").capitalize())

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """Return (value, label) pairs in the order of definition."""
        return [(word.value, word.label) for word in cls]


class Stage(Word):
    """Where a use case or a model version stands, in the order it is walked."""

    POC = "poc"
    DEVELOPMENT = "development"
    QA = "qa"
    PRE_PRODUCTION = "pre_production"
    PRODUCTION = "production"
    RETIRED = "retired"


class Status(Word):
    """How it stands in that stage."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    DEPLOYED = "deployed"
    SUPERSEDED = "superseded"
    RETIRED = "retired"


class RiskClass(Word):
    """The EU AI Act class of a use case."""

    UNCLASSIFIED = "unclassified"
    UNACCEPTABLE = "unacceptable"
    HIGH = "high"
    LIMITED = "limited"
    MINIMAL = "minimal"


class RiskRating(Word):
    """The rating of a model version, as in SageMaker's model card; also the tier that policies look at."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    UNKNOWN = "unknown"


class Role(Word):
    """What a person may be on a project, or everywhere."""

    DATA_SCIENTIST = "data_scientist"
    MODEL_OWNER = "model_owner"
    ML_ENGINEER = "ml_engineer"
    GOVERNANCE_OFFICER = "governance_officer"
    ML_ADMIN = "ml_admin"
    AUDITOR = "auditor"


class SubjectKind(Word):
    """What is governed: its lifecycle, approvals and ledger go by this name."""

    USE_CASE = "use_case"
    MODEL_VERSION = "model_version"


class EvidenceKind(Word):
    """What a piece of evidence shows; policy rules ask for these words and for no others."""

    MODEL_CARD = "model_card"
    BIAS_REPORT = "bias_report"
    EXPLAINABILITY_REPORT = "explainability_report"
    VALIDATION_METRICS = "validation_metrics"
    TEST_REPORT = "test_report"
    DATA_SHEET = "data_sheet"
    RISK_ASSESSMENT = "risk_assessment"
    MITIGATION = "mitigation_strategies"
    TRANSPARENCY = "transparency_explainability"
    OVERSIGHT = "human_oversight"
    MONITORING_PLAN = "monitoring_evaluation"
    IMPACT_ASSESSMENT = "impact_assessment"
    SECURITY_REVIEW = "security_review"
    LICENCE = "licence"
    OTHER = "other"


class Provenance(Word):
    """What may be known of where a version comes from; policy rules ask for all but the endpoint, which comes after.

    Network isolation says how its training job ran: that it could reach nothing else, and nothing could leave. Licence
    accepted says that the agreement of the hub's model it began with was accepted, or that there is none to accept.
    """

    TRAINING_JOB = "training_job"
    DATA_SET = "data_set"
    CODE_COMMIT = "code_commit"
    PROCESSING_JOB = "processing_job"
    PIPELINE_EXECUTION = "pipeline_execution"
    ENDPOINT = "endpoint"
    NETWORK_ISOLATION = "network_isolation"
    LICENCE_ACCEPTED = "licence_accepted"


_LABELS = {
    "poc": "POC",
    "qa": "QA",
    "pre_production": "Pre-production",
    "ml_engineer": "ML engineer",
    "ml_admin": "ML admin",
    "compute": "SageMaker compute role",
    "DataQuality": "Data quality",
    "ModelQuality": "Model quality",
    "ModelBias": "Bias drift",
    "ModelExplainability": "Explainability drift",
}


class NotificationKind(Word):
    """What people are told of; who is told which is `services.recipients`, and by what ways each chooses himself."""

    REQUEST_WAITS = "request_waits"
    REQUEST_DUE_SOON = "request_due_soon"
    REQUEST_OVERDUE = "request_overdue"
    REQUEST_ESCALATED = "request_escalated"
    REQUEST_PROGRESS = "request_progress"
    REQUEST_APPROVED = "request_approved"
    REQUEST_SENT_BACK = "request_sent_back"
    REQUEST_LAPSED = "request_lapsed"
    FINDING_OPENED = "finding_opened"
    FINDING_ASSIGNED = "finding_assigned"
    FINDING_DUE = "finding_due"
    REVIEW_DUE = "review_due"
    BREAK_GLASS = "break_glass"
    SHARE_DRIFT = "share_drift"
    DEPLOYMENT_FAILED = "deployment_failed"
    DEPLOYMENT_DONE = "deployment_done"
    WRITE_BACK_GIVEN_UP = "write_back_given_up"
    SYNC_FAILING = "sync_failing"
    DELEGATION_BEGINS = "delegation_begins"
    DELEGATION_ENDS = "delegation_ends"
    PACK_READY = "pack_ready"
    WEBHOOK_DISABLED = "webhook_disabled"


class NotificationChannel(Word):
    """How a notification leaves the portal; in the portal itself each is kept anyway."""

    EMAIL = "email"
    CHAT = "chat"


class NotificationState(Word):
    """How far a delivery has come: dropped is one that had lost its meaning before it was sent."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"


class ChatKind(Word):
    """Which chat an incoming webhook belongs to; the two take different bodies."""

    SLACK = "slack"
    TEAMS = "teams"


class WebhookState(Word):
    """Whether a webhook is told of events; while it is disabled no event is written for it, and what waits, waits."""

    ACTIVE = "active"
    DISABLED = "disabled"


class WebhookEnd(Word):
    """Why a webhook is disabled: somebody did it, its receiver said it is gone, or took nothing for too long."""

    PERSON = "person"
    GONE = "gone"
    FAILING = "failing"

    @property
    def label(self) -> str:
        return {"person": "By a person", "gone": "The receiver is gone", "failing": "Nothing was taken"}[self.value]


class DeliveryState(Word):
    """How far one event has come on its way to one webhook."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"

    @property
    def label(self) -> str:
        return {"pending": "Waiting", "delivered": "Delivered", "failed": "Given up"}[self.value]
