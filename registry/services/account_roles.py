"""Take in the roles people and SageMaker can take in an account, and say for which persona one stands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import InvalidInput
from portal.core.operations import operation
from portal.core.permissions import Act, require

from ..aws import iam_roles
from ..aws.errors import AwsError
from ..aws.iam_roles import PolicyRecord, RoleRecord
from ..aws.session import AwsSession
from ..choices import Persona
from ..models import AccountRole, AwsAccount


class Counts(Protocol):
    """What a pass tells of itself."""

    created: int
    updated: int
    unchanged: int
    missing: int
    problems: list[str]


def read(actor: Actor, account: AwsAccount, session: AwsSession, tally: Counts) -> None:
    """Read the roles people and SageMaker can take in an account, with policies and boundary, and keep them.

    IAM is the same in every region: it is asked in the account's first one. A role whose policies may not be read is
    kept with the reason, and keeps what was read of it before. Raises AwsError when the roles may not be listed.
    """
    if session.account.region != account.region:
        return
    listed = iam_roles.roles_of_people(session)
    if listed.total > len(listed.found):
        tally.problems.append(
            f"{account.alias} has {listed.total} roles people or SageMaker can take; the first {len(listed.found)} are"
            " compared."
        )
    rows = {row.arn: row for row in AccountRole.objects.filter(account=account)}
    managed: dict[str, PolicyRecord] = {}
    for record in listed.found:
        # The portal's own role does what no person may: it is no persona's.
        if record.arn == account.role_arn:
            continue
        values = _values(session, record, managed)
        if values["problem"]:
            tally.problems.append(f"The policies of the role {record.name} were not read. {values['problem']}")
        _keep(actor, account, record.arn, rows.pop(record.arn, None), values, tally)
    if listed.total > len(listed.found):
        return
    gone = [row.pk for row in rows.values() if row.missing_since is None]
    if gone:
        with operation(actor, "miss roles"):
            tally.missing += AccountRole.objects.filter(pk__in=gone).update(missing_since=timezone.now())


def _values(session: AwsSession, record: RoleRecord, managed: dict[str, PolicyRecord]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": record.name,
        "description": record.description.replace("\x00", ""),
        "aws_created_at": record.created_at,
        "trust": _storable(record.trust),
        "problem": "",
        "missing_since": None,
    }
    try:
        found = iam_roles.policies_of(session, record.name, managed)
        boundary = iam_roles.boundary_of(session, record.name, managed)
    except AwsError as failure:
        values["problem"] = str(failure)
    else:
        values["policies"] = [{"name": one.name, "arn": one.arn, "document": _storable(one.document)} for one in found]
        values["boundary"] = (
            {
                "arn": boundary.arn,
                "document": None if boundary.document is None else _storable(boundary.document),
                "problem": boundary.problem.replace("\x00", ""),
            }
            if boundary
            else {}
        )
    return values


def _storable(document: Mapping[str, Any]) -> Any:
    """Return a document as the database takes it: PostgreSQL's JSON has no NUL, and IAM's no use for one."""
    return json.loads(json.dumps(document, default=str).replace("\\u0000", ""))


def _keep(
    actor: Actor,
    account: AwsAccount,
    arn: str,
    row: AccountRole | None,
    values: Mapping[str, Any],
    tally: Counts,
) -> None:
    now = timezone.now()
    if row is None:
        with operation(actor, "find a role"):
            AccountRole.objects.create(account=account, arn=arn, read_at=now, **values)
        tally.created += 1
        return
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    row.read_at = now
    with operation(actor, "read a role"):
        row.save(update_fields=[*changed, "read_at"])
    if changed:
        tally.updated += 1
    else:
        tally.unchanged += 1


def link(*, actor: Actor, account_id: str, role_id: int, persona: str) -> AccountRole:
    """Say for which persona a role stands, "" for none in particular; it is compared with that one from then on.

    Raises NotFound, Forbidden, InvalidInput naming the field.
    """
    row = access.get(AccountRole, actor, pk=role_id, account__account_id=account_id, related=("account",))
    require(actor, Act.MANAGE_ACCOUNTS)
    if persona and persona not in set(Persona):
        raise InvalidInput("There is no such persona.", errors={"persona": [f"Choose one of {', '.join(Persona)}."]})
    with operation(actor, "link role to persona"):
        locked = AccountRole.objects.select_for_update(of=("self",)).select_related("account").get(pk=row.pk)
        locked.persona = persona
        locked.linked_by_id = actor.user_id if persona else None
        locked.linked_at = timezone.now() if persona else None
        locked.save(update_fields=["persona", "linked_by", "linked_at"])
    return locked
