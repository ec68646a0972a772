"""Personas: what a role may do beyond one and what it lacks, in plain verbs; and policies as short as IAM takes them."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from registry.aws.iam_roles import takes_people, takes_sagemaker
from registry.aws.personas import APPROVAL, STAGE
from registry.choices import AccountPurpose, Persona
from registry.personas.comparison import Comparison, compared
from registry.personas.permissions import Reach, Unreadable, reach, statements, within
from registry.personas.policies import (
    MOST_CHARACTERS,
    PersonaPolicy,
    Place,
    cloudformation,
    everywhere,
    length,
    policies,
)

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
    found = compared(PERSONAS[persona], PERSONAS, is_compute=persona is Persona.COMPUTE)
    assert found == Comparison(persona, is_linked=False)


def test_a_role_that_only_sagemaker_takes_is_held_to_what_jobs_need() -> None:
    """Whoever sits at a notebook may do what its role may."""
    full = [allow("sagemaker:*", "s3:*")]
    found = compared(statements({"Statement": full}), PERSONAS, is_compute=True)
    assert (found.persona, found.goes_around, found.beyond[0]) == (
        Persona.COMPUTE,
        True,
        "It may approve or reject versions.",
    )
    assert compared(statements({"Statement": full}), PERSONAS, SCIENTIST, is_compute=True).persona is SCIENTIST


SOME_VERSIONS = "arn:aws:sagemaker:us-east-1:111111111111:model-package/credit/*"


@pytest.mark.parametrize(
    ("boundary", "how"),
    [
        (None, Reach.YES),
        ([], Reach.NO),
        ([allow("s3:*")], Reach.NO),
        ([allow("*")], Reach.YES),
        ([allow("*"), deny(UPDATE)], Reach.NO),
        ([allow("*"), deny(UPDATE, **NOT_APPROVED)], Reach.NO),
        ([allow(UPDATE, on=VERSIONS)], Reach.YES),
        ([allow(UPDATE, on=SOME_VERSIONS)], Reach.IN_PART),
        ([{"Effect": "Allow", "NotAction": "sagemaker:*", "Resource": "*"}], Reach.NO),
        ([{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::*"}], Reach.YES),
        ([allow(UPDATE, Condition=condition("Bool", "aws:MultiFactorAuthPresent", "true"))], Reach.IN_PART),
    ],
)
def test_what_a_permissions_boundary_leaves(boundary: list[dict[str, Any]] | None, how: Reach) -> None:
    said = {APPROVAL: "Approved"}
    bounds = None if boundary is None else statements({"Statement": boundary})
    assert within(bounds, Reach.YES, UPDATE, VERSIONS, said) is how
    assert within(bounds, Reach.NO, UPDATE, VERSIONS, said) is Reach.NO


def test_a_boundary_leaves_of_a_role_what_both_allow() -> None:
    everything = statements({"Statement": [allow("*")]})
    readable = statements({"Statement": [allow("sagemaker:Describe*", "sagemaker:List*", "sagemaker:Get*")]})
    found = compared(everything, PERSONAS, OFFICER, boundary=readable)
    assert (found.beyond, found.lacks) == ((), ("It may not read the registry.",)), "it may not search"
    assert compared(everything, PERSONAS, OFFICER).goes_around


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
    return Place("222222222222", "aws", ("us-east-1", "eu-west-1"), purposes, arns, roles, ("ml-artifacts",))


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
    assert persona is Persona.COMPUTE or all(f'"{GROUP}-{number}"' in text for number in range(1, groups))
    assert policy.is_too_many is (len(policy.documents) > 10)


@pytest.fixture(scope="module")
def iam() -> dict[str, Any]:
    """What the service authorization reference says of every action, as cfn-lint carries it."""
    # Where it is, without importing it, which takes seconds.
    found = find_spec("cfnlint")
    assert found is not None
    assert found.submodule_search_locations is not None
    path = Path(found.submodule_search_locations[0]) / "data" / "AdditionalSpecs" / "Policies.json"
    told: dict[str, Any] = json.loads(path.read_text())
    return told


@pytest.mark.parametrize("purpose", AccountPurpose)
def test_each_action_exists_and_names_its_resources_where_it_knows_any(
    purpose: AccountPurpose, iam: dict[str, Any]
) -> None:
    for policy in policies(place(purpose, groups=3, roles=("model-*",))):
        for document in policy.documents:
            assert document["Version"] == "2012-10-17"
            sids = [statement["Sid"] for statement in document["Statement"]]
            assert len(set(sids)) == len(sids)
            assert all(re.fullmatch("[A-Za-z0-9]+", sid) for sid in sids)
            for statement in document["Statement"]:
                for action in statement["Action"]:
                    assert "*" not in action, f"{policy.persona}: {action}"
                    service, name = action.split(":")
                    known = iam[service]["Actions"][name.lower()]
                    on = statement["Resource"]
                    for one in [on] if isinstance(on, str) else on:
                        assert one == "*" or re.fullmatch(r"arn:aws:[a-z0-9]+:[a-z0-9*-]*:[0-9*]*:.+", one), one
                    if action == "cloudwatch:PutMetricData":
                        # Its only resource is a data set of another kind; a metric is bound by its namespace.
                        assert "cloudwatch:namespace" in statement["Condition"]["StringLike"]
                    elif statement["Effect"] == "Allow" and known.get("Resources"):
                        assert on != "*", f"{policy.persona} may {action} on everything"
                    elif statement["Effect"] == "Allow":
                        assert on == "*", f"{policy.persona}: {action} knows no resource"


def test_a_persona_comes_as_a_template_too() -> None:
    policy = of(SCIENTIST, place(*AccountPurpose, groups=200))
    made = cloudformation(policy, "222222222222")
    documents = [one["Properties"]["PolicyDocument"] for one in made["Resources"].values()]
    assert documents == list(policy.documents)
    assert len(documents) > 1
    assert [one["Value"]["Ref"] for one in made["Outputs"].values()] == list(made["Resources"])


def test_a_compute_role_reaches_the_buckets_of_its_account_and_no_version() -> None:
    policy = of(Persona.COMPUTE, place(AccountPurpose.DEVELOPMENT))
    assert may(policy, "s3:GetObject", "arn:aws:s3:::ml-artifacts/model.tar.gz")
    assert not may(policy, "s3:GetObject", "arn:aws:s3:::other/model.tar.gz")
    assert not may(policy, UPDATE, VERSIONS, approval="PendingManualApproval")
    bare = Place("222222222222", "aws", ("us-east-1",), (AccountPurpose.DEVELOPMENT,), ())
    assert "artifact buckets" in of(Persona.COMPUTE, bare).notes[0]


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
    sagemaker = isinstance(principal, dict) and principal.get("Service") == "sagemaker.amazonaws.com"
    assert takes_sagemaker({"Statement": {"Effect": "Allow", "Principal": principal}}) is sagemaker
    assert not takes_sagemaker({"Statement": {"Effect": "Deny", "Principal": principal}})
    assert not takes_people({"Statement": {"Effect": "Deny", "Principal": principal}})
    assert not takes_people({})
