"""What a row of the matrix of the pages is, what stands in its address, and the answers that many rows share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.api.world import ROLES, World

COLUMNS = ROLES


@dataclass(frozen=True)
class Row:
    """One page and method with what each role is answered."""

    method: str
    name: str
    statuses: tuple[int, ...]
    on: str = ""
    body: Callable[[World], dict[str, Any]] | None = None

    @property
    def label(self) -> str:
        return f"{self.method} {self.name} {self.on}".strip()


def argument(world: World, on: str) -> list[Any]:
    """Return what stands in an address for a thing of the world."""
    if not on:
        return []
    thing = {
        "draft": world.draft.number,
        "unsent": world.unsent.pk,
        "unsent_step": (world.unsent.pk, "people"),
        "card_export": (world.model_card.pk, world.card_export.pk),
        "draft_tab": (world.draft.number, "people"),
        "asked": world.asked.number,
        "group": world.group.pk,
        "fresh": world.fresh.pk,
        "trial": world.trial.pk,
        "use_case_request": world.use_case_request.pk,
        "version_request": world.version_request.pk,
        "trial_record": world.trial_record.pk,
        "deployment": world.deployment.pk,
        "endpoint": world.served.endpoint_id,
        "finding": world.finding.pk,
        "notification": world.notification.pk,
        "token": world.token_key,
        "service": world.service.pk,
        "service_token": (world.service.pk, world.others["token"]),
        "accepted_finding": world.accepted_finding.pk,
        "message": world.message.pk,
        "parked_event": world.parked_event.pk,
        "evidence": world.evidence.pk,
        "registration": world.registration.number,
        "creation": world.creation.number,
        "delegation": world.delegation.pk,
        "override": world.override.pk,
        "share": world.share.number,
        "account": "333333333333",
        "account_role": (world.account_role.account.account_id, world.account_role.pk),
        "persona_file": ("333333333333", "ml_engineer", 1),
        "endpoint_metrics": (
            world.endpoint_series.account.account_id,
            world.endpoint_series.region,
            world.endpoint_series.endpoint,
        ),
        "channel": world.channel.pk,
        "webhook": world.webhook.pk,
        "webhook_delivery": (world.webhook.pk, world.webhook_delivery.pk),
        "saved_view": world.saved_view.pk,
        "tracking_server": world.tracking_server.pk,
        "monitor": world.monitor.pk,
        "model_card": world.model_card.pk,
        "channel_kind": "webhook",
        "signing_key": world.signing_key,
        "anchor": world.anchor.number,
        "pack": world.pack.pk,
        "policy": 2,
        "policy_draft": world.policy_draft,
        "policy_cell": (world.policy_draft, "model_version", "qa", "low"),
    }
    found = thing[on]
    return list(found) if isinstance(found, tuple) else [found]


EVERYBODY = (302, 200, 200, 200, 200, 200, 200, 200)
OF_THE_PROJECT = (302, 200, 200, 200, 200, 200, 200, 404)
HIS_OWN = (302, 200, 404, 404, 404, 404, 404, 404)
OPERATORS = (302, 403, 403, 200, 200, 200, 200, 200)
DRAFTED = (302, 404, 404, 404, 403, 200, 403, 403)
READERS_OF_THE_TRAIL = (302, 403, 403, 403, 200, 200, 200, 200)
WRITERS = (302, 200, 200, 403, 200, 403, 403, 404)
OFFICERS = (302, 403, 403, 403, 200, 403, 403, 404)
ENGINEERS = (302, 403, 403, 200, 403, 403, 403, 404)
ENGINEERS_AND_ADMINS = (302, 403, 403, 200, 403, 200, 403, 404)
SPOKE = "222222222222"
TESTERS = (302, 200, 403, 200, 403, 403, 403, 404)
ASKERS = (302, 200, 200, 200, 403, 403, 403, 404)
ATTACHERS = (302, 200, 200, 200, 200, 403, 403, 404)
OFFICERS_OWN = (302, 404, 404, 404, 302, 404, 404, 404)
REGISTRARS = (302, 200, 200, 200, 403, 403, 403, 404)
CLAIMERS = (302, 403, 200, 200, 403, 200, 403, 404)
SERVICE_SEEN = (302, 404, 404, 200, 404, 200, 404, 404)
SERVICE_CHANGED = (302, 404, 404, 403, 404, 200, 404, 404)
AUTHOR = (302, 200, 404, 403, 403, 403, 403, 404)


def done(statuses: tuple[int, ...]) -> tuple[int, ...]:
    """Return the same answers for the POST behind a form: whoever sees it may send it."""
    return tuple(302 if status == 200 else status for status in statuses)


# The form comes back to those who may fill it in, with what is wrong beside the fields.
OVERRIDES = tuple(422 if status == 200 else status for status in OFFICERS)
