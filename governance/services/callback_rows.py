"""The rows of waiting steps: written when one comes, and once more when it is answered."""

from __future__ import annotations

from hashlib import sha256

from django.utils import timezone

from portal.core import sealing
from registry.models import AwsAccount, ModelVersion

from ..choices import CallbackOutcome, CallbackSource
from ..models import OutboxMessage, WaitingCallback

PURPOSE = "pipeline callbacks"


def digest_of(token: str) -> str:
    """Return what tells a token that comes twice, without keeping it."""
    return sha256(token.encode()).hexdigest()


def write(
    *,
    token: str,
    model_package_arn: str,
    version: ModelVersion | None,
    account: AwsAccount,
    stage: str,
    home: AwsAccount,
    region: str,
    execution_arn: str,
    step_name: str,
    source: CallbackSource,
) -> tuple[WaitingCallback, bool]:
    """Write down one step that waits, or return the row there is; True when it is new."""
    return WaitingCallback.objects.get_or_create(
        token_digest=digest_of(token),
        defaults={
            "token": sealing.seal(token.encode(), purpose=PURPOSE),
            "model_package_arn": model_package_arn,
            "version": version,
            "account": account,
            "stage": stage,
            "home": home,
            "region": region,
            "execution_arn": execution_arn,
            "step_name": step_name,
            "source": source,
        },
    )


def answer(*, callback: WaitingCallback, outcome: CallbackOutcome, message: OutboxMessage, note: str) -> None:
    """Write down what became of a step that waited; its token is forgotten with that."""
    callback.token = ""
    callback.outcome, callback.note = outcome, note
    callback.answered_at, callback.answered_by = timezone.now(), message
    callback.save(update_fields=["token", "outcome", "note", "answered_at", "answered_by", "execution_arn"])


def encrypt_anew() -> int:
    """Encrypt the tokens of the steps that wait with the newest secret; returns how many. In the caller's operation."""
    waiting = list(WaitingCallback.objects.waiting().select_for_update(of=("self",)).order_by("pk"))
    for callback in waiting:
        callback.token = sealing.seal(sealing.unseal(callback.token, purpose=PURPOSE), purpose=PURPOSE)
        callback.save(update_fields=["token"])
    return len(waiting)
