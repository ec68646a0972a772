"""People, their roles, and the AWS identities that are the same person."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from guardian.shortcuts import assign_perm, remove_perm

from portal.core.actors import Actor
from portal.core.errors import Forbidden, InvalidInput, WrongState
from portal.core.marks import mark, refuse_unless_read
from portal.core.operations import operation
from portal.core.permissions import SERVICE_ROLES, Act, require

from ..access import role_codename
from ..aws.arns import role_of_session
from ..choices import Role
from ..models import AwsIdentity, ModelVersion, Project, User

EDITABLE = ("display_name", "email", "is_active")


def create_person(
    *, actor: Actor, username: str, display_name: str, email: str = "", password: str | None = None
) -> User:
    """Create a person who may sign in. Raises Forbidden, InvalidInput (taken name, weak password)."""
    require(actor, Act.MANAGE_ACCESS)
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


def mark_of(user: User) -> str:
    """Return the mark of what can be edited of a person."""
    return mark([getattr(user, name) for name in EDITABLE])


def edit_person(*, actor: Actor, user: User, read_mark: str | None = None, **values: Any) -> User:
    """Change what is kept about a person: fields of EDITABLE. Who is not active cannot sign in or use a token.

    Raises Forbidden, InvalidInput naming the fields (nobody switches himself off), WrongState for a service account,
    StaleEdit when the person is not as his `mark_of` was read.
    """
    require(actor, Act.MANAGE_ACCESS)
    _refuse_service(user)
    unknown = sorted(set(values) - set(EDITABLE))
    if unknown:
        raise InvalidInput("Unknown fields.", errors={name: ["This cannot be edited here."] for name in unknown})
    if user.pk == actor.user_id and values.get("is_active") is False:
        raise InvalidInput("You would lock yourself out.", errors={"is_active": ["Another ML admin has to do this."]})
    with operation(actor, "edit person"):
        user = User.objects.select_for_update().get(pk=user.pk)
        refuse_unless_read(mark_of(user), read_mark, "person")
        for name, value in values.items():
            setattr(user, name, value)
        try:
            user.full_clean()
        except ValidationError as error:
            raise InvalidInput("Some fields need your attention.", errors=error.message_dict) from error
        user.save(update_fields=sorted(values))
        return user


def set_password(*, actor: Actor, user: User, password: str) -> User:
    """Give a person a new password, which ends his sessions; his API tokens go on.

    Raises Forbidden, InvalidInput when the password is weak, WrongState for a service account, which has none.
    """
    require(actor, Act.MANAGE_ACCESS)
    _refuse_service(user)
    with operation(actor, "set password"):
        user = User.objects.select_for_update().get(pk=user.pk)
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise InvalidInput("This password is too weak.", errors={"password": error.messages}) from error
        user.set_password(password)
        user.save(update_fields=["password"])
        return user


def grant(*, actor: Actor, role: Role, to: User | Group, project: Project | None = None) -> None:
    """Give a role to a person or a group of people, on one project or (without one) everywhere.

    Who is ML admin of a project gives roles on that project only. Raises Forbidden, also to who would give himself a
    role: an ML admin must not make himself the one who decides; InvalidInput for a service account and a role that
    decides or gives roles.
    """
    _change(actor, role, to, project, give=True)


def revoke(*, actor: Actor, role: Role, to: User | Group, project: Project | None = None) -> None:
    """Take a role away again. Raises Forbidden."""
    _change(actor, role, to, project, give=False)


def link_identity(*, actor: Actor, user: User, arn: str) -> AwsIdentity:
    """Say that an AWS principal is this person; versions it registered or changed last become his.

    Raises Forbidden, InvalidInput when the ARN is somebody else's already.
    """
    require(actor, Act.MANAGE_ACCESS)
    arn = arn.strip()
    if not arn.startswith("arn:"):
        raise InvalidInput("This is not an ARN.", errors={"arn": ["An AWS identity is given by its ARN."]})
    with operation(actor, "link AWS identity"):
        identity, created = AwsIdentity.objects.get_or_create(arn=arn, defaults={"user": user})
        if not created and identity.user_id != user.pk:
            raise InvalidInput("This identity is taken.", errors={"arn": [f"It belongs to {identity.user.username}."]})
        for version in ModelVersion.objects.filter(registered_by=None).exclude(registrant_arn=""):
            if arn in (version.registrant_arn, role_of_session(version.registrant_arn)):
                version.registered_by = user
                version.save(update_fields=["registered_by"])
        for version in ModelVersion.objects.filter(modified_by=None).exclude(changed_by_arn=""):
            if arn in (version.changed_by_arn, role_of_session(version.changed_by_arn)):
                version.modified_by = user
                version.save(update_fields=["modified_by"])
        return identity


def unlink_identity(*, actor: Actor, identity: AwsIdentity) -> None:
    """Say that an AWS principal is no longer this person, for what it does from now on.

    Versions it registered stay his: unlinking must not make somebody able to approve his own work. Raises Forbidden.
    """
    require(actor, Act.MANAGE_ACCESS)
    with operation(actor, "unlink AWS identity"):
        AwsIdentity.objects.filter(pk=identity.pk).delete()


def _change(actor: Actor, role: Role, to: User | Group, project: Project | None, *, give: bool) -> None:
    require(actor, Act.MANAGE_ACCESS, project.pk if project else None)
    if give and _is_or_holds(to, actor):
        raise Forbidden("Nobody gives himself a role. Ask another ML admin.")
    if give and isinstance(to, User) and to.is_service and role not in SERVICE_ROLES:
        raise InvalidInput(
            "A service account decides nothing.", errors={"role": [f"{to.username} may not be {role.label.lower()}."]}
        )
    codename = role_codename(role)
    with operation(actor, f"{'grant' if give else 'revoke'} {role.label}"):
        if project is not None:
            (assign_perm if give else remove_perm)(codename, to, project)
            return
        permission = Permission.objects.get(content_type__app_label="registry", codename=codename)
        held = to.user_permissions if isinstance(to, User) else to.permissions
        (held.add if give else held.remove)(permission)


def _refuse_service(user: User) -> None:
    if user.is_service:
        raise WrongState(f"{user.username} is a service account: it has no password, and is changed on its own page.")


def _is_or_holds(to: User | Group, actor: Actor) -> bool:
    if isinstance(to, User):
        return to.pk == actor.user_id
    return User.objects.filter(pk=actor.user_id, groups=to).exists()
