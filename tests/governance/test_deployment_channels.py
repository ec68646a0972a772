"""Channels: who sets them, what is refused, how their secrets are kept; and the pipelines that ask."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from governance.choices import ChannelKind
from governance.models import AuditEvent, DeploymentChannel, WaitingCallback
from governance.services import callback_rows, callbacks, channels
from governance.services.carriers import orders_webhook
from portal.core import sealing
from portal.core.errors import Forbidden, InvalidInput, NotFound, StaleEdit, WrongState
from portal.core.vocabulary import Stage
from registry.models import ModelVersion
from tests.api.client import Api
from tests.factories import group, version
from tests.factories.walk import approve_once
from tests.receiver import listening
from tests.scene import fingerprint, settle

from .conftest import Place

pytestmark = pytest.mark.django_db

TEST = "333333333333"
URL = "https://deploy.example.org/orders"
PIPELINE = {"pipeline": "deploy", "parameters": {"Arn": "model_package_arn"}}
TOKEN = "AbCdEf1234"
EXECUTION = "arn:aws:sagemaker:us-east-1:111111111111:pipeline/deploy/execution/a1b2c3d4e5f6"


@pytest.fixture
def made(place: Place) -> ModelVersion:
    return version(group(place.project, place.people))


def create(place: Place, kind: ChannelKind, stage: str = "qa", **settings: Any) -> channels.Made:
    return channels.create(actor=place.people.admin.actor, account_id=TEST, stage=stage, kind=kind, **settings)


def post(place: Place, made: ModelVersion, **changed: Any) -> tuple[WaitingCallback, bool]:
    given = {
        "actor": place.people.engineer.actor,
        "model_package_arn": made.arn,
        "stage": Stage.QA,
        "account_id": TEST,
        "token": TOKEN,
        "execution_arn": EXECUTION,
    }
    return callbacks.post(**{**given, **changed})  # type: ignore[arg-type]  # any argument


@pytest.mark.parametrize(
    ("kind", "settings", "field"),
    [
        ("event_bridge", {"bus": "no spaces"}, "bus"),
        ("event_bridge", {"url": URL}, "url"),
        ("pipeline", {}, "pipeline"),
        ("pipeline", {**PIPELINE, "pipeline": "arn:aws:sagemaker:x"}, "pipeline"),
        ("pipeline", {**PIPELINE, "parameters": {}}, "parameters"),
        ("pipeline", {**PIPELINE, "parameters": {"Arn": "no_such_word"}}, "parameters"),
        ("pipeline", {**PIPELINE, "parameters": {"Stage": "stage"}}, "parameters"),
        ("pipeline", {**PIPELINE, "parameters": {"With space": "model_package_arn"}}, "parameters"),
        ("pipeline", {**PIPELINE, "parameters": {"Arn": "model_package_arn", "X": "=\n"}}, "parameters"),
        ("pipeline", {**PIPELINE, "parameters": {f"P{n}": "model_package_arn" for n in range(51)}}, "parameters"),
        ("pipeline", {**PIPELINE, "parameters": {"Arn": 7}}, "parameters"),
        ("pipeline", {**PIPELINE, "parameters": "Arn"}, "parameters"),
        ("pipeline", {**PIPELINE, "runs_in": "moon"}, "runs_in"),
        ("callback", {"queue_url": "sqs"}, "queue_url"),
        ("callback", {"step_name": "Ask"}, "step_name"),
        ("callback", {"pipeline": "deploy", "step_name": "no space"}, "step_name"),
        ("webhook", {}, "url"),
        ("webhook", {"url": "http://deploy.example.org/"}, "url"),
        ("webhook", {"url": "https://10.1.2.3/"}, "url"),
        ("webhook", {"url": "https://2130706433/"}, "url"),
        ("webhook", {"url": "https://me:secret@deploy.example.org/"}, "url"),
        ("carrier_pigeon", {}, "kind"),
    ],
)
def test_what_cannot_be_right_is_refused_beside_its_field(
    place: Place, kind: str, settings: dict[str, Any], field: str
) -> None:
    before = fingerprint()
    with pytest.raises(InvalidInput) as refused:
        create(place, kind, **settings)  # type: ignore[arg-type]  # any setting, wrong ones too
    assert field in refused.value.errors
    assert not DeploymentChannel.objects.exists()
    assert fingerprint() == before


def test_a_pipeline_found_in_sagemaker_needs_its_stage(place: Place) -> None:
    with pytest.raises(InvalidInput, match="attention"):
        create(place, ChannelKind.CALLBACK, stage="", pipeline="deploy")
    create(place, ChannelKind.CALLBACK, pipeline="deploy", step_name="Ask")


def test_who_may_not_administer_accounts_sets_nothing(place: Place) -> None:
    people = place.people
    row = create(place, ChannelKind.CALLBACK).channel
    for somebody in (people.engineer, people.officer, people.auditor):
        for attempt in (
            lambda who: channels.create(actor=who, account_id=TEST, stage="", kind=ChannelKind.CALLBACK),
            lambda who: channels.edit(actor=who, channel_id=row.pk, revision=1, is_enabled=False),
            lambda who: channels.remove(actor=who, channel_id=row.pk),
            lambda who: channels.rotate_secret(actor=who, channel_id=row.pk),
            lambda who: channels.try_out(actor=who, channel_id=row.pk),
        ):
            with pytest.raises(Forbidden):
                attempt(somebody.actor)
    with pytest.raises(NotFound):
        channels.remove(actor=people.scientist.actor, channel_id=row.pk)
    with pytest.raises(NotFound):
        channels.create(actor=people.admin.actor, account_id="999999999999", stage="", kind=ChannelKind.CALLBACK)


def test_one_per_account_and_stage(place: Place) -> None:
    create(place, ChannelKind.CALLBACK)
    create(place, ChannelKind.CALLBACK, stage="")
    with pytest.raises(WrongState, match="channel already"):
        create(place, ChannelKind.EVENT_BRIDGE)


def test_a_stale_edit_is_refused_and_another_kind_forgets_the_first_ones_settings(place: Place) -> None:
    admin = place.people.admin.actor
    row = create(place, ChannelKind.PIPELINE, **PIPELINE, runs_in="target").channel
    made = channels.edit(actor=admin, channel_id=row.pk, revision=1, kind="webhook", url=URL)
    assert made.secret.startswith("whsec_")
    with pytest.raises(StaleEdit):
        channels.edit(actor=admin, channel_id=row.pk, revision=1, is_enabled=False)
    with pytest.raises(InvalidInput):
        channels.edit(actor=admin, channel_id=row.pk, revision=2, secret="mine")
    row.refresh_from_db()
    assert (row.pipeline, row.parameters, row.runs_in, row.revision) == ("", {}, "hub", 2)
    assert not channels.edit(actor=admin, channel_id=row.pk, revision=2, kind="event_bridge").secret
    row.refresh_from_db()
    assert (row.secret, row.url) == ("", "")


def test_a_secret_is_shown_once_sealed_and_left_out_of_the_trail(place: Place) -> None:
    admin = place.people.admin.actor
    made = create(place, ChannelKind.WEBHOOK, url=URL)
    row = made.channel
    row.refresh_from_db()
    assert made.secret not in row.secret
    assert orders_webhook.secrets_of(row) == [made.secret]
    again = channels.rotate_secret(actor=admin, channel_id=row.pk)
    row.refresh_from_db()
    assert orders_webhook.secrets_of(row) == [again.secret, made.secret]
    row.former_secret_until = timezone.now() - timedelta(seconds=1)
    assert orders_webhook.secrets_of(row) == [again.secret]
    at_once = channels.rotate_secret(actor=admin, channel_id=row.pk, grace=timedelta())
    row.refresh_from_db()
    assert orders_webhook.secrets_of(row) == [at_once.secret]
    for wrong in (timedelta(seconds=-1), timedelta(days=8)):
        with pytest.raises(InvalidInput):
            channels.rotate_secret(actor=admin, channel_id=row.pk, grace=wrong)
    entries = AuditEvent.objects.filter(table="governance_deploymentchannel")
    assert entries.count() >= 3
    told = json.dumps(list(entries.values_list("changes", flat=True)))
    for secret in (made.secret, again.secret, row.secret, row.former_secret or "gAAAA"):
        assert secret not in told


def test_stored_secrets_are_encrypted_anew(place: Place, made: ModelVersion, settings: Any) -> None:
    settings.PORTAL_KEY_ENCRYPTION_KEYS = ["old" * 12]
    secret = create(place, ChannelKind.WEBHOOK, stage="production", url=URL).secret
    create(place, ChannelKind.CALLBACK)
    post(place, made)
    settings.PORTAL_KEY_ENCRYPTION_KEYS = ["new" * 12, "old" * 12]
    assert channels.encrypt_anew(actor=place.people.admin.actor) == 2
    with pytest.raises(Forbidden):
        channels.encrypt_anew(actor=place.people.officer.actor)
    settings.PORTAL_KEY_ENCRYPTION_KEYS = ["new" * 12]
    assert orders_webhook.secrets_of(DeploymentChannel.objects.get(stage="production")) == [secret]
    (waiting,) = WaitingCallback.objects.all()
    assert sealing.unseal(waiting.token, purpose=callback_rows.PURPOSE).decode() == TOKEN
    settings.PORTAL_KEY_ENCRYPTION_KEYS = ["other" * 12]
    with pytest.raises(sealing.Unreadable):
        channels.encrypt_anew(actor=place.people.admin.actor)


def test_only_webhooks_have_a_secret(place: Place) -> None:
    row = create(place, ChannelKind.CALLBACK).channel
    with pytest.raises(WrongState, match="Only webhooks"):
        channels.rotate_secret(actor=place.people.admin.actor, channel_id=row.pk)
    assert channels.try_out(actor=place.people.admin.actor, channel_id=row.pk).is_sound


def test_a_test_is_marked_as_one(place: Place, settings: Any) -> None:
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    admin = place.people.admin.actor
    with listening() as receiver:
        made = create(place, ChannelKind.WEBHOOK, url=receiver.url)
        assert channels.try_out(actor=admin, channel_id=made.channel.pk).is_sound
        (taken,) = receiver.taken
        assert taken.is_signed_with(made.secret)
        body = json.loads(taken.body)
        assert (body["type"], body["data"]["test"]) == ("deployment.test", True)
        assert "modelPackageArn" not in body["data"]
        receiver.answer(404)
        trial = channels.try_out(actor=admin, channel_id=made.channel.pk)
        assert not trial.is_sound
        made.channel.refresh_from_db()
        assert made.channel.last_error == trial.said
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = []
    assert "not a public address" in channels.try_out(actor=admin, channel_id=made.channel.pk).said


def test_the_api_shows_a_secret_once(place: Place) -> None:
    api = Api(place.people.admin)
    path = f"accounts/{TEST}/channels/"
    answer = api.call("POST", path, {"stage": "qa", "kind": "webhook", "url": URL})
    assert answer.status_code == 201, answer.json()
    secret, row = answer.json()["secret"], answer.json()["id"]
    assert secret.startswith("whsec_")
    for read in (api.call("GET", path), api.call("GET", f"{path}{row}/")):
        assert secret not in read.getvalue().decode()
        assert '"has_secret":true' in read.getvalue().decode().replace(" ", "")
    patched = api.call("PATCH", f"{path}{row}/", {"is_enabled": False}, **{"If-Match": '"1"'})
    assert (patched.status_code, patched.json()["secret"], patched.json()["is_enabled"]) == (200, "", False)
    assert api.call("PATCH", f"{path}{row}/", {"is_enabled": True}, **{"If-Match": '"1"'}).status_code == 412
    assert api.call("GET", f"accounts/111111111111/channels/{row}/").status_code == 404, "another account's"


def test_a_step_posted_twice_is_one(place: Place, made: ModelVersion) -> None:
    create(place, ChannelKind.CALLBACK)
    first, is_new = post(place, made)
    again, is_new_again = post(place, made)
    assert (is_new, is_new_again, again.pk) == (True, False, first.pk)
    assert TOKEN not in first.token
    other = version(made.group, 2)
    with pytest.raises(WrongState, match="another version"):
        post(place, other)


def test_a_step_nobody_would_answer_is_refused(place: Place, made: ModelVersion) -> None:
    with pytest.raises(WrongState, match="An ML admin"):
        post(place, made)
    create(place, ChannelKind.CALLBACK)
    for changed, field in (
        ({"token": "short"}, "callback_token"),
        ({"token": "AbCdEf123\n"}, "callback_token"),
        ({"account_id": "999999999999"}, "account"),
        ({"execution_arn": "x"}, "pipeline_execution_arn"),
        ({"execution_arn": EXECUTION.replace("1" * 12, "2" * 12)}, "pipeline_execution_arn"),
    ):
        with pytest.raises(InvalidInput) as refused:
            post(place, made, **changed)
        assert field in refused.value.errors
    with pytest.raises(NotFound):
        post(place, made, model_package_arn="arn:aws:sagemaker:us-east-1:111111111111:model-package/none/1")
    with pytest.raises(NotFound):
        post(place, made, actor=place.people.stranger.actor)
    with pytest.raises(Forbidden):
        post(place, made, actor=place.people.officer.actor)
    assert not WaitingCallback.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE governance_waitingcallback SET stage = 'production'",
        "UPDATE governance_waitingcallback SET model_package_arn = 'x'",
        "UPDATE governance_waitingcallback SET token_digest = 'x'",
        "UPDATE governance_waitingcallback SET outcome = 'gone'",
        "DELETE FROM governance_waitingcallback",
        "TRUNCATE governance_waitingcallback",
        "DELETE FROM governance_deploymentorder WHERE true",
        "UPDATE governance_deploymentchannel SET kind = 'webhook'",
    ],
)
def test_the_database_keeps_what_waited_and_what_was_ordered(place: Place, made: ModelVersion, change: str) -> None:
    create(place, ChannelKind.CALLBACK)
    post(place, made)
    if "deploymentorder" in change:
        approve_once(place.people, made)
    settle()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
