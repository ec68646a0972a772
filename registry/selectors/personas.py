"""The personas' policies for an account, and what the roles found in it may do beside them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

from django.db.models import Q, QuerySet

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, NotFound
from portal.core.permissions import Act, require_anywhere

from ..aws.iam_roles import takes_people
from ..aws.regions import partition_of
from ..choices import AccountPurpose, Persona
from ..models import AccountRole, AwsAccount, ModelGroup, ResourceShare
from ..personas.comparison import Comparison, compared
from ..personas.permissions import Statement, Unreadable, statements
from ..personas.policies import PersonaPolicy, Place, cloudformation, everywhere, policies

# A name of a role, or the beginning of one and a star; all of them is what must not be handed over.
_ROLE = re.compile(r"[\w+=,.@-]{1,63}\*?\Z", re.ASCII)
MOST_EXECUTION_ROLES = 10


@dataclass(frozen=True)
class FoundRole:
    """One role as it was found, what it came to beside its persona, and which of its policies say nothing certain.

    `is_bounded` tells that a permissions boundary was taken into account.
    """

    role: AccountRole
    comparison: Comparison | None
    unreadable: tuple[str, ...] = ()
    is_bounded: bool = False

    @property
    def is_compute(self) -> bool:
        """Whether SageMaker alone takes it."""
        return not takes_people(self.role.trust)


def persona_policies(actor: Actor, account: AwsAccount, execution_roles: str = "") -> list[PersonaPolicy]:
    """Return the policies of the personas for an account the actor sees.

    `execution_roles` are the names of the roles models run as, by commas. Raises InvalidInput for what is no name.
    """
    roles = tuple(dict.fromkeys(name.strip() for name in execution_roles.split(",") if name.strip()))
    wrong = [name for name in roles if not _ROLE.match(name)]
    if wrong or len(roles) > MOST_EXECUTION_ROLES:
        told = f"{wrong[0]!r} is no name of a role." if wrong else f"Name {MOST_EXECUTION_ROLES} roles at most."
        raise InvalidInput(
            "The roles models run as cannot be used.",
            errors={"execution_roles": [f"{told} Give names as model-credit or model-*, by commas."]},
        )
    return policies(
        Place(
            account_id=account.account_id,
            partition=partition_of(account.role_arn),
            regions=tuple(account.regions),
            purposes=tuple(map(AccountPurpose, account.purposes)),
            group_arns=tuple(groups_of(actor, account)),
            execution_roles=roles,
            buckets=tuple(account.artifact_buckets),
        )
    )


def persona_document(
    actor: Actor, account: AwsAccount, persona: str, number: int, execution_roles: str = ""
) -> tuple[str, str]:
    """Return the file name and the text of one policy of a persona. Raises NotFound, InvalidInput."""
    found = next((one for one in persona_policies(actor, account, execution_roles) if one.persona == persona), None)
    if found is None or not 1 <= number <= len(found.texts):
        raise NotFound("There is no such policy.")
    return f"{persona}-{account.account_id}-{number}.json", found.texts[number - 1]


def persona_template(actor: Actor, account: AwsAccount, persona: str, execution_roles: str = "") -> tuple[str, str]:
    """Return the file name and the text of the CloudFormation template with all of a persona's policies.

    Raises NotFound, InvalidInput.
    """
    found = next((one for one in persona_policies(actor, account, execution_roles) if one.persona == persona), None)
    if found is None:
        raise NotFound("There is no such persona.")
    text = json.dumps(cloudformation(found, account.account_id), indent=2)
    return f"{persona}-{account.account_id}-cloudformation.json", text


def groups_of(actor: Actor, account: AwsAccount) -> list[str]:
    """Return the ARNs of the groups an account owns or has by a share, as far as the actor sees them, in order."""
    shares = ResourceShare.objects.live().filter(principals__contains=[account.account_id])
    mine = Q(account=account) | Q(shares__in=shares)
    rows = ModelGroup.objects.visible_to(actor).filter(mine, missing_since=None)
    return sorted(set(rows.values_list("arn", flat=True)))


def roles(actor: Actor) -> QuerySet[AccountRole]:
    """Return the roles an actor may see, by account and name."""
    return (
        AccountRole.objects.visible_to(actor)
        .select_related("account", "linked_by")
        .order_by("account__account_id", "name", "pk")
    )


def role_list(actor: Actor) -> QuerySet[AccountRole]:
    """Return the same as a list of its own. Raises Forbidden for who may not see the portal's operations."""
    require_anywhere(actor, Act.SEE_OPERATIONS)
    return roles(actor)


def roles_of(actor: Actor, account: AwsAccount) -> list[FoundRole]:
    """Return the roles found in an account, each compared with its persona."""
    return [found_role(row) for row in roles(actor).filter(account=account)]


def role(actor: Actor, pk: int) -> AccountRole:
    """Return one role. Raises NotFound."""
    return access.get(AccountRole, actor, pk=pk, related=("account", "linked_by"))


def found_role(row: AccountRole) -> FoundRole:
    """Compare a role with its persona; None for one whose policies were never read, or cannot all be understood.

    Where it has a boundary that may not be read or understood, the comparison tells the most the role may do, and is
    not `is_bounded`.
    """
    if row.policies is None:
        return FoundRole(row, None)
    found: list[Statement] = []
    unreadable = []
    for policy in row.policies:
        try:
            found += statements(policy["document"])
        except Unreadable as problem:
            unreadable.append(f"{policy['name']}: {problem}")
    if unreadable:
        return FoundRole(row, None, tuple(unreadable))
    boundary, is_bounded = None, False
    if row.boundary and row.boundary.get("document") is not None:
        with suppress(Unreadable):
            boundary, is_bounded = statements(row.boundary["document"]), True
    comparison = compared(
        found,
        _personas(),
        Persona(row.persona) if row.persona else None,
        boundary=boundary,
        is_compute=not takes_people(row.trust),
    )
    return FoundRole(row, comparison, is_bounded=is_bounded)


@cache
def _personas() -> dict[Persona, Sequence[Statement]]:
    return {
        persona: [statement for document in documents for statement in statements(document)]
        for persona, documents in everywhere().items()
    }
