"""One project with its people, a version and a use case; receivers that really listen, and a portal without patience."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from governance.models import ApprovalRequest, Webhook, WebhookDelivery
from governance.services import approvals, webhook_delivery, webhook_spread, webhooks
from governance.services.webhook_standing import Patience
from portal.core.webhooks import Limits
from registry.models import ModelVersion, Project, UseCase
from tests.factories import Cast, cast, group, project, use_case, version
from tests.receiver import Receiver, Taken, listening
from tests.scene import undone

SOON = timedelta(milliseconds=20)
IMPATIENT = Patience(
    first=SOON, factor=1.0, longest=timedelta(seconds=5), longest_quiet=SOON, jitter=(1.0, 1.0), most_failures=3
)
# One attempt of each, however slow the machine is.
ONCE = replace(IMPATIENT, first=timedelta(hours=1), longest=timedelta(hours=1), longest_quiet=timedelta(hours=1))
QUICK = Limits(connect=2, read=0.8, total=2)


@dataclass(frozen=True)
class Place:
    """A project and another one, the people of both, and what is worked on in the first."""

    project: Project
    elsewhere: Project
    people: Cast
    version: ModelVersion
    use_case: UseCase

    def submit(self) -> ApprovalRequest:
        """Ask for the version's approval, which waits for the model owner."""
        return approvals.submit(
            actor=self.people.scientist.actor, subject_type=ModelVersion, subject_id=self.version.pk, note="Please."
        )

    def withdraw(self, request: ApprovalRequest) -> None:
        """Take the request back."""
        approvals.withdraw(actor=self.people.scientist.actor, request_id=request.pk)

    def webhook(self, url: str, *events: str, project_id: int | None = None) -> webhooks.Made:
        """Have an address told of events."""
        return webhooks.create(
            actor=self.people.admin.actor, name="Pipeline", url=url, events=events or ("*",), project_id=project_id
        )


@pytest.fixture(scope="module")
def shared_place(django_db_setup: None, django_db_blocker: Any) -> Iterator[Place]:
    with django_db_blocker.unblock(), undone():
        yield made_place()


def made_place() -> Place:
    """Make the place with the real services."""
    here, there = project(), project()
    people = cast(here, there)
    served = use_case(people, here)
    return Place(here, there, people, version(group(here, people, served)), served)


@pytest.fixture
def place(shared_place: Place, db: None, settings: Any) -> Place:
    """The place; what the test writes is undone. The loopback network may be written to."""
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    return shared_place


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as found:
        yield found


def send(patience: Patience = IMPATIENT) -> int:
    """Spread what was written down and send what is due; returns how many were taken."""
    webhook_spread.spread_due()
    return webhook_delivery.send_due(patience=patience, limits=QUICK)


def send_once() -> int:
    """Send what may be sent, and nothing a second time; returns how many were taken."""
    Webhook.objects.update(quiet_until=None)
    WebhookDelivery.objects.pending().update(next_attempt_at=timezone.now())
    return send(ONCE)


def send_all() -> int:
    """Send until nothing waits any more; returns how many were taken."""
    deadline, taken = time.monotonic() + 20, send()
    while WebhookDelivery.objects.pending().exists():
        assert time.monotonic() < deadline, "something still waits"
        time.sleep(SOON.total_seconds())
        taken += send()
    return taken


def told(taken: Taken) -> dict[str, Any]:
    """Return the event of one request."""
    found: dict[str, Any] = json.loads(taken.body)
    return found


def names(receiver: Receiver) -> list[str]:
    """Return the types of what came, in order."""
    return [told(taken)["type"] for taken in receiver.taken]


def is_signed(taken: Taken, secret: str) -> bool:
    """Whether a request is signed as the Standard Webhooks specification writes it, without the portal's own code."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{taken.headers['webhook-id']}.{taken.headers['webhook-timestamp']}.".encode() + taken.body
    wanted = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    is_fresh = abs(time.time() - int(taken.headers["webhook-timestamp"])) < 10
    return is_fresh and wanted in taken.headers["webhook-signature"].split(" ")


def states(webhook: Webhook) -> list[str]:
    """Return the states of a webhook's deliveries in their order."""
    return list(WebhookDelivery.objects.filter(webhook=webhook).order_by("pk").values_list("state", flat=True))
