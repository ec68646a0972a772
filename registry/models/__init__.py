"""One aggregate per file; import the models from here."""

from .account import AwsAccount
from .attribute import CustomAttribute
from .classification import Classification
from .deployment import Deployment
from .group import ModelGroup, ModelGroupGroupObjectPermission, ModelGroupUserObjectPermission
from .numbering import PublicNumber
from .organisation import LineOfBusiness, Project, ProjectGroupObjectPermission, ProjectUserObjectPermission
from .share import ResourceShare, ShareInvitation
from .sync_run import SyncRun
from .token import ApiToken
from .use_case import UseCase, UseCaseDocument, UseCaseGroupObjectPermission, UseCaseUserObjectPermission
from .user import AwsIdentity, User
from .version import ModelVersion, VersionUseCase

__all__ = [
    "ApiToken",
    "AwsAccount",
    "AwsIdentity",
    "Classification",
    "CustomAttribute",
    "Deployment",
    "LineOfBusiness",
    "ModelGroup",
    "ModelGroupGroupObjectPermission",
    "ModelGroupUserObjectPermission",
    "ModelVersion",
    "Project",
    "ProjectGroupObjectPermission",
    "ProjectUserObjectPermission",
    "PublicNumber",
    "ResourceShare",
    "ShareInvitation",
    "SyncRun",
    "UseCase",
    "UseCaseDocument",
    "UseCaseGroupObjectPermission",
    "UseCaseUserObjectPermission",
    "User",
    "VersionUseCase",
]
