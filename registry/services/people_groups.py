"""Groups of people: whoever is in one holds the roles the group was given."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError

from portal.core.actors import Actor
from portal.core.errors import Forbidden, InvalidInput, NotFound, WrongState
from portal.core.marks import mark, refuse_unless_read
from portal.core.operations import operation
from portal.core.permissions import Act, require

from ..models import (
    ModelGroupGroupObjectPermission,
    ProjectGroupObjectPermission,
    UseCaseGroupObjectPermission,
    User,
)


def create(*, actor: Actor, name: str) -> Group:
    """Make a group without people and without roles. Raises Forbidden, InvalidInput when the name is taken."""
    require(actor, Act.MANAGE_ACCESS)
    with operation(actor, "create group of people"):
        return _saved(Group(name=name.strip()))


def mark_of(group: Group) -> str:
    """Return the mark of what can be edited of a group."""
    return mark(group.name)


def rename(*, actor: Actor, group: Group, name: str, read_mark: str | None = None) -> Group:
    """Give a group another name. Raises Forbidden, NotFound, InvalidInput when the name is taken, StaleEdit."""
    require(actor, Act.MANAGE_ACCESS)
    with operation(actor, "rename group of people"):
        group = _locked(group)
        refuse_unless_read(mark_of(group), read_mark, "group of people")
        group.name = name.strip()
        return _saved(group)


def add(*, actor: Actor, group: Group, person: User) -> None:
    """Take a person into a group, which gives him its roles from his next request on.

    Raises Forbidden, also to who would take himself in: that would be giving himself roles. Raises NotFound,
    InvalidInput when he is in it already.
    """
    require(actor, Act.MANAGE_ACCESS)
    if person.pk == actor.user_id:
        raise Forbidden("Nobody takes himself into a group of people. Ask another ML admin.")
    if person.is_service:
        raise InvalidInput(
            "A group may be given a role that decides.",
            errors={"person": [f"{person} is a service account, which decides nothing and is in no group."]},
        )
    with operation(actor, f"take {person.username} into the group {group.name}"):
        group = _locked(group)
        if person.groups.filter(pk=group.pk).exists():
            raise InvalidInput("Nothing to do.", errors={"person": [f"{person} is in this group already."]})
        person.groups.add(group)


def remove(*, actor: Actor, group: Group, person: User) -> None:
    """Take a person out of a group, and with it the roles he held through it.

    Raises Forbidden, NotFound, WrongState when he is not in it.
    """
    require(actor, Act.MANAGE_ACCESS)
    with operation(actor, f"take {person.username} out of the group {group.name}"):
        group = _locked(group)
        if not person.groups.filter(pk=group.pk).exists():
            raise WrongState(f"{person} is not in this group: somebody was faster.")
        person.groups.remove(group)


def delete(*, actor: Actor, group: Group) -> None:
    """Take a group away. Raises Forbidden, NotFound, WrongState while it gives anybody anything."""
    require(actor, Act.MANAGE_ACCESS)
    with operation(actor, "delete group of people"):
        group = _locked(group)
        given = (ProjectGroupObjectPermission, UseCaseGroupObjectPermission, ModelGroupGroupObjectPermission)
        if group.permissions.exists() or any(model.objects.filter(group=group).exists() for model in given):
            raise WrongState("This group still gives its people roles or shows them something. Take that away first.")
        group.delete()


def _locked(group: Group) -> Group:
    found = Group.objects.select_for_update(no_key=True).filter(pk=group.pk).first()
    if found is None:
        raise NotFound("There is no such group of people.")
    return found


def _saved(group: Group) -> Group:
    if "\0" in group.name:
        raise InvalidInput("This name cannot be used.", errors={"name": ["Null characters are not allowed."]})
    try:
        group.full_clean()
    except ValidationError as error:
        raise InvalidInput("This name cannot be used.", errors=error.message_dict) from error
    group.save()
    return group
