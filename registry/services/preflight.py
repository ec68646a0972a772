"""Permission preflight: what the portal's role lacks in each region of an account, and what it would need it for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import WrongState
from portal.core.operations import operation
from portal.core.permissions import Act, require_anywhere

from ..aws.actions import Grant, When, needed
from ..aws.errors import AwsDisabled, AwsError
from ..choices import AccountPurpose
from ..models import AccountPreflight, AwsAccount, ModelGroup, ModelVersion
from .accounts import in_each_region
from .permission_check import FIRST_REGION_ONLY, Found, Place, failed, look


@dataclass(frozen=True)
class Uses:
    """What deployment orders use in an account: buses and pipelines by name or ARN, callback queues by URL."""

    buses: tuple[str, ...] = ()
    pipelines: tuple[str, ...] = ()
    callback_queues: tuple[str, ...] = ()


_sources: list[Callable[[AwsAccount], Uses]] = []


def ask_also(source: Callable[[AwsAccount], Uses]) -> None:
    """Have a source asked what orders use in an account; naming it twice is naming it once."""
    if source not in _sources:
        _sources.append(source)


def check_permissions(*, actor: Actor, account_id: str) -> AwsAccount:
    """Find out in every region what the portal's role may do, and keep the answer as the account's `preflights`.

    What could not be found out is kept as such, with the reason; the rest of an earlier answer is replaced. Reads AWS
    only. Raises NotFound, Forbidden, WrongState for a disabled account. Source: iam SimulatePrincipalPolicy.
    """
    account = access.get(AwsAccount, actor, account_id=account_id)
    require_anywhere(actor, Act.MANAGE_ACCOUNTS)
    if not account.is_enabled:
        raise WrongState(f"{account} is disabled, so nothing is asked of AWS. Enable it before checking permissions.")
    places = {region: _place(account, region) for region in account.regions}
    wanted = {region: _needed(account, places[region]) for region in account.regions}
    answers = in_each_region(
        account, lambda session: look(session, places[session.account.region], wanted[session.account.region])
    )
    with operation(actor, "check permissions"):
        AccountPreflight.objects.filter(account=account).exclude(region__in=account.regions).delete()
        for region, answer in answers.items():
            if isinstance(answer, AwsDisabled):
                # Switched off while this ran: what was known before still stands.
                continue
            found = _words(answer, places[region], wanted[region])
            AccountPreflight.objects.update_or_create(
                account=account,
                region=region,
                defaults={
                    "method": found.method,
                    "results": found.results,
                    "error": found.error,
                    "checked_at": timezone.now(),
                },
            )
    return account


def check_all(*, actor: Actor) -> int:
    """Check every enabled account; returns how many. An account that does not answer keeps nobody else waiting long."""
    checked = 0
    for account_id in AwsAccount.objects.enabled().order_by("account_id").values_list("account_id", flat=True):
        check_permissions(actor=actor, account_id=account_id)
        checked += 1
    return checked


def _words(answer: Found | AwsError, place: Place, wanted: list[Grant]) -> Found:
    return failed(place, wanted, str(answer)) if isinstance(answer, AwsError) else answer


def _place(account: AwsAccount, region: str) -> Place:
    uses = [source(account) for source in _sources] if region == account.region else []
    version = (
        ModelVersion.objects.present().filter(group__account=account, group__region=region).order_by("-pk").first()
    )
    group = ModelGroup.objects.filter(account=account, region=region, missing_since=None).order_by("-pk").first()
    return Place(
        account_id=account.account_id,
        region=region,
        role_arn=account.role_arn,
        group=group.name if group else "",
        version_arn=version.arn if version else "",
        queue_url=account.event_queue_url,
        buckets=tuple(account.artifact_buckets),
        buses=tuple(dict.fromkeys([*_own_bus(account), *(bus for use in uses for bus in use.buses)])),
        pipelines=tuple(dict.fromkeys(name for use in uses for name in use.pipelines)),
        callback_queues=tuple(dict.fromkeys(url for use in uses for url in use.callback_queues)),
    )


def _own_bus(account: AwsAccount) -> list[str]:
    """Return the bus orders go to unless a channel says otherwise: the hub's."""
    return [account.event_bus] if AccountPurpose.HUB in account.purposes else []


def _needed(account: AwsAccount, place: Place) -> list[Grant]:
    is_hub = AccountPurpose.HUB in account.purposes
    holding = {
        When.OWNS_GROUPS: is_hub or bool(place.group),
        When.HAS_BUCKETS: bool(place.buckets),
        When.HAS_QUEUE: bool(place.queue_url),
        When.ORDERS_EVENTS: bool(place.buses),
        When.ORDERS_PIPELINES: bool(place.pipelines),
        When.ANSWERS_CALLBACKS: bool(place.callback_queues),
    }
    found = needed(is_hub=is_hub, circumstances=[when for when, holds in holding.items() if holds])
    if place.region == account.region:
        return found
    return [grant for grant in found if grant.need not in FIRST_REGION_ONLY]
