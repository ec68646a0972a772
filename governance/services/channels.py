"""Channels: how orders for an account and stage leave the portal. Made, changed, tried and taken away by ML admins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from portal.core import access, sealing, webhooks
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, StaleEdit, WrongState
from portal.core.operations import operation
from portal.core.permissions import Act, require
from registry.models import AwsAccount

from ..choices import ChannelKind
from ..models import DeploymentChannel
from . import callback_rows, channel_checks, channel_trials
from .carriers.orders_webhook import PURPOSE

# How long the former secret goes on signing beside the new one, unless less is asked for.
GRACE = timedelta(hours=24)
LONGEST_GRACE = timedelta(days=7)
EDITABLE = ("kind", "is_enabled", *channel_checks.SETTINGS)


@dataclass(frozen=True)
class Made:
    """A channel, and its webhook's new secret: shown this once, "" when there is none."""

    channel: DeploymentChannel
    secret: str = ""


def create(*, actor: Actor, account_id: str, stage: str, kind: ChannelKind, **settings: Any) -> Made:
    """Set how orders for an account leave, for one stage or (stage "") for every stage without a channel of its own.

    `settings` are those of the kind, see `channel_checks.OF_KIND`. Raises NotFound, Forbidden, InvalidInput naming the
    fields, WrongState when there is a channel for this account and stage.
    """
    with operation(actor, "set a deployment channel"):
        account = access.get(AwsAccount, actor, account_id=account_id)
        require(actor, Act.MANAGE_ACCOUNTS)
        channel = DeploymentChannel(account=account, stage=stage, kind=kind)
        secret = _apply(channel, settings)
        try:
            with transaction.atomic():
                channel.save()
        except IntegrityError as error:
            if "channel_once_per_account_and_stage" not in str(error):
                raise
            raise WrongState(
                "This account and stage have a channel already. Change that one, or remove it first."
            ) from None
        return Made(channel, secret)


def edit(*, actor: Actor, channel_id: int, revision: int, **changes: Any) -> Made:
    """Change a channel from the revision it was read at. Orders already given keep the way they were given.

    `changes` are fields of EDITABLE. Turning it into a webhook makes a secret. Raises NotFound, Forbidden, StaleEdit,
    InvalidInput naming the fields.
    """
    unknown = sorted(set(changes) - set(EDITABLE))
    if unknown:
        raise InvalidInput("Unknown fields.", errors={name: ["A channel has no such field."] for name in unknown})
    with operation(actor, "change a deployment channel"):
        channel = access.for_update(DeploymentChannel, actor, Act.MANAGE_ACCOUNTS, pk=channel_id)
        if channel.revision != revision:
            raise StaleEdit("Somebody changed this channel since you read it. Read it again and repeat your edit.")
        secret = _apply(channel, changes)
        channel.revision += 1
        channel.last_error = ""
        channel.save()
        return Made(channel, secret)


def remove(*, actor: Actor, channel_id: int, revision: int | None = None) -> None:
    """Take a channel away: later orders take the account's other channel, or the hub's bus.

    Webhook orders that still wait can no longer be signed; they are given up and say so. Raises NotFound, Forbidden,
    StaleEdit.
    """
    with operation(actor, "remove a deployment channel"):
        channel = access.for_update(DeploymentChannel, actor, Act.MANAGE_ACCOUNTS, pk=channel_id)
        if revision is not None and channel.revision != revision:
            raise StaleEdit("Somebody changed this channel since you read it. Read it again and repeat.")
        channel.delete()


def rotate_secret(*, actor: Actor, channel_id: int, grace: timedelta = GRACE) -> Made:
    """Sign a webhook with a new secret from now on; for the grace (0 to 7 days) the former one signs beside it.

    Raises NotFound, Forbidden, InvalidInput, WrongState for a channel that signs nothing.
    """
    if not timedelta() <= grace <= LONGEST_GRACE:
        raise InvalidInput(
            "This grace cannot be given.", errors={"grace_hours": [f"Give 0 to {LONGEST_GRACE.days * 24} hours."]}
        )
    with operation(actor, "rotate a webhook's secret"):
        channel = access.for_update(DeploymentChannel, actor, Act.MANAGE_ACCOUNTS, pk=channel_id)
        if channel.kind != ChannelKind.WEBHOOK:
            raise WrongState("Only webhooks are signed with a secret.")
        until: datetime | None = timezone.now() + grace if grace else None
        channel.former_secret, channel.former_secret_until = (channel.secret if until else ""), until
        secret = _new_secret(channel)
        channel.revision += 1
        channel.save(update_fields=["secret", "former_secret", "former_secret_until", "revision"])
        return Made(channel, secret)


def try_out(*, actor: Actor, channel_id: int) -> channel_trials.Trial:
    """Send an order that is marked as a test, or look whether the pipeline could be started; nothing is deployed.

    What was answered is kept on the channel. Raises NotFound, Forbidden.
    """
    channel = access.get(DeploymentChannel, actor, pk=channel_id)
    require(actor, Act.MANAGE_ACCOUNTS)
    trial = channel_trials.of(channel)
    with operation(actor, "try a deployment channel"):
        DeploymentChannel.objects.filter(pk=channel.pk).update(last_error="" if trial.is_sound else trial.said)
    return trial


def encrypt_anew(*, actor: Actor) -> int:
    """Encrypt webhooks' secrets and waiting steps' tokens with the newest secret; returns how many.

    Raises Forbidden, sealing.Unreadable when no configured secret opens one of them: nothing is changed then.
    """
    with operation(actor, "encrypt the channels' secrets anew"):
        require(actor, Act.MANAGE_KEYS)
        rows = list(DeploymentChannel.objects.exclude(secret="").select_for_update(of=("self",)).order_by("pk"))
        for channel in rows:
            for name in ("secret", "former_secret"):
                if sealed := getattr(channel, name):
                    setattr(channel, name, sealing.seal(sealing.unseal(sealed, purpose=PURPOSE), purpose=PURPOSE))
            channel.save(update_fields=["secret", "former_secret"])
        return len(rows) + callback_rows.encrypt_anew()


def _apply(channel: DeploymentChannel, given: dict[str, Any]) -> str:
    """Put what was given on the channel, forget what is another kind's, and check it; returns a new secret or ""."""
    channel_checks.put(channel, given)
    try:
        channel.clean_fields(exclude=["account", "secret"])
    except ValidationError as error:
        raise InvalidInput("Some fields need your attention.", errors=error.message_dict) from error
    channel_checks.check(channel)
    if channel.kind != ChannelKind.WEBHOOK:
        channel.secret = channel.former_secret = ""
        channel.former_secret_until = None
        return ""
    return "" if channel.secret else _new_secret(channel)


def _new_secret(channel: DeploymentChannel) -> str:
    secret = webhooks.new_secret()
    channel.secret = sealing.seal(secret.encode(), purpose=PURPOSE)
    return secret
