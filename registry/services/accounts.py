"""AWS accounts: registered, tried, reached."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from time import monotonic
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import InvalidInput
from portal.core.marks import mark, refuse_unless_read
from portal.core.operations import operation
from portal.core.permissions import Act, require, require_anywhere

from ..aws import sts
from ..aws.errors import AwsDisabled, AwsError, AwsUnavailable
from ..aws.records import AccountRef
from ..aws.session import TOTAL_MAX_ATTEMPTS, AwsSession, session_for
from ..models import AwsAccount
from .account_fields import problems

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


T = TypeVar("T")

EVERY_REGION_SECONDS = 20
_AT_ONCE = 8
# Somebody waits for the answer: better a quick "no" than a late one.
_QUICK_ATTEMPTS = 2


def reach(
    account: AwsAccount, region: str | None = None, *, total_max_attempts: int = TOTAL_MAX_ATTEMPTS
) -> AwsSession:
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
        ),
        total_max_attempts=total_max_attempts,
    )


def holding_bucket(bucket: str) -> AwsAccount | None:
    """Return the enabled account that names this bucket among its artifact buckets, None when none does."""
    return AwsAccount.objects.enabled().filter(artifact_buckets__contains=[bucket]).order_by("pk").first()


def register(*, actor: Actor, account_id: str, **values: Any) -> AwsAccount:
    """Register an account. `values` are fields of EDITABLE. Raises Forbidden, InvalidInput naming the fields."""
    require(actor, Act.MANAGE_ACCOUNTS)
    with operation(actor, "register AWS account"):
        return _saved(AwsAccount(account_id=account_id), values)


def editable(*, actor: Actor, account_id: str) -> AwsAccount:
    """Return an account for its edit form. Raises NotFound, Forbidden for who may see but not change it."""
    account = access.get(AwsAccount, actor, account_id=account_id)
    require(actor, Act.MANAGE_ACCOUNTS)
    return account


def mark_of(account: AwsAccount) -> str:
    """Return the mark of what can be edited of an account."""
    return mark([getattr(account, name) for name in EDITABLE])


def edit(*, actor: Actor, account: AwsAccount, read_mark: str | None = None, **values: Any) -> AwsAccount:
    """Change an account, as its `mark_of` was read. Raises Forbidden, InvalidInput naming the fields, StaleEdit."""
    require(actor, Act.MANAGE_ACCOUNTS)
    with operation(actor, "edit AWS account"):
        row = AwsAccount.objects.select_for_update().get(pk=account.pk)
        refuse_unless_read(mark_of(row), read_mark, "AWS account")
        return _saved(row, values)


def test_connection(*, actor: Actor, account_id: str) -> AwsAccount:
    """Ask STS in every region who the portal is in this account and write the answer down.

    The account's `check_error` says what went wrong and where, "" when each region answered as expected. Nothing is
    asked of a disabled account. Raises NotFound, Forbidden. Source: GetCallerIdentity.
    """
    account = access.get(AwsAccount, actor, account_id=account_id)
    require_anywhere(actor, Act.MANAGE_ACCOUNTS)
    answers = in_each_region(account, lambda session: sts.caller_identity(session).account_id)
    by_error: dict[str, list[str]] = {}
    for region, answered in answers.items():
        if isinstance(answered, AwsError):
            by_error.setdefault(str(answered), []).append(region)
        elif answered != account.account_id:
            error = f"The role leads to account {answered}, not {account.account_id}. Correct the role ARN."
            by_error.setdefault(error, []).append(region)
    if len(account.regions) == 1:
        error = " ".join(by_error)
    else:
        error = " ".join(f"{', '.join(regions)}: {text}" for text, regions in by_error.items())
    with operation(actor, "test connection"):
        account.checked_at, account.check_error = timezone.now(), error
        account.save(update_fields=["checked_at", "check_error"])
    return account


def in_each_region(account: AwsAccount, work: Callable[[AwsSession], T]) -> dict[str, T | AwsError]:
    """Do something in every region of an account, eight at a time, and return what came of it by region, in order.

    `work` reads AWS and touches no database. It has 20 s in all, of which no page waits longer: regions not reached
    by then are AwsUnavailable. An account that is disabled, also meanwhile, is left alone from then on: AwsDisabled.
    """
    deadline = monotonic() + EVERY_REGION_SECONDS
    found: dict[str, T | AwsError] = {}
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        for start in range(0, len(account.regions), _AT_ONCE):
            account.refresh_from_db(fields=["is_enabled"])
            regions = account.regions[start : start + _AT_ONCE]
            asked = {region: pool.submit(_attempt, account, region, work) for region in regions}
            wait(asked.values(), timeout=max(0.0, deadline - monotonic()))
            for region, future in asked.items():
                found[region] = future.result() if future.done() and not future.cancelled() else _too_late(account)
            if monotonic() >= deadline:
                break
    finally:
        # Threads that still wait end with their client's own timeouts.
        pool.shutdown(wait=False, cancel_futures=True)
    return {region: found.get(region, _too_late(account)) for region in account.regions}


def _attempt(account: AwsAccount, region: str, work: Callable[[AwsSession], T]) -> T | AwsError:
    try:
        return work(reach(account, region, total_max_attempts=_QUICK_ATTEMPTS))
    except AwsError as failure:
        return failure


def _too_late(account: AwsAccount) -> AwsUnavailable:
    return AwsUnavailable(
        service="aws",
        operation="every region",
        account_id=account.account_id,
        code="OutOfTime",
        message=f"not all of {len(account.regions)} regions answered within {EVERY_REGION_SECONDS} s",
        advice="Try again; if it lasts, check the network path to AWS from here.",
    )


def _saved(account: AwsAccount, values: dict[str, Any]) -> AwsAccount:
    unknown = sorted(set(values) - set(EDITABLE))
    if unknown:
        raise InvalidInput("Unknown fields.", errors={name: ["An account has no such field."] for name in unknown})
    for name, value in values.items():
        setattr(account, name, value)
    try:
        account.full_clean()
        errors = problems(account)
    except ValidationError as error:
        raise InvalidInput("Some fields need your attention.", errors=error.message_dict) from error
    if errors:
        raise InvalidInput("Some fields need your attention.", errors=errors)
    account.save()
    return account
