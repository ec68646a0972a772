"""People, their roles, and the AWS identities that are the same person."""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from guardian.shortcuts import assign_perm, remove_perm

from portal.core.actors import Actor
from portal.core.errors import InvalidInput
from portal.core.operations import operation
from portal.core.permissions import Act, require_anywhere

from ..access import role_codename
from ..choices import Role
from ..models import AwsIdentity, ModelVersion, Project, User


def create_person(
    *, actor: Actor, username: str, display_name: str, email: str = "", password: str | None = None
) -> User:
    """Create a person who may sign in. Raises Forbidden, InvalidInput (taken name, weak password)."""
    require_anywhere(actor, Act.MANAGE_ACCESS)
    with operation(actor, "create person"):
        user = User(username=username, display_name=display_name, email=email)
        try:
            if password is not None:
                validate_password(password, user)
            user.set_password(password)
            user.full_clean()
        except ValidationError as error:
            fields = error.message_dict if hasattr(error, "error_dict") else {"password": error.messages}
            raise InvalidInput("This person cannot be created.", errors=fields) from error
        user.save()
        return user


def grant(*, actor: Actor, role: Role, to: User | Group, project: Project | None = None) -> None:
    """Give a role to a person or a group of people, on one project or (without one) everywhere."""
    _change(actor, role, to, project, give=True)


def revoke(*, actor: Actor, role: Role, to: User | Group, project: Project | None = None) -> None:
    """Take a role away again."""
    _change(actor, role, to, project, give=False)


def link_identity(*, actor: Actor, user: User, arn: str) -> AwsIdentity:
    """Say that an AWS principal is this person; versions it registered become his.

    Raises Forbidden, InvalidInput when the ARN is somebody else's already.
    """
    require_anywhere(actor, Act.MANAGE_ACCESS)
    arn = arn.strip()
    if not arn.startswith("arn:"):
        raise InvalidInput("This is not an ARN.", errors={"arn": ["An AWS identity is given by its ARN."]})
    with operation(actor, "link AWS identity"):
        identity, created = AwsIdentity.objects.get_or_create(arn=arn, defaults={"user": user})
        if not created and identity.user_id != user.pk:
            raise InvalidInput("This identity is taken.", errors={"arn": [f"It belongs to {identity.user.username}."]})
        for version in ModelVersion.objects.filter(registrant_arn=arn, registered_by=None):
            version.registered_by = user
            version.save(update_fields=["registered_by"])
        return identity


def _change(actor: Actor, role: Role, to: User | Group, project: Project | None, *, give: bool) -> None:
    require_anywhere(actor, Act.MANAGE_ACCESS)
    codename = role_codename(role)
    with operation(actor, f"{'grant' if give else 'revoke'} {role.label}"):
        if project is not None:
            (assign_perm if give else remove_perm)(codename, to, project)
            return
        permission = Permission.objects.get(content_type__app_label="registry", codename=codename)
        held = to.user_permissions if isinstance(to, User) else to.permissions
        (held.add if give else held.remove)(permission)
