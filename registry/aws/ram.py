"""Share model package groups between accounts with AWS RAM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from registry.aws.errors import AwsConflict, AwsNotFound, translated
from registry.aws.limits import require_valid
from registry.aws.records import InvitationRecord, PermissionRecord, ShareAssociation, ShareRecord
from registry.aws.session import AwsSession, pages

if TYPE_CHECKING:
    from mypy_boto3_ram.type_defs import CreateResourceShareRequestTypeDef

RESOURCE_TYPE = "sagemaker:ModelPackageGroup"
_MANAGED = "arn:aws:ram::aws:permission/"
PERMISSION_READ = f"{_MANAGED}AWSRAMDefaultPermissionSageMakerModelPackageGroup"
PERMISSION_DEPLOY = f"{_MANAGED}AWSRAMPermissionSageMakerModelPackageGroupAllowDeploy"
PERMISSION_REGISTER = f"{_MANAGED}AWSRAMPermissionSageMakerModelPackageGroupAllowRegister"

_PAGE_SIZE = 100

Owner = Literal["SELF", "OTHER-ACCOUNTS"]
AssociationType = Literal["PRINCIPAL", "RESOURCE"]


def create_share(
    session: AwsSession,
    *,
    name: str,
    resource_arns: Sequence[str],
    principals: Sequence[str],
    permission_arns: Sequence[str],
    allow_external: bool = True,
    client_token: str,
    tags: Mapping[str, str] | None = None,
) -> ShareRecord:
    """Share resources with principals (account ids, organization or role ARNs) under one permission per type.

    Accounts outside the organization get an invitation; associations take minutes. The same `client_token`
    with the same values is the same share. Raises AwsInvalid, AwsNotFound, AwsConflict. Source:
    CreateResourceShare.
    """
    request: CreateResourceShareRequestTypeDef = {
        "name": name,
        "resourceArns": list(resource_arns),
        "principals": list(principals),
        "permissionArns": list(permission_arns),
        "allowExternalPrincipals": allow_external,
        "clientToken": client_token,
    }
    if tags:
        request["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
    require_valid(session, "ram", "CreateResourceShare", request)
    with translated(session, "ram", "CreateResourceShare"):
        return ShareRecord.from_aws(session.ram.create_resource_share(**request)["resourceShare"])


def list_shares(
    session: AwsSession, owner: Owner, *, share_arns: Sequence[str] = (), tag: tuple[str, str] | None = None
) -> Iterator[ShareRecord]:
    """Yield the shares this account owns ("SELF") or has been given ("OTHER-ACCOUNTS"), deleted ones too.

    All of them, those named, or those with a tag (key, value). Raises AwsNotFound for a share named that there never
    was, AwsError of the page that failed. Source: GetResourceShares.
    """
    request: dict[str, Any] = {"resourceOwner": owner, "maxResults": _PAGE_SIZE}
    if share_arns:
        request["resourceShareArns"] = list(share_arns)
    if tag:
        request["tagFilters"] = [{"tagKey": tag[0], "tagValues": [tag[1]]}]
    call = session.ram.get_resource_shares
    for page in pages(session, "ram", "GetResourceShares", call, request, token="nextToken"):
        yield from map(ShareRecord.from_aws, page.get("resourceShares", ()))


def list_share_associations(
    session: AwsSession, *, association_type: AssociationType, share_arns: Sequence[str] = ()
) -> Iterator[ShareAssociation]:
    """Yield what is tied to the shares this account owns, to all of them or to those named.

    Raises AwsError of the page that failed. Source: GetResourceShareAssociations.
    """
    request: dict[str, Any] = {"associationType": association_type, "maxResults": _PAGE_SIZE}
    if share_arns:
        request["resourceShareArns"] = list(share_arns)
    call = session.ram.get_resource_share_associations
    for page in pages(session, "ram", "GetResourceShareAssociations", call, request, token="nextToken"):
        for item in page.get("resourceShareAssociations", ()):
            yield ShareAssociation.from_aws(item)


def update_share(
    session: AwsSession, share_arn: str, *, name: str, allow_external: bool, client_token: str
) -> ShareRecord:
    """Rename a share of this account, or say whether accounts outside the organization may be in it.

    Raises AwsNotFound, AwsDenied while an account outside is in it. Source: UpdateResourceShare.
    """
    request = {
        "resourceShareArn": share_arn,
        "name": name,
        "allowExternalPrincipals": allow_external,
        "clientToken": client_token,
    }
    require_valid(session, "ram", "UpdateResourceShare", request)
    with translated(session, "ram", "UpdateResourceShare"):
        answer = session.ram.update_resource_share(
            resourceShareArn=share_arn, name=name, allowExternalPrincipals=allow_external, clientToken=client_token
        )
    return ShareRecord.from_aws(answer["resourceShare"])


def associate(
    session: AwsSession,
    share_arn: str,
    *,
    resource_arns: Sequence[str] = (),
    principals: Sequence[str] = (),
    client_token: str,
) -> list[ShareAssociation]:
    """Put resources and principals into a share; accounts outside the organization get an invitation.

    It is done when `list_share_associations` says ASSOCIATED, which takes minutes. Raises AwsNotFound, AwsInvalid,
    AwsDenied for a principal outside of a share that allows none. Source: AssociateResourceShare.
    """
    request = _members(share_arn, resource_arns, principals, client_token)
    with translated(session, "ram", "AssociateResourceShare"):
        answer = session.ram.associate_resource_share(**request)
    return [ShareAssociation.from_aws(item) for item in answer.get("resourceShareAssociations", ())]


def disassociate(
    session: AwsSession,
    share_arn: str,
    *,
    resource_arns: Sequence[str] = (),
    principals: Sequence[str] = (),
    client_token: str,
) -> list[ShareAssociation]:
    """Take resources and principals out of a share; a pending invitation is withdrawn with its principal.

    Raises AwsNotFound, AwsInvalid. Source: DisassociateResourceShare.
    """
    request = _members(share_arn, resource_arns, principals, client_token)
    with translated(session, "ram", "DisassociateResourceShare"):
        answer = session.ram.disassociate_resource_share(**request)
    return [ShareAssociation.from_aws(item) for item in answer.get("resourceShareAssociations", ())]


def _members(
    share_arn: str, resource_arns: Sequence[str], principals: Sequence[str], client_token: str
) -> dict[str, Any]:
    request: dict[str, Any] = {"resourceShareArn": share_arn, "clientToken": client_token}
    if resource_arns:
        request["resourceArns"] = list(resource_arns)
    if principals:
        request["principals"] = list(principals)
    return request


def list_invitations(session: AwsSession, *, invitation_arns: Sequence[str] = ()) -> Iterator[InvitationRecord]:
    """Yield the invitations this account has received, of every status.

    Raises AwsError of the page that failed. Source: GetResourceShareInvitations.
    """
    request: dict[str, Any] = {"maxResults": _PAGE_SIZE}
    if invitation_arns:
        request["resourceShareInvitationArns"] = list(invitation_arns)
    call = session.ram.get_resource_share_invitations
    for page in pages(session, "ram", "GetResourceShareInvitations", call, request, token="nextToken"):
        yield from map(InvitationRecord.from_aws, page.get("resourceShareInvitations", ()))


def accept_invitation(session: AwsSession, invitation_arn: str, *, client_token: str = "") -> InvitationRecord:
    """Accept an invitation; one accepted before is a success.

    Raises AwsConflict when it was rejected or has expired (share again to get a new one), AwsNotFound.
    Source: AcceptResourceShareInvitation.
    """
    request: dict[str, Any] = {"resourceShareInvitationArn": invitation_arn}
    if client_token:
        request["clientToken"] = client_token
    try:
        with translated(session, "ram", "AcceptResourceShareInvitation"):
            answer = session.ram.accept_resource_share_invitation(**request)
    except AwsConflict as exc:
        if exc.code != "ResourceShareInvitationAlreadyAcceptedException":
            raise
        for invitation in list_invitations(session, invitation_arns=[invitation_arn]):
            if invitation.arn == invitation_arn:
                return invitation
        raise AwsNotFound(
            service="ram",
            operation="GetResourceShareInvitations",
            account_id=session.account.account_id,
            code="InvitationGone",
            message=f"{invitation_arn} was accepted before but RAM no longer lists it",
        ) from exc
    return InvitationRecord.from_aws(answer["resourceShareInvitation"])


def list_permissions(
    session: AwsSession,
    *,
    resource_type: str = RESOURCE_TYPE,
    permission_type: Literal["ALL", "AWS_MANAGED", "CUSTOMER_MANAGED"] = "ALL",
) -> Iterator[PermissionRecord]:
    """Yield the permissions a share of this resource type can use, without their actions.

    Raises AwsError of the page that failed. Source: ListPermissions.
    """
    request = {"resourceType": resource_type, "permissionType": permission_type, "maxResults": _PAGE_SIZE}
    call = session.ram.list_permissions
    for page in pages(session, "ram", "ListPermissions", call, request, token="nextToken"):
        yield from map(PermissionRecord.from_aws, page.get("permissions", ()))


def list_share_permissions(session: AwsSession, share_arn: str) -> Iterator[PermissionRecord]:
    """Yield the permissions a share grants, one per resource type, without their actions.

    Raises AwsNotFound, AwsError of the page that failed. Source: ListResourceSharePermissions.
    """
    request = {"resourceShareArn": share_arn, "maxResults": _PAGE_SIZE}
    call = session.ram.list_resource_share_permissions
    for page in pages(session, "ram", "ListResourceSharePermissions", call, request, token="nextToken"):
        yield from map(PermissionRecord.from_aws, page.get("permissions", ()))


def get_permission(session: AwsSession, arn: str, *, version: int | None = None) -> PermissionRecord:
    """Read a permission with the actions it allows, sorted; the default version unless one is named.

    Raises AwsNotFound, AwsInvalid. Source: GetPermission.
    """
    with translated(session, "ram", "GetPermission"):
        if version is None:
            answer = session.ram.get_permission(permissionArn=arn)
        else:
            answer = session.ram.get_permission(permissionArn=arn, permissionVersion=version)
    return PermissionRecord.from_aws(answer["permission"])


def delete_share(session: AwsSession, share_arn: str, *, client_token: str = "") -> None:
    """Delete a share of this account; the principals lose access. Raises AwsNotFound, AwsConflict.

    Source: DeleteResourceShare.
    """
    request: dict[str, Any] = {"resourceShareArn": share_arn}
    if client_token:
        request["clientToken"] = client_token
    with translated(session, "ram", "DeleteResourceShare"):
        session.ram.delete_resource_share(**request)
