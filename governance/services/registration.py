"""Registering versions and creating groups: asked for and ordered in one transaction, carried out right after it."""

from __future__ import annotations

from dataclasses import dataclass

from portal.core.actors import Actor
from portal.core.operations import operation
from registry.models import GroupCreation, ModelGroup, Registration
from registry.services import group_creations, registrations
from registry.services.group_creations import NewGroup
from registry.services.registrations import NewVersion

from ..choices import OutboxKind
from ..models import OutboxMessage
from ..selectors.registrations import key_of_creation, key_of_registration
from . import outbox, runs, soon


@dataclass(frozen=True)
class Order:
    """What somebody asked for, and the order that carries it; None for one that was asked for before."""

    row: Registration
    message: OutboxMessage | None


def register_version(
    *,
    actor: Actor,
    group_id: int,
    new: NewVersion,
    reference: str = "",
    run: str = "",
    server: str = "",
    seen: ModelGroup | None = None,
) -> Registration:
    """Have a version registered in a group of the hub, as waiting for approval in development.

    The order is written with the registration, so nothing is lost; it is then carried out at once, and this waits some
    seconds for that. The registration returned is done and knows its version when AWS was quick; otherwise a worker
    goes on. The same `reference` of the same person in the same group gives the registration it gave before.

    `run` names the MLflow run it comes from, as `runs.attach` takes it, on the tracking server called `server`; a
    worker reads it once the version is there. `seen` is the group as `registrations.ask` takes it. Raises NotFound,
    Forbidden, WrongState, InvalidInput naming the fields. Source: CreateModelPackage.
    """
    ordered = order_version(
        actor=actor, group_id=group_id, new=new, reference=reference, run=run, server=server, seen=seen
    )
    if ordered.message is not None:
        soon.carry_out(ordered.message.ordering_key)
    return Registration.objects.select_related("group", "version", "requested_by").get(pk=ordered.row.pk)


def order_version(
    *,
    actor: Actor,
    group_id: int,
    new: NewVersion,
    reference: str = "",
    run: str = "",
    server: str = "",
    seen: ModelGroup | None = None,
) -> Order:
    """Do what `register_version` does and wait for nothing: a worker carries the order out."""
    with operation(actor, "register model version"):
        registration, is_new = registrations.ask(
            actor=actor, group_id=group_id, new=new, reference=reference, seen=seen
        )
        runs.name_for_registration(actor=actor, registration=registration, is_new=is_new, run=run, server=server)
        if not is_new:
            return Order(registration, None)
        group = registration.group
        message = outbox.put(
            kind=OutboxKind.REGISTRATION,
            ordering_key=key_of_registration(registration),
            group=group,
            summary=f"Register a version in {group.name} for {actor.name} ({registration.public_id})",
            payload={"registration": registration.number},
        )
    return Order(registration, message)


def create_group(*, actor: Actor, new: NewGroup) -> GroupCreation:
    """Have a model group created in the hub, with tags and policy, for a project.

    Ordered and carried out as `register_version` does. Raises Forbidden, WrongState when a group of this name is there
    or on its way, InvalidInput naming the fields. Source: CreateModelPackageGroup, PutModelPackageGroupPolicy.
    """
    with operation(actor, new.reason.strip() or "create model group"):
        creation = group_creations.ask(actor=actor, new=new)
        key = key_of_creation(creation)
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
