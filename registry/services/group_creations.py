"""Model groups that people create through the portal: asked for here, made in the hub by the outbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils import timezone

from portal.core.actors import Actor
from portal.core.errors import InvalidInput, WrongState
from portal.core.locks import hold_until_commit
from portal.core.permissions import Act, require

from ..aws import registering
from ..aws.errors import AwsError
from ..aws.records import GroupRecord
from ..choices import AccountPurpose, AskedState
from ..models import AwsAccount, GroupCreation, ModelGroup, Project, PublicNumber, UseCase, User
from . import accounts, group_policies, groups, versions

# The tag by which a group the portal made is known from one of the same name that somebody else made.
TAG = "portal:creation"
_FIELDS = {"ModelPackageGroupName": "name", "ModelPackageGroupDescription": "description", "Tags": "tags"}


@dataclass(frozen=True)
class NewGroup:
    """What people say of a group to be created.

    `account` and `region` may be left out where there is one hub, or one region of it. `policy` is the group's resource
    policy as JSON text, "" for none; `reason` an ML admin's, for one that lets others approve or delete.
    """

    name: str
    project: Project
    description: str = ""
    account: AwsAccount | None = None
    region: str = ""
    owner: User | None = None
    use_cases: Sequence[UseCase] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    policy: str = ""
    reason: str = ""


def ask(*, actor: Actor, new: NewGroup) -> GroupCreation:
    """Write down the group to be created, with the next public id.

    Runs in the caller's operation, which also orders the delivery. Raises Forbidden, WrongState when a group of this
    name is there or on its way, InvalidInput naming the fields.
    Source: CreateModelPackageGroup, PutModelPackageGroupPolicy.
    """
    require(actor, Act.CREATE_GROUP, new.project.pk)
    if actor.user_id is None:
        raise InvalidInput("A group is created by a person.")
    account = new.account or _only_hub()
    region = new.region or account.region
    _checked(actor, account, region, new)
    hold_until_commit(f"group:{account.account_id}:{region}:{new.name.lower()}")
    if ModelGroup.objects.filter(account=account, region=region, name__iexact=new.name, missing_since=None).exists():
        raise WrongState(f"{account} has a model group {new.name} in {region} already. Choose another name.")
    waiting = GroupCreation.objects.filter(
        account=account, region=region, name__iexact=new.name, state=AskedState.PENDING
    ).first()
    if waiting is not None:
        raise WrongState(f"{waiting.public_id} is creating a group {new.name} there already.")
    return GroupCreation.objects.create(
        number=PublicNumber.take("GC"),
        account=account,
        region=region,
        name=new.name,
        description=new.description,
        tags=dict(new.tags),
        policy=new.policy,
        reason=new.reason.strip(),
        project=new.project,
        owner=new.owner,
        use_case_ids=sorted(use_case.pk for use_case in new.use_cases),
        requested_by_id=actor.user_id,
    )


def arn_of(creation: GroupCreation) -> str:
    """Return the ARN the group will have."""
    return group_policies.group_arn(creation.account, creation.region, creation.name)


def finish(*, actor: Actor, number: int, record: GroupRecord) -> ModelGroup:
    """Take the group in, give it its project, owner and use cases, and mark the creation as done.

    Runs in the caller's operation. What somebody claimed it for meanwhile stays; an owner or use case that has left
    the project since is left out.
    """
    creation = (
        GroupCreation.objects.select_for_update(of=("self",)).select_related("account", "owner").get(number=number)
    )
    group, _ = groups.take_in(actor=actor, account=creation.account, record=record)
    if creation.state != AskedState.DONE:
        if group.project_id is None:
            owner = creation.owner
            group.project_id = creation.project_id
            group.owner = owner if owner is not None and owner.actor.roles_on(creation.project_id) else None
            group.revision += 1
            group.save(update_fields=["project", "owner", "revision"])
            group.use_cases.set(
                UseCase.objects.active().filter(pk__in=creation.use_case_ids, project_id=creation.project_id)
            )
            versions.link_all(list(group.versions.select_related("group")))
        creation.state, creation.error, creation.finished_at = AskedState.DONE, "", timezone.now()
        creation.group = group
        creation.save(update_fields=["state", "error", "finished_at", "group"])
    return group


def fail(*, number: int, error: str) -> None:
    """Mark a creation as failed, with the reason. Runs in the caller's operation; a retry may still finish it."""
    GroupCreation.objects.filter(number=number).exclude(state=AskedState.DONE).update(
        state=AskedState.FAILED, error=error, finished_at=timezone.now()
    )


def _only_hub() -> AwsAccount:
    hubs = list(AwsAccount.objects.hubs()[:2])
    if len(hubs) == 1:
        return hubs[0]
    raise InvalidInput(
        "Say in which account.",
        errors={
            "account": [
                "There are several hubs; name one by its twelve digits."
                if hubs
                else "No enabled account is a hub yet. An ML admin registers one."
            ]
        },
    )


def _checked(actor: Actor, account: AwsAccount, region: str, new: NewGroup) -> None:
    """Check what is asked for. Raises InvalidInput naming every field that is wrong."""
    errors = _misplaced(account, region) | _bad_tags(new.tags)
    try:
        groups.require_fitting(project=new.project, owner=new.owner, use_cases=new.use_cases)
    except InvalidInput as refusal:
        errors |= refusal.errors
    if not errors:
        errors = _beyond_limits(account, region, new)
    if not errors and new.policy:
        arn = group_policies.group_arn(account, region, new.name)
        problems = group_policies.problems_of(new.policy, arn) or group_policies.refusal(
            actor=actor, project_id=new.project.pk, account=account, arn=arn, policy=new.policy, reason=new.reason
        )
        if problems:
            errors["policy"] = problems
    if errors:
        raise InvalidInput("This group cannot be created as it is.", errors=errors)


def _misplaced(account: AwsAccount, region: str) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if AccountPurpose.HUB not in account.purposes or not account.is_enabled:
        errors["account"] = [f"{account} is no enabled hub; groups are created in a hub."]
    if region not in account.regions:
        errors["region"] = [f"{account} is governed in {', '.join(account.regions)}."]
    return errors


def _bad_tags(tags: Mapping[str, str]) -> dict[str, list[str]]:
    reserved = [key for key in tags if key == TAG or key.lower().startswith("aws:")]
    if reserved:
        return {"tags": [f"{', '.join(reserved)[:200]} cannot be given: such keys are the portal's and AWS's own."]}
    if len(tags) > 49:
        return {"tags": ["At most 49 tags: AWS takes 50, and one is the portal's."]}
    return {}


def _beyond_limits(account: AwsAccount, region: str, new: NewGroup) -> dict[str, list[str]]:
    request = registering.group_request(name=new.name, description=new.description, tags=new.tags)
    try:
        accounts.reach(account, region)
    except AwsError as error:
        raise WrongState(str(error)) from error
    errors: dict[str, list[str]] = {}
    for problem in registering.group_problems(request):
        named = next((field for name, field in _FIELDS.items() if name in problem), "name")
        said = (
            f"{problem}."
            if named != "name"
            else "A name has letters, digits and single hyphens between them, at most 63."
        )
        errors.setdefault(named, []).append(said)
    return errors
