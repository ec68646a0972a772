"""Registering versions and creating groups: asked for and ordered in one transaction, carried out right after it."""

from __future__ import annotations

from portal.core.actors import Actor
from portal.core.operations import operation
from registry.models import GroupCreation, Registration
from registry.services import group_creations, registrations
from registry.services.group_creations import NewGroup
from registry.services.registrations import NewVersion

from ..choices import OutboxKind
from . import outbox, runs, soon


def register_version(
    *, actor: Actor, group_id: int, new: NewVersion, reference: str = "", run: str = "", server: str = ""
) -> Registration:
    """Have a version registered in a group of the hub, as waiting for approval in development.

    The order is written with the registration, so nothing is lost; it is then carried out at once, and this waits some
    seconds for that. The registration returned is done and knows its version when AWS was quick; otherwise a worker
    goes on. The same `reference` of the same person in the same group gives the registration it gave before.

    `run` names the MLflow run it comes from, as `runs.attach` takes it, on the tracking server called `server`; a
    worker reads it once the version is there. Raises NotFound, Forbidden, WrongState, InvalidInput naming the fields.
    Source: CreateModelPackage.
    """
    with operation(actor, "register model version"):
        registration, is_new = registrations.ask(actor=actor, group_id=group_id, new=new, reference=reference)
        runs.name_for_registration(actor=actor, registration=registration, is_new=is_new, run=run, server=server)
        # A key of its own: one that AWS refuses must not hold up what others register in the group.
        key = f"registration:{registration.public_id}"
        if is_new:
            group = registration.group
            outbox.put(
                kind=OutboxKind.REGISTRATION,
                ordering_key=key,
                group=group,
                summary=f"Register a version in {group.name} for {actor.name} ({registration.public_id})",
                payload={"registration": registration.number},
            )
    if is_new:
        soon.carry_out(key)
    return Registration.objects.select_related("group", "version", "requested_by").get(pk=registration.pk)


def create_group(*, actor: Actor, new: NewGroup) -> GroupCreation:
    """Have a model group created in the hub, with tags and policy, for a project.

    Ordered and carried out as `register_version` does. Raises Forbidden, WrongState when a group of this name is there
    or on its way, InvalidInput naming the fields. Source: CreateModelPackageGroup, PutModelPackageGroupPolicy.
    """
    with operation(actor, new.reason.strip() or "create model group"):
        creation = group_creations.ask(actor=actor, new=new)
        key = f"group:{group_creations.arn_of(creation)}"
        outbox.put(
            kind=OutboxKind.GROUP_CREATION,
            ordering_key=key,
            account=creation.account,
            summary=f"Create the model group {creation.name} in {creation.account} ({creation.public_id})",
            payload={"creation": creation.number},
        )
    soon.carry_out(key)
    return GroupCreation.objects.select_related("account", "project", "owner", "group", "requested_by").get(
        pk=creation.pk
    )
