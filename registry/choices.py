"""Vocabulary of what exists; the words both apps share are in `portal.core.vocabulary`."""

from __future__ import annotations

from portal.core.vocabulary import RiskClass, RiskRating, Role, Stage, Status, Word

__all__ = [
    "AccountPurpose",
    "AskedState",
    "AttributeType",
    "CardStatus",
    "ClassificationState",
    "DeclarationState",
    "DeploymentMode",
    "DeploymentState",
    "DocumentKind",
    "DraftStep",
    "EventProblem",
    "HourOfSync",
    "LinkSource",
    "ObjectKind",
    "ParkedEventState",
    "PermissionOutcome",
    "Persona",
    "PreflightMethod",
    "ReviewDue",
    "RiskClass",
    "RiskRating",
    "Role",
    "ShareState",
    "Stage",
    "Status",
    "SyncHealth",
    "SyncKind",
    "SyncState",
    "TrackingLogin",
    "TrainingSource",
    "ViewAudience",
]


class AccountPurpose(Word):
    """What an AWS account is for; the hub owns the model groups, the others run stages."""

    HUB = "hub"
    DEVELOPMENT = "development"
    QA = "qa"
    PRE_PRODUCTION = "pre_production"
    PRODUCTION = "production"


class AskedState(Word):
    """How far what people asked the portal to make in AWS has come."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class CardStatus(Word):
    """How far a model card has come, in SageMaker's own words."""

    DRAFT = "Draft"
    PENDING_REVIEW = "PendingReview"
    APPROVED = "Approved"
    ARCHIVED = "Archived"

    @property
    def label(self) -> str:
        return "Pending review" if self is CardStatus.PENDING_REVIEW else str(self.value)


class TrackingLogin(Word):
    """How the portal signs in at an MLflow tracking server."""

    NONE = "none"
    TOKEN = "token"  # noqa: S105 - the name of a way to sign in
    BASIC = "basic"


class DocumentKind(Word):
    """The five parts of use-case governance."""

    RISK_ASSESSMENT = "risk_assessment"
    MITIGATION = "mitigation_strategies"
    TRANSPARENCY = "transparency_explainability"
    OVERSIGHT = "human_oversight"
    MONITORING = "monitoring_evaluation"


class LinkSource(Word):
    """How a version came to serve a use case."""

    CARD = "card"
    GROUP = "group"


class DeploymentMode(Word):
    """A trial runs beside what is live until its stage is approved."""

    TRIAL = "trial"
    LIVE = "live"


class DeploymentState(Word):
    """How far an ordered deployment has come."""

    ORDERED = "ordered"
    IN_PROGRESS = "in_progress"
    DEPLOYED = "deployed"
    FAILED = "failed"
    REPLACED = "replaced"
    REMOVED = "removed"


class ShareState(Word):
    """RAM's own words for a resource share."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    FAILED = "FAILED"
    DELETING = "DELETING"
    DELETED = "DELETED"


class DeclarationState(Word):
    """How far RAM is with a share the portal declared."""

    DECLARED = "declared"
    APPLYING = "applying"
    IN_PLACE = "in_place"
    FAILING = "failing"
    WITHDRAWING = "withdrawing"
    WITHDRAWN = "withdrawn"


class SyncKind(Word):
    """What a pass over an account looked at."""

    FULL = "full"
    INCREMENTAL = "incremental"
    EVENTS = "events"
    SHARES = "shares"
    CARDS = "cards"
    REPORTS = "reports"
    MONITORS = "monitors"
    ENDPOINTS = "endpoints"
    ENDPOINT_METRICS = "endpoint_metrics"
    LINEAGE = "lineage"
    TRAINING = "training"
    PIPELINES = "pipelines"
    PERSONAS = "personas"


# The passes over the registry itself, which share one lock; each other kind has a lock of its own.
REGISTRY_PASSES = (SyncKind.FULL, SyncKind.INCREMENTAL, SyncKind.EVENTS)
# What is read of AWS beside the registry and its shares (services.readings of governance).
READING_KINDS = (
    SyncKind.CARDS,
    SyncKind.REPORTS,
    SyncKind.MONITORS,
    SyncKind.ENDPOINTS,
    SyncKind.ENDPOINT_METRICS,
    SyncKind.LINEAGE,
    SyncKind.TRAINING,
    SyncKind.PIPELINES,
    SyncKind.PERSONAS,
)


# An endpoint of one of these states answers requests, AWS's own words (DescribeEndpoint.EndpointStatus).
SERVING = ("InService", "Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed")
# And an inference component of one of these (DescribeInferenceComponent.InferenceComponentStatus); "" is no component.
COMPONENT_SERVING = ("", "InService", "Updating")
# A monitoring schedule of one of these runs, or is about to (DescribeMonitoringSchedule.MonitoringScheduleStatus).
WATCHING = ("Scheduled", "Pending")


class Persona(Word):
    """Who works around the registry in AWS, and what SageMaker's jobs and models run as; the portal's role is none."""

    DATA_SCIENTIST = "data_scientist"
    ML_ENGINEER = "ml_engineer"
    GOVERNANCE_OFFICER = "governance_officer"
    COMPUTE = "compute"


class TrainingSource(Word):
    """How the training job of a version was found: by its own words, its card's, its pipeline run, its artifact."""

    VERSION = "version"
    CARD = "card"
    PIPELINE = "pipeline"
    ARTIFACT = "artifact"


