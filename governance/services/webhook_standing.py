"""How a receiver stands: what one answer says of all the others, and when a webhook is disabled.

A receiver that does not answer, is overloaded or asks for patience is left alone as a whole. One that took nothing for
days, or says that it is gone, is disabled, and ML admins are told; what waits for it is kept.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from portal.core.vocabulary import NotificationKind, WebhookEnd, WebhookState
from portal.core.webhooks import WebhookFailed

from ..models import Webhook
from .notifications import tell

GONE = 410
# What says something of the receiver and not of the message: no answer at all, too many requests, out of service.
_OF_THE_RECEIVER = (0, 408, 425, 429, 502, 503, 504)


@dataclass(frozen=True)
class Patience:
    """How long a receiver is tried: the first wait, how it grows and to what, and when that is over.

    A message is given up when it was tried for `give_up_after`; a webhook is disabled when `most_failures` attempts in
    a row failed and the first of them is `disable_after` ago. Each wait is multiplied by a random number of `jitter`.
    """

    first: timedelta = timedelta(seconds=5)
    factor: float = 3.0
    longest: timedelta = timedelta(hours=6)
    longest_quiet: timedelta = timedelta(minutes=30)
    give_up_after: timedelta = timedelta(days=3)
    disable_after: timedelta = timedelta(days=2)
    most_failures: int = 10
    jitter: tuple[float, float] = (0.8, 1.2)

    def wait_before(self, attempt: int) -> timedelta:
        """Return how long to wait after the n-th failed attempt, before the jitter: 5 s, 15 s, 45 s, up to 6 hours."""
        return min(self.first * self.factor ** min(attempt - 1, 20), self.longest)


PATIENCE = Patience()


def note_success(webhook: Webhook) -> None:
    """Forget what failed before. Runs in the caller's operation, with the webhook locked."""
    if webhook.failures or webhook.failing_since or webhook.quiet_until:
        webhook.failures, webhook.failing_since, webhook.quiet_until = 0, None, None
        webhook.save(update_fields=["failures", "failing_since", "quiet_until"])


def note_failure(webhook: Webhook, failed: WebhookFailed, now: datetime, patience: Patience) -> bool:
    """Count a failure, and disable the webhook when it is time; whether the receiver is left alone until `quiet_until`.

    Runs in the caller's operation, with the webhook locked.
    """
    webhook.failures += 1
    webhook.failing_since = webhook.failing_since or now
    rests = failed.status in _OF_THE_RECEIVER or failed.retry_after is not None
    if rests:
        pause = min(patience.wait_before(webhook.failures), patience.longest_quiet)
        pause *= random.uniform(*patience.jitter)  # noqa: S311 - jitter, not a secret
        if failed.retry_after is not None:
            pause = max(pause, timedelta(seconds=min(failed.retry_after, patience.longest.total_seconds())))
        webhook.quiet_until = max(now + pause, webhook.quiet_until or now)
    webhook.save(update_fields=["failures", "failing_since", "quiet_until"])
    if webhook.state == WebhookState.ACTIVE:
        if failed.status == GONE:
            disable(webhook, WebhookEnd.GONE, str(failed))
        elif webhook.failures >= patience.most_failures and now - webhook.failing_since >= patience.disable_after:
            since = f"{webhook.failing_since:%Y-%m-%d %H:%M} UTC"
            disable(webhook, WebhookEnd.FAILING, f"Nothing was taken since {since}. {failed}")
    return rests


def disable(webhook: Webhook, by: WebhookEnd, reason: str) -> None:
    """Stop writing down and sending events; unless somebody did it himself, ML admins are told. Joins the operation."""
    webhook.state, webhook.ended_by = WebhookState.DISABLED, by
    webhook.disabled_at, webhook.disabled_reason = timezone.now(), reason[:2000]
    webhook.revision += 1
    webhook.save(update_fields=["state", "ended_by", "disabled_at", "disabled_reason", "revision"])
    if by is not WebhookEnd.PERSON:
        key = f"webhook:{webhook.pk}:disabled:{webhook.revision}"
        tell(NotificationKind.WEBHOOK_DISABLED, key=key, about=webhook)
