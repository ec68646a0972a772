"""Personas: what a role may do beyond one and what it lacks, in plain verbs; and policies as short as IAM takes them."""

from __future__ import annotations

from typing import Any

import pytest

from registry.aws.iam_roles import takes_people
from registry.aws.personas import APPROVAL, STAGE
from registry.choices import AccountPurpose, Persona
from registry.personas.comparison import Comparison, compared
from registry.personas.permissions import Reach, Unreadable, reach, statements
from registry.personas.policies import MOST_CHARACTERS, PersonaPolicy, Place, everywhere, length, policies

SCIENTIST, ENGINEER, OFFICER = Persona.DATA_SCIENTIST, Persona.ML_ENGINEER, Persona.GOVERNANCE_OFFICER
VERSIONS = "arn:*:sagemaker:*:*:model-package/*"
UPDATE = "sagemaker:UpdateModelPackage"
PERSONAS = {one: [s for document in found for s in statements(document)] for one, found in everywhere().items()}
GROUP = "arn:aws:sagemaker:us-east-1:111111111111:model-package-group/Credit-Risk"


def allow(*actions: str, on: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **more}


def deny(*actions: str, on: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(*actions, on=on, **more), "Effect": "Deny"}


def condition(operator: str, key: str, *values: str) -> dict[str, Any]:
    return {operator: {key: list(values)}}


ONLY_PENDING = {"Condition": condition("StringEquals", APPROVAL, "PendingManualApproval")}
NOT_APPROVED = {"Condition": {"Null": {APPROVAL: "false"}, "StringNotEquals": {APPROVAL: ["PendingManualApproval"]}}}