class SyncState(Word):
    """How a pass ended."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class SyncHealth(Word):
    """How well a region is known, from good to what asks most for attention."""

    DISABLED = "disabled"
    HEALTHY = "healthy"
    NEVER = "never_synced"
    LATE = "late"
    FAILING = "failing"


class ObjectKind(Word):
    """What custom attributes can be added to."""

    USE_CASE = "use_case"
    MODEL_GROUP = "model_group"
    STAGE_RECORD = "stage_record"


class AttributeType(Word):
    """What a custom attribute holds, and so how it is checked, filled in and filtered."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    USER = "user"


class ClassificationState(Word):
    """What became of an assessment under the AI Act."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    SUPERSEDED = "superseded"


class EventProblem(Word):
    """Why an event of the registry was parked instead of taken in."""

    UNREADABLE = "unreadable"
    UNKNOWN_ACCOUNT = "unknown_account"
    DISABLED_ACCOUNT = "disabled_account"
    REFUSED = "refused_by_aws"
    NOT_RECORDED = "not_recorded"

    @property
    def label(self) -> str:
        return "Refused by AWS" if self is EventProblem.REFUSED else super().label


class ParkedEventState(Word):
    """What became of a parked event."""

    PARKED = "parked"
    REPLAYED = "replayed"
    DISMISSED = "dismissed"


class PermissionOutcome(Word):
    """What a preflight found out about one action of the portal's role."""

    ALLOWED = "allowed"
    DENIED = "denied"
    NOT_TRIED = "not_tried"


class PreflightMethod(Word):
    """How a preflight found out: IAM was asked, harmless calls were made, or neither was possible."""

    SIMULATED = "simulated"
    PROBED = "probed"
    FAILED = "failed"


class DraftStep(Word):
    """The steps in which a use case is written down before it is registered, in their order."""

    PURPOSE = "purpose"
    PEOPLE = "people"
    DOCUMENTS = "documents"
    AI_ACT = "ai-act"


class ReviewDue(Word):
    """How a use case that is not retired stands to the date of its next review."""

    OVERDUE = "overdue"
    SOON = "within_30_days"
    LATER = "later"
    NO_DATE = "no_date"

    @property
    def label(self) -> str:
        return {
            "overdue": "Review overdue",
            "within_30_days": "Review within 30 days",
            "later": "Review later",
            "no_date": "No review date",
        }[self.value]


class HourOfSync(Word):
    """How the passes over one region went within one hour."""

    OK = "ok"
    SLOW = "slow"
    FAILING = "failing"
    NONE = "none"

    @property
    def label(self) -> str:
        return {"ok": "OK", "slow": "Slow or unsteady", "failing": "Failing", "none": "No pass"}[self.value]


class ViewAudience(Word):
    """Who may apply a saved view of a list."""

    OWNER = "owner"
    PROJECT = "project"
    EVERYBODY = "everybody"


class MonitorType(Word):
    """What a monitoring schedule looks at, in AWS's words."""

    DATA_QUALITY = "DataQuality"
    MODEL_QUALITY = "ModelQuality"
    MODEL_BIAS = "ModelBias"
    MODEL_EXPLAINABILITY = "ModelExplainability"
