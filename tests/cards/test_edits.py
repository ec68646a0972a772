"""Cards written from the portal to the sandbox AWS: asked for, carried, read back; and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from governance.choices import OutboxState
from governance.models import OutboxMessage
from governance.services import card_edits, delivery
from portal.core.errors import Forbidden, InvalidInput, NotFound, StaleEdit, WrongState
from registry.choices import AskedState, CardStatus
from registry.models import ModelCard, ModelCardEdit, ModelGroup
from registry.selectors import model_cards
from registry.services import model_cards as services
from tests import aws_story
from tests.aws_story import HUB
from tests.cards.contents import whole
from tests.factories import group, version
from tests.governance.conftest import Place
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db
CONTENT = {"model_overview": {"model_owner": "Consumer Lending Risk"}}


@pytest.fixture
def sagemaker(aws: Sandbox) -> Any:
    return aws_story.session(HUB).sagemaker


@pytest.fixture
def models(place: Place) -> ModelGroup:
    return group(place.project, place.people)


@pytest.fixture
def card(place: Place, models: ModelGroup, sagemaker: Any) -> ModelCard:
    """A draft that the data scientist has written through the portal."""
    name = aws_story.unique("card")
    card_edits.create(actor=place.people.scientist.actor, group_id=models.pk, name=name, content=CONTENT)
    carried()
    return ModelCard.objects.get(name=name)


def carried() -> OutboxMessage:
    message = OutboxMessage.objects.latest("pk")
    delivery.deliver_key(message.ordering_key)
    message.refresh_from_db()
    return message


def moved(place: Place, card: ModelCard, status: CardStatus, who: str) -> ModelCard:
    actor = getattr(place.people, who).actor
    card_edits.move(actor=actor, card_id=card.pk, revision=card.revision, status=status)
    assert carried().state == OutboxState.DELIVERED
    card.refresh_from_db()
    return card


def test_a_card_goes_from_draft_to_approved_and_back(place: Place, card: ModelCard, sagemaker: Any) -> None:
    scientist = place.people.scientist
    assert (card.status, card.number, card.problems) == (CardStatus.DRAFT, 1, [])
    assert card.group is not None
    assert card.versions.get().written_by == scientist
    moved(place, card, CardStatus.PENDING_REVIEW, "scientist")
    moved(place, card, CardStatus.APPROVED, "officer")
    answer = sagemaker.describe_model_card(ModelCardName=card.name)
    assert (answer["ModelCardStatus"], answer["ModelCardVersion"]) == ("Approved", 1)
    content = whole(card.group)
    card_edits.edit(actor=place.people.owner.actor, card_id=card.pk, revision=card.revision, content=content)
    carried()
    card.refresh_from_db()
    assert (card.status, card.number, card.risk_rating) == (CardStatus.DRAFT, 2, "high")
    assert card.versions.get(number=2).written_by == place.people.owner
    assert json.loads(sagemaker.describe_model_card(ModelCardName=card.name)["Content"]) == content
    assert not ModelCardEdit.objects.exclude(state=AskedState.DONE).exists()


def test_nobody_approves_the_card_he_wrote_last(place: Place, card: ModelCard) -> None:
    moved(place, card, CardStatus.PENDING_REVIEW, "scientist")
    officer = place.people.officer
    card.versions.update(written_by=officer)
    with pytest.raises(Forbidden, match="wrote its latest version"):
        card_edits.move(actor=officer.actor, card_id=card.pk, revision=card.revision, status=CardStatus.APPROVED)
    moved(place, card, CardStatus.APPROVED, "second_officer")


def test_who_may_do_what(place: Place, card: ModelCard, models: ModelGroup) -> None:
    people = place.people
    for actor in (people.officer.actor, people.engineer.actor, people.auditor.actor):
        with pytest.raises(Forbidden):
            card_edits.edit(actor=actor, card_id=card.pk, revision=card.revision, content={})
        with pytest.raises(Forbidden):
            card_edits.create(actor=actor, group_id=models.pk, name="other", content={})
    with pytest.raises(NotFound):
        card_edits.edit(actor=people.stranger.actor, card_id=card.pk, revision=card.revision, content={})
    moved(place, card, CardStatus.PENDING_REVIEW, "owner")
    for actor in (people.scientist.actor, people.owner.actor):
        with pytest.raises(Forbidden):
            card_edits.move(actor=actor, card_id=card.pk, revision=card.revision, status=CardStatus.APPROVED)


def test_what_cannot_be_is_refused_and_nothing_is_sent(place: Place, card: ModelCard, models: ModelGroup) -> None:
    scientist, before = place.people.scientist.actor, OutboxMessage.objects.count()
    with pytest.raises(WrongState):
        card_edits.move(actor=scientist, card_id=card.pk, revision=card.revision, status=CardStatus.ARCHIVED)
    with pytest.raises(StaleEdit):
        card_edits.edit(actor=scientist, card_id=card.pk, revision=card.revision + 1, content={})
    for content in ({"unknown": 1}, {"intended_uses": {"risk_rating": "Huge"}}, model_cards.content_of(card)):
        with pytest.raises(InvalidInput):
            card_edits.edit(actor=scientist, card_id=card.pk, revision=card.revision, content=content)
    long = {"model_overview": {"model_artifact": ["x" * 1000] * 101}}
    with pytest.raises(InvalidInput, match="refuse"):
        card_edits.edit(actor=scientist, card_id=card.pk, revision=card.revision, content=long)
    for name in ("no spaces", "", "x" * 64, "-"):
        with pytest.raises(InvalidInput):
            card_edits.create(actor=scientist, group_id=models.pk, name=name, content={})
    with pytest.raises(WrongState):
        card_edits.create(actor=scientist, group_id=models.pk, name=card.name, content={})
    assert OutboxMessage.objects.count() == before


def test_one_change_at_a_time_is_on_its_way(place: Place, card: ModelCard) -> None:
    actor = place.people.scientist.actor
    card_edits.edit(actor=actor, card_id=card.pk, revision=card.revision, content={})
    with pytest.raises(WrongState, match="on its way"):
        card_edits.move(actor=actor, card_id=card.pk, revision=card.revision, status=CardStatus.PENDING_REVIEW)
    assert model_cards.pending_edit(card) is not None


def test_a_card_changed_in_aws_is_not_written_over(place: Place, card: ModelCard, sagemaker: Any) -> None:
    actor = place.people.scientist.actor
    card_edits.edit(actor=actor, card_id=card.pk, revision=card.revision, content={})
    theirs = json.dumps({"model_overview": {"model_owner": "Somebody in AWS"}})
    sagemaker.update_model_card(ModelCardName=card.name, Content=theirs)
    message = carried()
    assert message.state == OutboxState.FAILED
    assert "Somebody changed the card in AWS" in message.last_error
    assert sagemaker.describe_model_card(ModelCardName=card.name)["Content"] == theirs
    failed = model_cards.failed_edit(card)
    assert failed is not None
    assert "Nothing was written" in failed.error


def test_asked_twice_it_is_written_once(place: Place, card: ModelCard, sagemaker: Any, aws: Sandbox) -> None:
    actor = place.people.scientist.actor
    card_edits.edit(actor=actor, card_id=card.pk, revision=card.revision, content={})
    # The answer is lost on its way: an earlier attempt got through, and its worker never knew.
    asked = ModelCardEdit.objects.latest("pk")
    sagemaker.update_model_card(ModelCardName=card.name, Content=json.dumps(asked.content), ModelCardStatus="Draft")
    assert carried().state == OutboxState.DELIVERED
    assert sagemaker.describe_model_card(ModelCardName=card.name)["ModelCardVersion"] == 2


def test_a_card_of_no_group_is_seen_by_who_claims_groups(place: Place, card: ModelCard) -> None:
    ModelCard.objects.filter(pk=card.pk).update(group=None)
    with pytest.raises(NotFound):
        model_cards.card(place.people.scientist.actor, card.pk)
    assert model_cards.card(place.people.engineer.actor, card.pk) == card
    assert services.known(card.account, card.region)[card.arn] == card


def test_what_a_card_may_be_and_what_not(place: Place, card: ModelCard) -> None:
    deep: Any = "x"
    for _ in range(3000):
        deep = [deep]
    wrong: list[dict[str, Any]] = [
        {"model_overview": {"model_owner": "a\x00b"}},
        {"model_overview": {"model_owner": "\ud800"}},
        {"model_overview": {"model_version": float("inf")}},
        {"training_details": {"objective_function": {"deep": deep}}},
        {"additional_information": {"custom_details": {str(n): "x" * 1024 for n in range(100)}}},
    ]
    for content in wrong:
        with pytest.raises(InvalidInput, match="refuse"):
            card_edits.require_valid(content)
    # SageMaker counts characters, whatever their alphabet.
    card_edits.require_valid({"additional_information": {"custom_details": {str(n): "评" * 1000 for n in range(90)}}})
    # What SageMaker took already may be new to the schema here; an edit of something else does not fall over it.
    newer = {"model_overview": {"new_of_aws": "x"}}
    card_edits.require_valid({**newer, "intended_uses": {"risk_rating": "Low"}}, newer)
    with pytest.raises(InvalidInput):
        card_edits.require_valid({**newer, "unknown": {}}, newer)


def test_a_card_does_not_change_its_project(place: Place, card: ModelCard, models: ModelGroup) -> None:
    actor, theirs = place.people.scientist.actor, version(group(None, place.people, name=aws_story.unique("theirs")))
    before = OutboxMessage.objects.count()
    for content in (
        {"model_package_details": {"model_package_group_name": theirs.group.name}},
        {"model_package_details": {"model_package_group_name": models.name, "model_package_arn": theirs.arn}},
        {"model_overview": {"model_id": theirs.arn}},
        {"model_overview": {"model_name": theirs.group.name}},
    ):
        with pytest.raises(InvalidInput, match="another model"):
            card_edits.edit(actor=actor, card_id=card.pk, revision=card.revision, content=content)
        with pytest.raises(InvalidInput, match="another model"):
            card_edits.create(actor=actor, group_id=models.pk, name=aws_story.unique("new"), content=content)
    assert OutboxMessage.objects.count() == before
    card_edits.edit(actor=actor, card_id=card.pk, revision=card.revision, content={"intended_uses": {}})
    carried()
    card.refresh_from_db()
    assert (card.number, card.group) == (2, models), "what names no model stays about its own"
