"""What people asked the portal to register and create, as lists and pages show it."""

from __future__ import annotations

from django.db.models import QuerySet

from portal.core import access
from portal.core.actors import Actor
from portal.core.database import prepared
from portal.core.kept import Kept

from ..aws.arns import MalformedArn, parse_group_arn
from ..models import AwsAccount, GroupCreation, ModelGroup, Project, Registration, UseCase
from .scope import use_cases_of

_PRESENT = ModelGroup.objects.filter(missing_since=None).select_related("account").order_by("pk")
# A name is that of one group in each account and region; whoever asks sees the one or other of them.
_NAMED = Kept(lambda name: _PRESENT.filter(name__iexact=name), str)
_WITH_ARN = Kept(lambda arn: _PRESENT.filter(arn=arn), str)


def registrations(actor: Actor) -> QuerySet[Registration]:
    """Return the registrations an actor sees, newest first."""
    rows = Registration.objects.visible_to(actor).select_related("group", "version__group", "requested_by")
    return rows.defer("version__described", "version__card").order_by("-number")


def registration(actor: Actor, number: int) -> Registration:
    """Return one registration by the number of its public id. Raises NotFound."""
    return access.get(Registration, actor, number=number)


def registrations_under_way(actor: Actor, group: ModelGroup) -> list[Registration]:
    """Return the registrations in a group that are not done, newest first, at most ten."""
    return list(registrations(actor).filter(group=group).exclude(state="done")[:10])


def creations(actor: Actor) -> QuerySet[GroupCreation]:
    """Return the creations of groups an actor sees, newest first."""
    rows = GroupCreation.objects.visible_to(actor)
    return rows.select_related("account", "project", "owner", "group", "requested_by").order_by("-number")


def creation(actor: Actor, number: int) -> GroupCreation:
    """Return one creation by the number of its public id. Raises NotFound."""
    return access.get(GroupCreation, actor, number=number)


def creations_under_way(actor: Actor) -> list[GroupCreation]:
    """Return the creations that are not done, newest first, at most ten."""
    return list(creations(actor).exclude(state="done")[:10])


def group_named(actor: Actor, text: str) -> ModelGroup | None:
    """Return the visible group of that ARN or, where only one has it, of that name; with its account."""
    try:
        parse_group_arn(text)
    except MalformedArn:
        named = _NAMED
    else:
        named = _WITH_ARN
    with prepared():
        found = [group for group in named.all(text) if ModelGroup.objects.all().sees(actor, group)]
    return found[0] if len(found) == 1 else None


def use_cases_for(group: ModelGroup) -> QuerySet[UseCase]:
    """Return the use cases a version of a group can be for: those of its project that are not retired."""
    return use_cases_of(Project.objects.filter(groups=group))


def hubs() -> QuerySet[AwsAccount]:
    """Return the accounts groups can be created in: every enabled hub."""
    return AwsAccount.objects.hubs()


def hub(account_id: str) -> AwsAccount | None:
    """Return an enabled hub by its twelve digits."""
    return hubs().filter(account_id=account_id).first()
