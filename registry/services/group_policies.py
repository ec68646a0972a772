"""Resource policies of model groups, judged before they are written: form, what they name, whom they let approve."""

from __future__ import annotations

import json
from typing import Any

from portal.core.actors import Actor
from portal.core.vocabulary import Role

from ..models import AwsAccount
from ..sharing.documents import Caller
from ..sharing.posture import posture, ways_by_policy
from ..sharing.verbs import GUARDED, words

# PutModelPackageGroupPolicy takes no more.
LONGEST = 20_480


def group_arn(account: AwsAccount, region: str, name: str) -> str:
    """Return the ARN of a model package group of an account, in the partition of the account's role."""
    partition = account.role_arn.split(":")[1] if account.role_arn.startswith("arn:") else _partition(region)
    return f"arn:{partition}:sagemaker:{region}:{account.account_id}:model-package-group/{name}"


def problems_of(policy: str, arn: str) -> list[str]:
    """Return what is wrong with a policy's form: no JSON object, too long, or naming more than this group.

    Source: PutModelPackageGroupPolicy; each statement names its resources, the group or its versions.
    """
    if len(policy) > LONGEST:
        return [f"The policy has {len(policy)} characters; AWS takes at most {LONGEST}."]
    try:
        parsed = json.loads(policy)
    except (ValueError, RecursionError) as error:
        return [f"The policy is not JSON: {str(error)[:200]}."]
    statements = parsed.get("Statement") if isinstance(parsed, dict) else None
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements or not all(isinstance(one, dict) for one in statements):
        return ["The policy is a JSON object with a list of statements under Statement."]
    found = []
    for number, statement in enumerate(statements, 1):
        if "NotResource" in statement or "Resource" not in statement:
            found.append(f"Statement {number} has to name its resources under Resource.")
            continue
        strangers = [one for one in _texts(statement["Resource"]) if not _is_of(one, arn)]
        if strangers:
            found.append(
                f"Statement {number} names {', '.join(strangers)[:300]}; a group's policy names only {arn} and"
                f" {_versions(arn)}/*."
            )
        if not ({"Principal", "NotPrincipal"} & set(statement)):
            found.append(f"Statement {number} has to name who is meant under Principal.")
    return found


def refusal(*, actor: Actor, project_id: int, account: AwsAccount, arn: str, policy: str, reason: str) -> list[str]:
    """Say why this actor may not set a policy: it lets another account approve or delete. Empty when he may.

    An ML admin may, with a reason.
    """
    known = [
        Caller(one.account_id, one.organisation_id) for one in AwsAccount.objects.exclude(pk=account.pk).order_by("pk")
    ]
    able = [
        f"{'everybody' if one.account_id == '*' else one.account_id} {words(one.verbs & GUARDED)}"
        for one in posture(ways_by_policy(policy, arn, account.account_id, known))
        if one.is_guarded
    ]
    if not able or (Role.ML_ADMIN in actor.roles_on(project_id) and reason.strip()):
        return []
    who = ", ".join(able)[:300]
    if Role.ML_ADMIN in actor.roles_on(project_id):
        return [f"It lets {who}. Only the hub should; give your reason for it."]
    return [f"It lets {who}. Only the hub should; an ML admin may open that, with a reason."]


def _partition(region: str) -> str:
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


def _texts(value: Any) -> list[str]:
    return [str(one) for one in (value if isinstance(value, list) else [value])]


def _versions(arn: str) -> str:
    return arn.replace(":model-package-group/", ":model-package/", 1)


def _is_of(resource: str, arn: str) -> bool:
    """Whether a resource is the group, its versions or one of them; AWS may write the name in lower case."""
    given, versions = resource.lower(), f"{_versions(arn).lower()}/"
    rest = given.removeprefix(versions)
    return given == arn.lower() or (given.startswith(versions) and (rest == "*" or rest.isdecimal()))
