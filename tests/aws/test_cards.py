"""Model cards: requests as they go over the wire, answers as they come back."""

from __future__ import annotations

import pytest

from registry.aws import cards
from registry.aws.errors import AwsConflict, AwsInvalid, AwsNotFound
from registry.aws.session import AwsSession
from tests.aws.recorded import MODIFIED_AT
from tests.aws.wire import Wire

ARN = "arn:aws:sagemaker:us-east-1:111111111111:model-card/credit"
SUMMARY = {
    "ModelCardName": "credit",
    "ModelCardArn": ARN,
    "ModelCardStatus": "Draft",
    "CreationTime": MODIFIED_AT.timestamp(),
}
DESCRIBED = {
    **SUMMARY,
    "ModelCardVersion": 2,
    "Content": "{broken",
    "CreatedBy": {"IamIdentity": {"Arn": "arn:aws:iam::111111111111:user/jane"}},
    "LastModifiedTime": MODIFIED_AT.timestamp(),
}


def test_cards_and_versions_are_listed_through_pages(wire: Wire, session: AwsSession) -> None:
    wire.answer("sagemaker", "ListModelCards", {"ModelCardSummaries": [], "NextToken": "t"})
    wire.answer("sagemaker", "ListModelCards", {"ModelCardSummaries": [SUMMARY]})
    rows = [{**SUMMARY, "ModelCardVersion": number} for number in (1, 2)]
    wire.answer("sagemaker", "ListModelCardVersions", {"ModelCardVersionSummaryList": rows})
    (card,) = cards.list_cards(session)
    assert (card.arn, card.created_at, card.modified_at) == (ARN, MODIFIED_AT, None)
    assert [version.number for version in cards.list_card_versions(session, ARN)] == [1, 2]
    assert wire.asked("ListModelCardVersions")[0]["ModelCardName"] == ARN


def test_a_card_is_described_as_it_is(wire: Wire, session: AwsSession) -> None:
    wire.answer("sagemaker", "DescribeModelCard", DESCRIBED)
    wire.answer("sagemaker", "DescribeModelCard", {**DESCRIBED, "Content": "{}"})
    card = cards.describe_card(session, "credit", 2)
    assert (card.number, card.content, card.kms_key, card.last_modified_by) == (2, "{broken", "", None)
    assert card.created_by is not None
    assert card.created_by.arn.endswith("user/jane")
    cards.describe_card(session, ARN)
    asked = wire.asked("DescribeModelCard")
    assert asked == [{"ModelCardName": "credit", "ModelCardVersion": 2}, {"ModelCardName": ARN}]


def test_a_card_is_written_with_what_was_given_alone(wire: Wire, session: AwsSession) -> None:
    for _ in range(2):
        wire.answer("sagemaker", "UpdateModelCard", {"ModelCardArn": ARN})
    wire.answer("sagemaker", "CreateModelCard", {"ModelCardArn": ARN})
    cards.update_card(session, "credit", status="Approved")
    cards.update_card(session, "credit", content="{}", status="Draft")
    assert cards.create_card(session, name="credit", content="{}") == ARN
    first, second = wire.asked("UpdateModelCard")
    assert first == {"ModelCardName": "credit", "ModelCardStatus": "Approved"}
    assert second == {"ModelCardName": "credit", "Content": "{}", "ModelCardStatus": "Draft"}


def test_what_aws_would_refuse_is_not_sent(session: AwsSession) -> None:
    with pytest.raises(AwsInvalid, match="neither content nor status"):
        cards.update_card(session, "credit")
    with pytest.raises(AwsInvalid, match="Content"):
        cards.update_card(session, "credit", content="x" * (cards.LONGEST_CONTENT + 1))
    with pytest.raises(AwsInvalid, match="ModelCardName"):
        cards.create_card(session, name="no spaces here", content="{}")


def test_refusals_have_their_names(wire: Wire, session: AwsSession) -> None:
    wire.refuse("DescribeModelCard", "ResourceNotFound", "there is no such card")
    with pytest.raises(AwsNotFound):
        cards.describe_card(session, "other")
    wire.refuse("CreateModelCard", "ConflictException", "it exists")
    with pytest.raises(AwsConflict):
        cards.create_card(session, name="credit", content="{}")
