"""Who sets webhooks up, what is refused, how their secrets are kept, and what the API and the example say of it."""

from __future__ import annotations

import json
import runpy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance.models import AuditEvent, Webhook, WebhookDelivery
from governance.services import webhook_delivery, webhooks
from portal.core import sealing
from portal.core.errors import Forbidden, InvalidInput, NotFound, StaleEdit, WrongState
from portal.core.vocabulary import Role
from tests.api.client import Api
from tests.factories import person
from tests.receiver import Receiver, Taken

from .conftest import QUICK, Place, is_signed, names, send, send_once, states

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.org/portal"
EXAMPLE = runpy.run_path(str(Path(__file__).resolve().parents[2] / "docs" / "examples" / "verify_webhook.py"))


def test_only_ml_admins_set_them_up_and_those_of_a_project_for_that_project(place: Place) -> None:
    people = place.people
    for other in (people.scientist, people.owner, people.engineer, people.officer, people.auditor, people.stranger):
        with pytest.raises(Forbidden):
            webhooks.create(actor=other.actor, name="x", url=URL)
    here = person(Role.ML_ADMIN, project=place.project).actor
    with pytest.raises(Forbidden):
        webhooks.create(actor=here, name="Of all", url=URL)
    with pytest.raises(NotFound):
        webhooks.create(actor=here, name="Of theirs", url=URL, project_id=place.elsewhere.pk)
    mine = webhooks.create(actor=here, name="Mine", url=URL, project_id=place.project.pk).webhook
    of_all = place.webhook(URL).webhook
    assert list(Webhook.objects.visible_to(here)) == [mine]
    assert not Webhook.objects.visible_to(people.engineer.actor).exists()
    for call in (webhooks.enable, webhooks.disable, webhooks.rotate_secret, webhooks.try_out, webhooks.remove):
        with pytest.raises(NotFound):
            call(actor=here, webhook_id=of_all.pk)
    assert list(Webhook.objects.visible_to(people.auditor.actor)) == [mine], "an auditor of the project looks"
    with pytest.raises(Forbidden):
        webhooks.disable(actor=people.auditor.actor, webhook_id=mine.pk)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"url": "http://hooks.example.org/"}, "url"),
        ({"url": "https://user:secret@hooks.example.org/"}, "url"),
        ({"url": "https://10.1.2.3/"}, "url"),
        ({"url": "https://169.254.169.254/"}, "url"),
        ({"url": "ftp://hooks.example.org/"}, "url"),
        ({"url": "https://hooks.example.org/\0"}, "url"),
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"events": []}, "events"),
        ({"events": ["approval.*", "nonsense"]}, "events"),
        ({"events": ["appro*"]}, "events"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_field(
    place: Place, settings: Any, given: dict[str, Any], field: str
) -> None:
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = []
    with pytest.raises(InvalidInput) as refusal:
        webhooks.create(actor=place.people.admin.actor, **{"name": "Pipeline", "url": URL, **given})
    assert set(refusal.value.errors) == {field}
    made = place.webhook(URL).webhook
    with pytest.raises(InvalidInput):
        webhooks.edit(actor=place.people.admin.actor, webhook_id=made.pk, revision=1, **given)
    made.refresh_from_db()
    assert (made.name, made.url, made.revision) == ("Pipeline", URL, 1)


def test_a_secret_is_shown_once_and_in_nothing_that_is_kept(place: Place) -> None:
    admin = place.people.admin.actor
    made = place.webhook(URL)
    again = webhooks.rotate_secret(actor=admin, webhook_id=made.webhook.pk, grace=timedelta(hours=1))
    row = Webhook.objects.get(pk=made.webhook.pk)
    assert sealing.unseal(row.secret, purpose="webhooks").decode() == again.secret
    assert sealing.unseal(row.former_secret, purpose="webhooks").decode() == made.secret
    trail = json.dumps(list(AuditEvent.objects.filter(table="governance_webhook").values_list("changes", flat=True)))
    assert "(not copied)" in trail
    for secret in (made.secret, again.secret, row.secret, row.former_secret):
        assert secret not in trail
    webhooks.rotate_secret(actor=admin, webhook_id=row.pk, grace=timedelta())
    row.refresh_from_db()
    assert (row.former_secret, row.former_secret_until) == ("", None)
    with pytest.raises(InvalidInput):
        webhooks.rotate_secret(actor=admin, webhook_id=row.pk, grace=timedelta(days=8))
    before = row.secret
    assert webhooks.encrypt_anew(actor=admin) == Webhook.objects.count()
    row.refresh_from_db()
    assert row.secret != before


def test_while_a_secret_is_rotated_both_sign(place: Place, receiver: Receiver) -> None:
    made = place.webhook(receiver.url)
    place.submit()
    again = webhooks.rotate_secret(actor=place.people.admin.actor, webhook_id=made.webhook.pk)
    send()
    (taken,) = receiver.taken
    assert is_signed(taken, made.secret)
    assert is_signed(taken, again.secret)
    Webhook.objects.update(former_secret_until=timezone.now())
    webhooks.try_out(actor=place.people.admin.actor, webhook_id=made.webhook.pk, limits=QUICK)
    assert not is_signed(receiver.taken[-1], made.secret)


def test_edits_are_made_on_what_was_read_and_what_waits_goes_to_the_new_url(place: Place, receiver: Receiver) -> None:
    admin = place.people.admin.actor
    made = place.webhook("http://127.0.0.1:9/closed").webhook
    place.submit()
    send_once()
    made.refresh_from_db()
    assert made.failures == 1
    webhooks.edit(actor=admin, webhook_id=made.pk, revision=1, url=receiver.url, events=["approval.*"])
    with pytest.raises(StaleEdit):
        webhooks.edit(actor=admin, webhook_id=made.pk, revision=1, name="Other")
    with pytest.raises(InvalidInput):
        webhooks.edit(actor=admin, webhook_id=made.pk, revision=2, secret="whsec_x")
    assert send() == 1
    made.refresh_from_db()
    assert (made.failures, made.sources[:2]) == (0, ["governance_approvalrequest", "governance_decision"])


def test_a_test_is_sent_once_also_to_one_that_is_disabled(place: Place, receiver: Receiver) -> None:
    admin, made = place.people.admin.actor, place.webhook(receiver.url)
    webhooks.disable(actor=admin, webhook_id=made.webhook.pk, reason="Being moved.")
    with pytest.raises(WrongState):
        webhooks.disable(actor=admin, webhook_id=made.webhook.pk)
    receiver.answer(503, b"not yet")
    sent = webhooks.try_out(actor=admin, webhook_id=made.webhook.pk, limits=QUICK)
    assert (sent.state, sent.last_status) == ("failed", 503)
    assert "not yet" in sent.last_error
    sent = webhooks.try_out(actor=admin, webhook_id=made.webhook.pk, limits=QUICK)
    assert (sent.state, sent.last_status) == ("delivered", 200)
    assert names(receiver) == ["webhook.test", "webhook.test"]
    webhooks.enable(actor=admin, webhook_id=made.webhook.pk)
    assert send() == 0
    with pytest.raises(WrongState, match="sent once"):
        webhooks.redeliver(actor=admin, webhook_id=made.webhook.pk, delivery_id=sent.pk)
    made.webhook.refresh_from_db()
    assert made.webhook.failures == 0, "a test says nothing of the receiver's standing"


def test_nobody_waits_for_a_test_to_be_answered(
    place: Place, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under an Idempotency-Key all of it is one transaction, as long as the receiver takes."""
    made = place.webhook(receiver.url)
    before: list[str] = []
    attempt = webhook_delivery.attempt

    def noted(*given: Any) -> webhook_delivery.Outcome:
        before.extend(query["sql"] for query in connection.queries)
        return attempt(*given)

    monkeypatch.setattr(webhook_delivery, "attempt", noted)
    with CaptureQueriesContext(connection):
        webhooks.try_out(actor=place.people.admin.actor, webhook_id=made.webhook.pk, limits=QUICK)
    assert any("INSERT" in sql for sql in before)
    assert not any("FOR NO KEY UPDATE" in sql or "FOR UPDATE" in sql for sql in before)


def test_what_was_sent_is_removed_after_thirty_days_and_what_waits_is_not(place: Place) -> None:
    made = place.webhook("http://127.0.0.1:9/closed").webhook
    place.withdraw(place.submit())
    send_once()
    old = timezone.now() - webhooks.KEPT - timedelta(hours=1)
    WebhookDelivery.objects.update(created_at=old)
    WebhookDelivery.objects.filter(type="approval.withdrawn").update(state="delivered", ended_at=old)
    assert webhooks.prune() == 1
    assert states(made) == ["pending"]
    webhooks.disable(actor=place.people.admin.actor, webhook_id=made.pk)
    assert webhooks.prune() == 1


def test_the_database_keeps_what_services_promise(place: Place) -> None:
    made = place.webhook(URL).webhook
    for change in ({"state": "disabled"}, {"events": []}, {"former_secret": "x"}, {"ended_by": "gone"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Webhook.objects.filter(pk=made.pk).update(**change)


def test_a_webhook_by_the_api_from_its_making_to_its_end(place: Place, receiver: Receiver) -> None:
    admin = Api(place.people.admin)
    answer = admin.call("POST", "webhooks/", {"name": "CI", "url": receiver.url, "project": place.project.key})
    made = answer.json()
    assert answer.status_code == 201
    assert made["secret"].startswith("whsec_")
    assert made["events"] == ["*"]
    path = f"webhooks/{made['id']}/"
    read = admin.call("GET", path)
    assert "secret" not in read.json()
    changed = admin.call("PATCH", path, {"events": ["approval.*"]}, **{"If-Match": read["ETag"]})
    assert changed.json()["events"] == ["approval.*"]
    assert admin.call("PATCH", path, {"name": "x"}, **{"If-Match": read["ETag"]}).status_code == 412
    assert admin.call("PATCH", path, {"name": "x"}).status_code == 428
    place.submit()
    receiver.answer(500, b"broken")
    send_once()
    (row,) = admin.call("GET", f"{path}deliveries/?state=pending&type=approval.requested").json()["results"]
    assert (row["attempts"], row["last_status"]) == (1, 500)
    assert "body" not in row
    one = admin.call("POST", f"{path}deliveries/{row['id']}/redeliver/", {}).json()
    assert one["message_id"] == row["message_id"]
    send()
    one = admin.call("GET", f"{path}deliveries/{row['id']}/").json()
    assert [attempt["status"] for attempt in one["tries"]] == [200, 500]
    assert one["payload"] == json.loads(one["body"])
    assert one["payload"]["data"]["subject"]["id"] == place.version.pk
    tried = admin.call("POST", f"{path}test/", {}).json()
    assert (tried["state"], tried["type"], tried["last_status"]) == ("delivered", "webhook.test", 200)
    known = {event["type"] for event in admin.call("GET", "webhooks/events/").json()["events"]}
    assert {"approval.approved", "finding.opened", "sync.failed"} <= known
    assert admin.call("POST", f"{path}disable/", {"reason": "Moved."}).json()["disabled_reason"] == "Moved."
    assert admin.call("POST", f"{path}deliveries/{row['id']}/redeliver/", {}).status_code == 409
    assert admin.call("DELETE", path, **{"If-Match": read["ETag"]}).status_code == 412
    assert admin.call("DELETE", path, **{"If-Match": admin.call("GET", path)["ETag"]}).status_code == 204
    assert admin.call("GET", f"{path}deliveries/").status_code == 404


def test_the_example_takes_what_the_portal_sends_and_nothing_else(place: Place, receiver: Receiver) -> None:
    verify, is_new = EXAMPLE["verify"], EXAMPLE["is_new"]
    made = place.webhook(receiver.url)
    place.submit()
    send()
    (taken,) = receiver.taken
    assert verify(made.secret, taken.headers, taken.body)["type"] == "approval.requested"
    changed = Taken(taken.path, {**taken.headers, "webhook-id": "msg_other"}, taken.body)
    for headers, body in ((changed.headers, taken.body), (taken.headers, taken.body + b" ")):
        with pytest.raises(ValueError, match="does not hold"):
            verify(made.secret, headers, body)
    late = {**taken.headers, "webhook-timestamp": str(int(taken.headers["webhook-timestamp"]) - 301)}
    with pytest.raises(ValueError, match="too long ago"):
        verify(made.secret, late, taken.body)
    seen: set[str] = set()
    assert [is_new(taken.headers["webhook-id"], seen) for _ in range(2)] == [True, False]
