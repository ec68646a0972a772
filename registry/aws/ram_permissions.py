"""Permissions of one's own in AWS RAM: made, given a new version, attached to a share, removed."""

from __future__ import annotations

from collections.abc import Iterator

from registry.aws.errors import translated
from registry.aws.limits import require_valid
from registry.aws.ram import RESOURCE_TYPE
from registry.aws.records import PermissionRecord
from registry.aws.session import AwsSession, pages

# RAM keeps five versions of a permission; the default one cannot be deleted.
MOST_VERSIONS = 5
_PAGE_SIZE = 100


def create_permission(session: AwsSession, *, name: str, template: str, client_token: str) -> PermissionRecord:
    """Make a permission for model groups from a policy template (JSON without principal and resource), version 1.

    The same `client_token` with the same values is the same permission. Raises AwsConflict when there is one of that
    name or no room for another, AwsInvalid for a name or template RAM does not take. Source: CreatePermission.
    """
    request = {
        "name": name,
        "resourceType": RESOURCE_TYPE,
        "policyTemplate": template,
        "clientToken": client_token,
    }
    require_valid(session, "ram", "CreatePermission", request)
    with translated(session, "ram", "CreatePermission"):
        answer = session.ram.create_permission(
            name=name, resourceType=RESOURCE_TYPE, policyTemplate=template, clientToken=client_token
        )
    return PermissionRecord.from_aws(answer["permission"])


def create_permission_version(session: AwsSession, arn: str, *, template: str, client_token: str) -> PermissionRecord:
    """Give a permission a new version, which becomes its default; shares keep theirs until it is replaced there.

    Raises AwsNotFound, AwsInvalid, AwsConflict when there are MOST_VERSIONS. Source: CreatePermissionVersion.
    """
    with translated(session, "ram", "CreatePermissionVersion"):
        answer = session.ram.create_permission_version(
            permissionArn=arn, policyTemplate=template, clientToken=client_token
        )
    return PermissionRecord.from_aws(answer["permission"])


def list_permission_versions(session: AwsSession, arn: str) -> Iterator[PermissionRecord]:
    """Yield the versions of a permission, without their actions. Raises AwsNotFound. Source: ListPermissionVersions."""
    request = {"permissionArn": arn, "maxResults": _PAGE_SIZE}
    call = session.ram.list_permission_versions
    for page in pages(session, "ram", "ListPermissionVersions", call, request, token="nextToken"):
        yield from map(PermissionRecord.from_aws, page.get("permissions", ()))


def delete_permission_version(session: AwsSession, arn: str, version: int, *, client_token: str) -> None:
    """Delete a version that is neither the default nor attached to a share. Raises AwsNotFound, AwsDenied, AwsInvalid.

    Source: DeletePermissionVersion.
    """
    with translated(session, "ram", "DeletePermissionVersion"):
        session.ram.delete_permission_version(permissionArn=arn, permissionVersion=version, clientToken=client_token)


def delete_permission(session: AwsSession, arn: str, *, client_token: str) -> None:
    """Delete a permission of one's own that no share uses. Raises AwsNotFound, AwsDenied while one does.

    Source: DeletePermission.
    """
    with translated(session, "ram", "DeletePermission"):
        session.ram.delete_permission(permissionArn=arn, clientToken=client_token)


def replace_permission(
    session: AwsSession, share_arn: str, permission_arn: str, *, version: int | None = None, client_token: str
) -> None:
    """Attach a permission to a share in the place of the one it has; its default version unless one is named.

    Raises AwsNotFound, AwsInvalid, AwsDenied. Source: AssociateResourceSharePermission with replace.
    """
    with translated(session, "ram", "AssociateResourceSharePermission"):
        if version is None:
            session.ram.associate_resource_share_permission(
                resourceShareArn=share_arn, permissionArn=permission_arn, replace=True, clientToken=client_token
            )
        else:
            session.ram.associate_resource_share_permission(
                resourceShareArn=share_arn,
                permissionArn=permission_arn,
                permissionVersion=version,
                replace=True,
                clientToken=client_token,
            )
