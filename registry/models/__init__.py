"""One aggregate per file; import the models from here."""

from .account import AwsAccount
from .account_role import AccountRole
from .attribute import CustomAttribute
from .card import ModelCard, ModelCardEdit, ModelCardExport, ModelCardVersion
from .classification import Classification
from .deployment import Deployment
from .endpoint import Endpoint, EndpointVariant
from .endpoint_series import EndpointSeries
from .event import EventQueueHealth, ParkedEvent
from .group import ModelGroup, ModelGroupGroupObjectPermission, ModelGroupUserObjectPermission
from .group_creation import GroupCreation
from .lineage import VersionLineage
from .monitoring import MonitoringAlert, MonitoringConstraints, MonitoringExecution, MonitoringSchedule
from .numbering import PublicNumber
from .organisation import LineOfBusiness, Project, ProjectGroupObjectPermission, ProjectUserObjectPermission
from .pipeline import PipelineExecution, PipelineRegistration, PipelineStep
from .preflight import AccountPreflight
from .registration import Registration
from .report import VersionReport
from .saved_view import SavedView, UsualView
from .service_account import ServiceAccount, ServiceKeeper
from .share import DeclaredShare, GroupPolicy, RamPermission, ResourceShare, ShareInvitation, SharePrincipal
from .sync_run import SyncRun
from .token import ApiToken
from .tracking import RunReading, TrackingServer, TrackingServerProject, VersionRun
from .training import LabelingJob, TrainingProvenance
from .use_case import UseCase, UseCaseDocument, UseCaseGroupObjectPermission, UseCaseUserObjectPermission
from .use_case_draft import UseCaseDraft
from .use_case_review import UseCaseReview
from .user import AwsIdentity, User
from .version import ModelVersion, VersionUseCase

__all__ = [
    "AccountPreflight",
    "AccountRole",
    "ApiToken",
    "AwsAccount",
    "AwsIdentity",
    "Classification",
    "CustomAttribute",
    "DeclaredShare",
    "Deployment",
    "Endpoint",
    "EndpointSeries",
    "EndpointVariant",
    "EventQueueHealth",
    "GroupCreation",
    "GroupPolicy",
    "LabelingJob",
    "LineOfBusiness",
    "ModelCard",
    "ModelCardEdit",
    "ModelCardExport",
    "ModelCardVersion",
    "ModelGroup",
    "ModelGroupGroupObjectPermission",
    "ModelGroupUserObjectPermission",
    "ModelVersion",
    "MonitoringAlert",
    "MonitoringConstraints",
    "MonitoringExecution",
    "MonitoringSchedule",
    "ParkedEvent",
    "PipelineExecution",
    "PipelineRegistration",
    "PipelineStep",
    "Project",
    "ProjectGroupObjectPermission",
    "ProjectUserObjectPermission",
    "PublicNumber",
    "RamPermission",
    "Registration",
    "ResourceShare",
    "RunReading",
    "SavedView",
    "ServiceAccount",
    "ServiceKeeper",
    "ShareInvitation",
    "SharePrincipal",
    "SyncRun",
    "TrackingServer",
    "TrackingServerProject",
    "TrainingProvenance",
    "UseCase",
    "UseCaseDocument",
    "UseCaseDraft",
    "UseCaseGroupObjectPermission",
    "UseCaseReview",
    "UseCaseUserObjectPermission",
    "User",
    "UsualView",
    "VersionLineage",
    "VersionReport",
    "VersionRun",
    "VersionUseCase",
]
