"""Model groups: taken in from AWS, claimed for a project by people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db.models import F
from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import Forbidden, InvalidInput, StaleEdit, WrongState
from portal.core.jobs import enqueue_on_commit
from portal.core.locks import hold_until_commit
from portal.core.operations import operation
from portal.core.permissions import Act, may, require, require_anywhere

from ..aws.records import GroupRecord
from ..choices import ObjectKind
from ..models import AwsAccount, ModelGroup, Project, UseCase, User
from . import changes, versions
from .attribute_values import clean


def take_in(*, actor: Actor, account: AwsAccount, record: GroupRecord) -> tuple[ModelGroup, bool]:
    """Write down what AWS says of one group; returns it and whether it is new. Runs in the caller's operation.

    A group read in its owner's account belongs to that account from then on, also if it was known through a share
    before. One deleted and made anew under the same name is the same group here, with what people said of it.
    """
    # A pass and an event may meet the same new group at once; there is no row yet to lock.
    hold_until_commit(f"group:{record.arn}")
    group = ModelGroup.objects.select_for_update(of=("self",), no_key=True).filter(arn=record.arn).first()
    if group is None:
        return (
            ModelGroup.objects.create(
                arn=record.arn,
                name=record.name,
                account=account,
                region=record.region,
                description=record.description,
                aws_created_at=record.created_at,
            ),
            True,
        )
    said: dict[str, Any] = {
        "description": record.description,
        "aws_created_at": record.created_at or group.aws_created_at,
    }
    if record.account_id == account.account_id:
        said["account"] = account
    changed = [name for name, value in said.items() if getattr(group, name) != value]
    for name in changed:
        setattr(group, name, said[name])
    if group.missing_since is not None:
        group.missing_since = None
        changed.append("missing_since")
    if changed:
        group.save(update_fields=changed)
    return group, False


def mark_missing(*, actor: Actor, account: AwsAccount, arns: Collection[str]) -> list[ModelGroup]:
    """Mark groups of an account that AWS no longer has; returns those newly missing. Runs in the caller's operation."""
    gone = list(
        ModelGroup.objects.select_for_update(of=("self",), no_key=True).filter(
            account=account, missing_since=None, arn__in=list(arns)
        )
    )
    for group in gone:
        group.missing_since = timezone.now()
        group.save(update_fields=["missing_since"])
    return gone


def require_fitting(*, project: Project | None, owner: User | None, use_cases: Iterable[UseCase]) -> None:
    """Check that a group's owner and use cases are its project's. Raises InvalidInput naming the field."""
    strangers = [use_case.public_id for use_case in use_cases if project is None or use_case.project_id != project.pk]
    if strangers:
        raise InvalidInput(
            "A group serves use cases of its own project only.",
            errors={"use_cases": [f"{', '.join(strangers)} belongs to another project."]},
        )
    if owner is not None and owner.is_service:
        raise InvalidInput(
            "The owner must be a person.",
            errors={"owner": [f"{owner.username} is a service account, which owns nothing."]},
        )
    if owner is not None and project is not None and not owner.actor.roles_on(project.pk):
        raise InvalidInput(
            "The owner must be one of the project's people.",
            errors={"owner": [f"{owner.username} holds no role on this project."]},
        )


def edit(
    *,
    actor: Actor,
    group_id: int,
    revision: int,
    project: Project | None,
    owner: User | None,
    use_cases: Iterable[UseCase],
    attributes: Mapping[str, object] | None = None,
) -> ModelGroup:
    """Claim a group for a project, name its owner and the use cases it serves; its versions are linked again.

    `attributes` are values of custom attributes by key, None for one to take away; left out, all stay as they are.
    Whoever moves a group needs the right on the project it leaves and on the one it enters. Raises NotFound,
    Forbidden, StaleEdit when somebody edited it since `revision`, InvalidInput when a use case belongs to another
    project.
    """
    use_cases = list(use_cases)
    with operation(actor, "edit model group"):
        seen = access.get(ModelGroup, actor, pk=group_id)
        group = ModelGroup.objects.select_for_update(of=("self",), no_key=True).get(pk=seen.pk)
        if group.project_id is None:
            require_anywhere(actor, Act.EDIT_GROUP)
        else:
            require(actor, Act.EDIT_GROUP, group.project_id)
        if group.revision != revision:
            raise StaleEdit("Somebody changed this group since you opened it. Reload and make your change again.")
        if project is not None and not may(actor, Act.EDIT_GROUP, project.pk):
            raise Forbidden("You may not claim groups for this project. This needs a role on it.")
        require_fitting(project=project, owner=owner, use_cases=use_cases)
        group.project, group.owner = project, owner
        if attributes is not None:
            scope = None if project is None else project.pk
            group.attributes = clean(ObjectKind.MODEL_GROUP, attributes, current=group.attributes, project_id=scope)
        group.save(update_fields=["project", "owner", "attributes"])
        ModelGroup.objects.filter(pk=group.pk).update(revision=F("revision") + 1)
        group.refresh_from_db()
        group.use_cases.set(use_cases)
        versions.link_group(group)
        changes.tell(actor=actor, what=group, fields=["use_cases"], why="The use cases of its group were edited.")
        # By name: governance keeps its findings about the group true, and registry knows nothing of them.
        enqueue_on_commit("governance.reconcile_group", group_id=group.pk)
        return group


def claim(*, actor: Actor, group_id: int, revision: int, project: Project) -> ModelGroup:
    """Have a group that belongs to nobody belong to a project; who owns it and what it serves is said later.

    Raises NotFound, Forbidden, WrongState when it is claimed already, StaleEdit when it was edited since `revision`.
    """
    seen = access.get(ModelGroup, actor, pk=group_id)
    if seen.project_id is not None:
        raise WrongState(f"{seen.name} belongs to {seen.project} already.")
    with operation(actor, "claim model group"):
        served = list(seen.use_cases.all())
        return edit(
            actor=actor, group_id=group_id, revision=revision, project=project, owner=seen.owner, use_cases=served
        )


def serve(*, actor: Actor, use_case: UseCase, group_ids: Collection[int]) -> list[ModelGroup]:
    """Have existing groups of a use case's project serve it too, beside what they serve already.

    This is how a use case that is being registered says which models it is built from: it takes the right to register
    use cases on the project. Runs in the caller's operation. Raises Forbidden, InvalidInput naming `groups` for one
    that is not there, gone from AWS, or another project's.
    """
    require(actor, Act.REGISTER_USE_CASE, use_case.project_id)
    wanted = sorted(set(group_ids))
    rows = ModelGroup.objects.visible_to(actor).filter(
        pk__in=wanted, project_id=use_case.project_id, missing_since=None
    )
    found = list(
        ModelGroup.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=list(rows.values_list("pk", flat=True)))
        .order_by("pk")
    )
    if len(found) != len(wanted):
        raise InvalidInput(
            "Some fields need your attention.",
            errors={"groups": ["One of these model groups is not this project's any more. Choose again."]},
        )
    for group in found:
        group.use_cases.add(use_case)
        ModelGroup.objects.filter(pk=group.pk).update(revision=F("revision") + 1)
        versions.link_group(group)
        changes.tell(actor=actor, what=group, fields=["use_cases"], why=f"It serves {use_case.public_id} now as well.")
        enqueue_on_commit("governance.reconcile_group", group_id=group.pk)
    return found
