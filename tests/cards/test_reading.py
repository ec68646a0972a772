"""Cards read from the sandbox AWS: what comes in, what a pass costs, and what is said of a broken one."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from governance.models import Finding
from governance.services import model_cards, readings
from registry.aws import cards as gateway
from registry.aws.cards import CardRecord
from registry.choices import CardStatus, RiskRating, SyncKind, SyncState
from registry.models import ModelCard, ModelCardVersion, ModelGroup, SyncRun
from tests import aws_story
from tests.aws_story import HUB
from tests.cards.contents import BROKEN, whole
from tests.factories import group, use_case, version
from tests.governance.conftest import Place
from tests.sandbox import Sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def sagemaker(aws: Sandbox) -> Any:
    """SageMaker of the hub, without any card of another test."""
    client = aws_story.session(HUB).sagemaker
    for page in client.get_paginator("list_model_cards").paginate():
        for card in page["ModelCardSummaries"]:
            client.delete_model_card(ModelCardName=card["ModelCardName"])
    aws.forget()
    return client


def read() -> SyncRun:
    [run] = readings.read_account(account_id=HUB, kind=SyncKind.CARDS, requested_by="test")
    run.refresh_from_db()
    return run


def made(sagemaker: Any, name: str, content: object, status: str = "Draft") -> str:
    answer = sagemaker.create_model_card(ModelCardName=name, Content=json.dumps(content), ModelCardStatus=status)
    return str(answer["ModelCardArn"])


@pytest.fixture
def models(place: Place) -> ModelGroup:
    return group(place.project, place.people)


def test_a_card_is_read_with_its_versions_and_linked(place: Place, models: ModelGroup, sagemaker: Any) -> None:
    case = use_case(place.people, place.project)
    about = version(models)
    made(sagemaker, "credit", whole(models))
    details = {"custom_details": {"UseCaseId": case.public_id}}
    second = whole(models, about, additional_information=details)
    sagemaker.update_model_card(ModelCardName="credit", Content=json.dumps(second))
    run = read()
    assert (run.state, run.created, run.error) == (SyncState.SUCCEEDED, 1, "")
    card = ModelCard.objects.get(name="credit")
    assert (card.number, card.status, card.problems) == (2, CardStatus.DRAFT, [])
    assert (card.version, card.group, card.use_case) == (about, models, case)
    assert (card.risk_rating, card.owner_name) == (RiskRating.HIGH, "Consumer Lending Risk")
    assert (card.line_of_business, card.use_case_named) == ("Consumer Lending", case.public_id)
    first, latest = card.versions.order_by("number")
    assert (first.content, latest.content) == (whole(models), second)
    assert latest.aws_created_at > first.aws_created_at


def test_what_is_as_known_costs_one_listing(models: ModelGroup, sagemaker: Any, aws: Sandbox) -> None:
    made(sagemaker, "credit", whole(models))
    read()
    aws.forget()
    run = read()
    assert (run.unchanged, run.created, run.updated) == (1, 0, 0)
    assert [c["operation"] for c in aws.calls(service="sagemaker")] == ["ListModelCards"]
    sagemaker.update_model_card(ModelCardName="credit", ModelCardStatus="PendingReview")
    assert read().updated == 1
    card = ModelCard.objects.get(name="credit")
    assert (card.number, card.status) == (1, CardStatus.PENDING_REVIEW)
    assert card.versions.get().status == CardStatus.PENDING_REVIEW


def test_what_a_card_names_may_come_later(place: Place, sagemaker: Any) -> None:
    made(sagemaker, "early", {"model_overview": {"model_name": "Comes-Later", "model_version": 3}})
    read()
    card = ModelCard.objects.get(name="early")
    assert (card.group, card.version, card.scope_project_id) == (None, None, None)
    late = group(place.project, place.people, name="comes-later")
    third = version(late, 3)
    read()
    card.refresh_from_db()
    assert (card.group, card.version, card.scope_project_id) == (late, third, place.project.pk)


def test_a_card_does_not_reach_into_another_project(place: Place, sagemaker: Any) -> None:
    theirs = use_case(place.people, place.project)
    details = {"custom_details": {"UseCaseId": theirs.public_id}}
    made(sagemaker, "credit", whole(group(None), additional_information=details))
    read()
    card = ModelCard.objects.get(name="credit")
    assert (card.use_case, card.use_case_named) == (None, theirs.public_id)


def test_a_deleted_card_is_kept_and_marked(models: ModelGroup, sagemaker: Any, aws: Sandbox) -> None:
    made(sagemaker, "gone", whole(models))
    read()
    sagemaker.delete_model_card(ModelCardName="gone")
    aws.fault(service="sagemaker", operation="ListModelCards", error="AccessDeniedException", times=1)
    run = read()
    assert (run.state, run.missing) == (SyncState.FAILED, 0)
    assert not ModelCard.objects.exclude(missing_since=None).exists()
    assert read().missing == 1
    old = ModelCard.objects.get(name="gone")
    assert old.missing_since is not None
    made(sagemaker, "gone", {})
    assert read().created == 1
    assert ModelCard.objects.present().get(name="gone").pk != old.pk
    assert old.versions.count() == 1


def test_one_that_cannot_be_read_does_not_stop_the_others(models: ModelGroup, sagemaker: Any, aws: Sandbox) -> None:
    made(sagemaker, "first", whole(models))
    made(sagemaker, "second", whole(models))
    aws.fault(service="sagemaker", operation="DescribeModelCard", error="AccessDeniedException", times=1)
    run = read()
    assert (run.state, run.created) == (SyncState.FAILED, 1)
    assert "first" in run.error
    assert ModelCard.objects.get().name == "second"
    assert read().state == SyncState.SUCCEEDED
    assert ModelCard.objects.count() == 2


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_card_is_a_finding_and_nothing_is_lost(
    kind: str, models: ModelGroup, sagemaker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, said = BROKEN[kind]
    made(sagemaker, models.name, {})
    real = gateway.describe_card

    def describe(*arguments: Any) -> CardRecord:
        return dataclasses.replace(real(*arguments), content=text)

    monkeypatch.setattr(gateway, "describe_card", describe)
    run = read()
    assert (run.state, run.created) == (SyncState.SUCCEEDED, 1)
    card = ModelCard.objects.get()
    assert any(said in problem for problem in card.problems), card.problems
    kept: ModelCardVersion = card.versions.get()
    assert kept.problems == card.problems
    assert kept.content is not None or kept.text == text
    finding = Finding.objects.get(kind="card_invalid", evidence__model_card=card.pk)
    assert said in finding.summary
    assert model_cards.observation_of(card).subject == (card.group or card.account)
    monkeypatch.undo()
    sagemaker.update_model_card(ModelCardName=models.name, Content="{}")
    read()
    finding.refresh_from_db()
    assert finding.state == "resolved"
