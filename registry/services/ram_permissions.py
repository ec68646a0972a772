"""What RAM's permissions for model groups allow, and the groups' own resource policies, as they were read."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import F
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.operations import operation

from ..aws import ram, sagemaker
from ..aws.errors import AwsDenied, AwsNotFound
from ..aws.records import PermissionRecord
from ..aws.session import AwsSession
from ..models import AwsAccount, GroupPolicy, ModelGroup, RamPermission
from ..sharing.documents import Unreadable, template_verbs
from ..sharing.verbs import Verb

# Every policy is read within the hour by passes five minutes apart, and one pass asks for no more than the second.
_PASSES_AN_HOUR = 12
MOST_POLICIES = 200


def refresh_permissions(*, actor: Actor, account: AwsAccount, session: AwsSession) -> None:
    """Write down the permissions an account can share model groups under, and what each allows.

    A version never changes, so each is read once; one whose actions cannot be read is kept without them. Raises
    AwsError. Source: ListPermissions, GetPermission.
    """
    listed = list(ram.list_permissions(session))
    keep(actor=actor, account=account, session=session, records=listed)
    current = {(record.arn, record.version) for record in listed}
    with operation(actor, "sync permissions"):
        for row in RamPermission.objects.filter(account=account, region=session.account.region):
            if row.is_current != ((row.arn, row.version) in current):
                row.is_current = not row.is_current
                row.save(update_fields=["is_current"])


def keep(*, actor: Actor, account: AwsAccount, session: AwsSession, records: Iterable[PermissionRecord]) -> None:
    """Read what these versions of permissions allow, unless that is known, and write it down. Raises AwsError."""
    region = session.account.region
    rows = RamPermission.objects.filter(account=account, region=region).exclude(template="")
    known = set(rows.values_list("arn", "version"))
    for record in {(one.arn, one.version): one for one in records}.values():
        if (record.arn, record.version) in known:
            continue
        version = int(record.version) if record.version.isdecimal() else None
        try:
            read = ram.get_permission(session, record.arn, version=version)
        except (AwsDenied, AwsNotFound):
            # Nobody can share under what nobody can read; a share that has it counts as perhaps everything.
            read = record
        with operation(actor, "sync permissions"):
            RamPermission.objects.update_or_create(
                account=account,
                region=region,
                arn=record.arn,
                version=record.version,
                defaults={
                    "name": record.name or record.arn.rsplit("/", 1)[-1],
                    "is_default": record.is_default,
                    "kind": record.permission_type,
                    "template": read.template,
                    "actions": list(read.actions),
                    "verbs": _verbs(read.template),
                    "read_at": timezone.now(),
                },
            )


def _verbs(template: str) -> list[Verb]:
    if not template:
        return []
    try:
        found = template_verbs(template)
    except Unreadable:
        return list(Verb)
    return [verb for verb in Verb if verb in found]


def refresh_policies(*, actor: Actor, account: AwsAccount, session: AwsSession) -> int:
    """Read the resource policies of an account's groups in a region, those read longest ago first; returns how many.

    A twelfth of them, at most MOST_POLICIES. Raises AwsError. Source: GetModelPackageGroupPolicy.
    """
    groups = ModelGroup.objects.filter(account=account, region=session.account.region, missing_since=None)
    due = groups.order_by(F("resource_policy__read_at").asc(nulls_first=True), "pk")
    wanted = min(max(-(-groups.count() // _PASSES_AN_HOUR), 25), MOST_POLICIES)
    read = 0
    for group in due[:wanted]:
        read_policy(actor=actor, group=group, session=session)
        read += 1
    return read


def read_policy(*, actor: Actor, group: ModelGroup, session: AwsSession) -> None:
    """Read one group's resource policy now; a group that AWS no longer has counts as without one. Raises AwsError."""
    try:
        document = sagemaker.get_group_policy(session, group.name) or ""
    except AwsNotFound:
        document = ""
    with operation(actor, "sync resource policies"):
        GroupPolicy.objects.update_or_create(group=group, defaults={"document": document, "read_at": timezone.now()})
