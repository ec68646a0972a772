"""AWS accounts: registered, tried, reached."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import InvalidInput
from portal.core.operations import operation
from portal.core.permissions import Act, require, require_anywhere

from ..aws import sts
from ..aws.errors import AwsDisabled, AwsError
from ..aws.records import AccountRef
from ..aws.session import AwsSession, session_for
from ..models import AwsAccount

EDITABLE = (
    "alias",
    "purposes",
    "regions",
    "role_arn",
    "external_id",
    "organisation_id",
    "event_queue_url",
    "event_bus",
    "artifact_buckets",
    "is_enabled",
)


def reach(account: AwsAccount, region: str | None = None) -> AwsSession:
    """Return the session for an account and region (its first one by default), shared within this process.

    Raises AwsDisabled for an account that is switched off: every way to AWS starts here, so none leads there.
    """
    if not account.is_enabled:
        raise AwsDisabled(
            service="sts",
            operation="AssumeRole",
            account_id=account.account_id,
            code="AccountDisabled",
            message=f"{account} is disabled in the portal",
        )
    return session_for(
        AccountRef(
            account_id=account.account_id,
            region=region or account.region,
            role_arn=account.role_arn,
            external_id=account.external_id,
        )
    )


def holding_bucket(bucket: str) -> AwsAccount | None:
    """Return the enabled account that names this bucket among its artifact buckets, None when none does."""
    return AwsAccount.objects.enabled().filter(artifact_buckets__contains=[bucket]).order_by("pk").first()


def register(*, actor: Actor, account_id: str, **values: Any) -> AwsAccount:
    """Register an account. `values` are fields of EDITABLE. Raises Forbidden, InvalidInput naming the fields."""
    require(actor, Act.MANAGE_ACCOUNTS)
    with operation(actor, "register AWS account"):
        return _saved(AwsAccount(account_id=account_id), values)


def edit(*, actor: Actor, account: AwsAccount, **values: Any) -> AwsAccount:
    """Change an account. Raises Forbidden, InvalidInput naming the fields."""
    require(actor, Act.MANAGE_ACCOUNTS)
    with operation(actor, "edit AWS account"):
        return _saved(AwsAccount.objects.select_for_update().get(pk=account.pk), values)


def test_connection(*, actor: Actor, account_id: str) -> AwsAccount:
    """Ask STS who the portal is in this account and write the answer down.

    The account's `check_error` says what went wrong, "" when it answered as expected. Raises NotFound, Forbidden.
    Source: GetCallerIdentity.
    """
    account = access.get(AwsAccount, actor, account_id=account_id)
    require_anywhere(actor, Act.MANAGE_ACCOUNTS)
    try:
        answered = sts.caller_identity(reach(account)).account_id
        error = (
            ""
            if answered == account.account_id
            else f"The role leads to account {answered}, not {account.account_id}. Correct the role ARN."
        )
    except AwsError as failure:
        error = str(failure)
    with operation(actor, "test connection"):
        account.checked_at, account.check_error = timezone.now(), error
        account.save(update_fields=["checked_at", "check_error"])
    return account


def _saved(account: AwsAccount, values: dict[str, Any]) -> AwsAccount:
    unknown = sorted(set(values) - set(EDITABLE))
    if unknown:
        raise InvalidInput("Unknown fields.", errors={name: ["An account has no such field."] for name in unknown})
    for name, value in values.items():
        setattr(account, name, value)
    try:
        account.full_clean()
    except ValidationError as error:
        raise InvalidInput("Some fields need your attention.", errors=error.message_dict) from error
    account.save()
    return account
