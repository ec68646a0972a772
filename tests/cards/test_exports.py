"""SageMaker's own PDF of a card: ordered, written into S3 by the sandbox AWS, fetched; and what goes wrong."""

from __future__ import annotations

import pytest

from governance.choices import OutboxState
from governance.models import OutboxMessage
from governance.services import card_exports, delivery
from portal.core.errors import Forbidden, NotFound, WrongState
from registry.aws import cards
from registry.aws.cards import ExportRecord
from registry.choices import AskedState
from registry.models import AwsAccount, ModelCard
from tests import aws_story
from tests.api.carded import carded
from tests.aws_story import HUB
from tests.factories import group, version
from tests.governance.conftest import Place
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def card(place: Place, aws: Sandbox) -> ModelCard:
    """A card in two versions, in an account with a bucket."""
    bucket, session = aws_story.unique("bucket"), aws_story.session(HUB)
    session.s3.create_bucket(Bucket=bucket)
    AwsAccount.objects.filter(account_id=HUB).update(artifact_buckets=[bucket])
    card = carded(version(group(place.project, place.people)), name=aws_story.unique("card"))
    session.sagemaker.create_model_card(ModelCardName=card.name, Content="{}", ModelCardStatus="Draft")
    session.sagemaker.update_model_card(ModelCardName=card.name, Content="{}")
    return ModelCard.objects.get(pk=card.pk)


def carried() -> OutboxMessage:
    message = OutboxMessage.objects.latest("pk")
    delivery.deliver_key(message.ordering_key)
    message.refresh_from_db()
    return message


def test_sagemaker_writes_the_pdf_and_the_portal_gives_it_out(place: Place, card: ModelCard) -> None:
    people = place.people
    asked = card_exports.order(actor=people.engineer.actor, card_id=card.pk, number=1)
    with pytest.raises(WrongState, match="not written"):
        card_exports.fetch(actor=people.auditor.actor, card_id=card.pk, export_id=asked.pk)
    with pytest.raises(WrongState, match="already"):
        card_exports.order(actor=people.officer.actor, card_id=card.pk, number=1)
    assert carried().state == OutboxState.DELIVERED
    row, file, size = card_exports.fetch(actor=people.auditor.actor, card_id=card.pk, export_id=asked.pk)
    with file:
        content = file.read()
    assert (row.state, row.number, len(content)) == (AskedState.DONE, 1, size)
    assert content.startswith(b"%PDF-")
    assert row.url.startswith(f"s3://{card.account.artifact_buckets[0]}/model-card-exports/")
    aws_story.session(HUB).s3.delete_object(
        Bucket=card.account.artifact_buckets[0], Key=row.url.split("/", maxsplit=3)[3]
    )
    with pytest.raises(NotFound, match="no longer"):
        card_exports.fetch(actor=people.auditor.actor, card_id=card.pk, export_id=asked.pk)


def test_asked_twice_it_is_one_job_and_a_slow_one_is_waited_for(
    place: Place, card: ModelCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = card_exports.order(actor=place.people.scientist.actor, card_id=card.pk)
    real = cards.describe_export
    slow = ExportRecord(arn="", state="InProgress", url="", reason="")
    monkeypatch.setattr(cards, "describe_export", lambda *_: slow)
    message = carried()
    assert (message.state, message.attempts) == (OutboxState.PENDING, 0)
    assert message.progress["job"].startswith(f"{card.arn}/export-job/")
    # The worker died before it could write down what SageMaker answered.
    OutboxMessage.objects.filter(pk=message.pk).update(progress={}, next_attempt_at=message.created_at)
    monkeypatch.setattr(cards, "describe_export", real)
    assert carried().state == OutboxState.DELIVERED
    asked.refresh_from_db()
    assert (asked.state, asked.number, asked.job_arn) == (AskedState.DONE, 2, message.progress["job"])


def test_what_sagemaker_cannot_write_says_why_and_can_be_tried_again(place: Place, card: ModelCard) -> None:
    actor = place.people.owner.actor
    AwsAccount.objects.filter(pk=card.account_id).update(artifact_buckets=["no-such-bucket-here"])
    asked = card_exports.order(actor=actor, card_id=card.pk)
    message = carried()
    asked.refresh_from_db()
    assert (message.state, asked.state) == (OutboxState.FAILED, AskedState.FAILED)
    assert "no-such-bucket-here" in asked.error
    aws_story.session(HUB).s3.create_bucket(Bucket="no-such-bucket-here")
    OutboxMessage.objects.filter(pk=message.pk).update(state=OutboxState.PENDING, attempts=0)
    assert carried().state == OutboxState.DELIVERED


def test_who_may_not_and_what_cannot_be_exported(place: Place, card: ModelCard) -> None:
    people, before = place.people, OutboxMessage.objects.count()
    for actor in (people.auditor.actor, people.admin.actor):
        with pytest.raises(Forbidden):
            card_exports.order(actor=actor, card_id=card.pk)
    with pytest.raises(NotFound):
        card_exports.order(actor=people.stranger.actor, card_id=card.pk)
    with pytest.raises(NotFound):
        card_exports.order(actor=people.scientist.actor, card_id=card.pk, number=7)
    AwsAccount.objects.filter(pk=card.account_id).update(artifact_buckets=[])
    with pytest.raises(WrongState, match="No bucket"):
        card_exports.order(actor=people.scientist.actor, card_id=card.pk)
    assert OutboxMessage.objects.count() == before