@pytest.mark.parametrize(
    ("given", "how"),
    [
        ([], Reach.NO),
        ([allow(UPDATE)], Reach.YES),
        ([allow("sagemaker:update*")], Reach.YES),
        ([allow("*")], Reach.YES),
        ([allow("s3:*")], Reach.NO),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], Reach.YES),
        ([{"Effect": "Allow", "NotAction": "sagemaker:*", "Resource": "*"}], Reach.NO),
        # Some versions are versions: of which ones is not asked.
        ([allow(UPDATE, on="arn:aws:sagemaker:us-east-1:111111111111:model-package/credit/*")], Reach.YES),
        ([allow(UPDATE, on="arn:aws:sagemaker:us-east-1:111111111111:endpoint/*")], Reach.NO),
        ([{"Effect": "Allow", "Action": UPDATE, "NotResource": "arn:*:sagemaker:*:*:model-package/*"}], Reach.NO),
        ([{"Effect": "Allow", "Action": UPDATE, "NotResource": "arn:aws:s3:::*"}], Reach.YES),
        ([allow("*"), deny(UPDATE)], Reach.NO),
        ([allow("*"), deny("sagemaker:*", on=VERSIONS)], Reach.NO),
        ([allow("*"), deny(UPDATE, on="arn:aws:sagemaker:*:*:model-package/credit/*")], Reach.IN_PART),
        ([allow("*"), {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::*"}], Reach.NO),
        ([allow("*"), deny(UPDATE, on="arn:aws:s3:::*")], Reach.YES),
        # What is said of the version is known, what else a request has is not.
        ([allow(UPDATE, **ONLY_PENDING)], Reach.NO),
        ([allow("*"), deny(UPDATE, **NOT_APPROVED)], Reach.NO),
        ([allow(UPDATE, Condition=condition("StringLike", APPROVAL, "Appr*"))], Reach.YES),
        ([allow(UPDATE, Condition=condition("StringEqualsIfExists", STAGE, "QA"))], Reach.YES),
        ([allow(UPDATE, Condition=condition("Bool", "aws:MultiFactorAuthPresent", "true"))], Reach.IN_PART),
        ([allow("*"), deny("*", Condition=condition("IpAddress", "aws:SourceIp", "10.0.0.0/8"))], Reach.IN_PART),
        ([allow(UPDATE, Condition=condition("NumericEquals", APPROVAL, "1"))], Reach.IN_PART),
    ],
)
def test_how_far_policies_let_a_role_approve(given: list[dict[str, Any]], how: Reach) -> None:
    assert reach(statements({"Statement": given}), UPDATE, VERSIONS, {APPROVAL: "Approved"}) is how


@pytest.mark.parametrize(
    "document",
    [
        "no JSON",
        [],
        {},
        {"Statement": "all"},
        {"Statement": [None]},
        {"Statement": {"Action": "*", "Resource": "*"}},
        {"Statement": {"Effect": "Allow", "Resource": "*"}},
        {"Statement": {"Effect": "Allow", "Action": {"*": 1}, "Resource": "*"}},
        {"Statement": {**allow("*"), "Condition": "always"}},
        {"Statement": {**allow("*"), "Condition": {"Bool": "x"}}},
    ],
)
def test_what_is_no_policy_is_said_to_be_none(document: Any) -> None:
    with pytest.raises(Unreadable):
        statements(document)


def against(*given: dict[str, Any], linked: Persona | None = None) -> Comparison:
    return compared(statements({"Statement": list(given)}), PERSONAS, linked)


@pytest.mark.parametrize("persona", Persona)
def test_a_persona_is_itself(persona: Persona) -> None:
    assert compared(PERSONAS[persona], PERSONAS) == Comparison(persona, is_linked=False)


def test_an_administrator_goes_around_every_decision() -> None:
    found = against(allow("*"), linked=OFFICER)
    assert (found.persona, found.is_linked, found.goes_around, found.lacks) == (OFFICER, True, True, ())
    assert found.beyond[:8] == (
        "It may approve or reject versions.",
        "It may move versions beyond Development.",
        "It may delete versions.",
        "It may delete model groups.",
        "It may share model groups with other accounts.",
        "It may change the policies of model groups.",
        "It may change the policies of roles.",
        "It may hand a role of the account to a machine it starts.",
    )


def test_a_scientist_without_the_refusals_may_approve() -> None:
    bare = [allow("sagemaker:Describe*", "sagemaker:List*", "sagemaker:Get*", "sagemaker:Search")]
    found = against(*bare, allow("sagemaker:CreateModelPackage", UPDATE), linked=SCIENTIST)
    assert found.beyond == (
        "It may approve or reject versions.",
        "It may move versions beyond Development.",
        "It may see what runs.",
    )
    assert found.goes_around


def test_what_a_role_lacks_of_its_persona_is_told() -> None:
    found = against(allow("sagemaker:ListEndpoints", "sagemaker:DescribeEndpoint"), linked=ENGINEER)
    assert (found.beyond, found.goes_around) == ((), False)
    assert found.lacks == (
        "It may not read the registry.",
        "It may not create and change endpoints.",
        "It may not delete endpoints.",
    )


def test_a_role_that_has_nothing_to_do_with_models_is_nobody() -> None:
    assert against(allow("s3:GetObject")) == Comparison(None, is_linked=False)


def place(*purposes: AccountPurpose, groups: int = 1, roles: tuple[str, ...] = ()) -> Place:
    arns = tuple(f"{GROUP}-{number}" if number else GROUP for number in range(groups))
    return Place("222222222222", "aws", ("us-east-1", "eu-west-1"), purposes, arns, roles)


def of(persona: Persona, at: Place) -> PersonaPolicy:
    return next(one for one in policies(at) if one.persona is persona)


def may(policy: PersonaPolicy, action: str, on: str, **said: str) -> bool:
    found = [s for document in policy.documents for s in statements(document)]
    return reach(found, action, on, {APPROVAL: said["approval"]} if said else {}) is Reach.YES


def test_policies_name_the_groups_of_the_account_and_no_others() -> None:
    policy = of(SCIENTIST, place(AccountPurpose.DEVELOPMENT))
    mine, other = f"{GROUP.replace('-group/C', '/c').replace('-R', '-r')}/7", VERSIONS.replace("/*", "/other/7")
    assert may(policy, UPDATE, mine, approval="PendingManualApproval")
    assert not may(policy, UPDATE, mine, approval="Approved")
    assert not may(policy, UPDATE, other, approval="PendingManualApproval")
    assert not may(policy, "sagemaker:DescribeModelPackage", other)


def test_what_an_account_is_for_decides_what_is_done_in_it() -> None:
    assert not may(of(SCIENTIST, place(AccountPurpose.PRODUCTION)), UPDATE, VERSIONS)
    assert not may(of(SCIENTIST, place(AccountPurpose.DEVELOPMENT, groups=0)), UPDATE, VERSIONS)
    endpoint = "arn:aws:sagemaker:us-east-1:222222222222:endpoint/credit"
    assert may(of(ENGINEER, place(AccountPurpose.PRODUCTION)), "sagemaker:CreateEndpoint", endpoint)
    assert not may(of(ENGINEER, place(AccountPurpose.HUB)), "sagemaker:CreateEndpoint", endpoint)
    elsewhere = endpoint.replace("us-east-1", "ap-south-1")
    assert not may(of(ENGINEER, place(AccountPurpose.PRODUCTION)), "sagemaker:CreateEndpoint", elsewhere)
    assert of(ENGINEER, place(AccountPurpose.PRODUCTION)).notes
    assert not of(ENGINEER, place(AccountPurpose.PRODUCTION, roles=("model-*",))).notes
    for persona in Persona:
        assert not may(of(persona, place(*AccountPurpose)), "sagemaker:DeleteModelPackage", VERSIONS)


@pytest.mark.parametrize("groups", [1, 12, 200])
@pytest.mark.parametrize("persona", Persona)
def test_each_policy_is_as_short_as_iam_takes_it_and_names_every_group(persona: Persona, groups: int) -> None:
    policy = of(persona, place(*AccountPurpose, groups=groups))
    assert all(length(document) <= MOST_CHARACTERS for document in policy.documents)
    text = "".join(policy.texts)
    assert all(f'"{GROUP}-{number}"' in text for number in range(1, groups))
    assert policy.is_too_many is (len(policy.documents) > 10)


@pytest.mark.parametrize(
    ("principal", "people"),
    [
        ({"Service": "sagemaker.amazonaws.com"}, False),
        ({"Service": "ec2.amazonaws.com", "AWS": "arn:aws:iam::222222222222:root"}, True),
        ({"Federated": "arn:aws:iam::222222222222:saml-provider/Company"}, True),
        ("*", True),
    ],
)
def test_whose_role_it_is(principal: Any, people: bool) -> None:
    assert takes_people({"Statement": [{"Effect": "Allow", "Principal": principal}]}) is people
    assert not takes_people({"Statement": {"Effect": "Deny", "Principal": principal}})
    assert not takes_people({})
