"""What a resource policy lets an account do: a table over principals, actions, resources, conditions and denials."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest

from registry.sharing.documents import ANYBODY, Caller, Unreadable, accounts_named, grants, template_verbs
from registry.sharing.posture import Way, posture, ways_by_policy
from registry.sharing.resources import covers, touches
from registry.sharing.verbs import ACTIONS, Verb, matches, verbs_of, words

OWNER, SPOKE, OTHER = "111111111111", "222222222222", "333333333333"
GROUP = f"arn:aws:sagemaker:us-east-1:{OWNER}:model-package-group/Credit-Risk"
VERSIONS = f"arn:aws:sagemaker:us-east-1:{OWNER}:model-package/credit-risk/*"
ASKING = Caller(SPOKE, "o-ours")


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any = "sagemaker:UpdateModelPackage", principal: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", **more}


# Principal, whether it reaches the asking account, whether everybody, and whom of the account.
PRINCIPALS: list[tuple[Any, bool, bool, str]] = [
    ("*", True, True, ""),
    ({"AWS": "*"}, True, True, ""),
    ({"AWS": SPOKE}, True, False, ""),
    ({"AWS": [OTHER, SPOKE]}, True, False, ""),
    ({"AWS": f"arn:aws:iam::{SPOKE}:root"}, True, False, ""),
    ({"AWS": f"arn:aws-cn:iam::{SPOKE}:root"}, True, False, ""),
    ({"AWS": f"arn:aws:iam::{SPOKE}:role/deployer"}, True, False, "role/deployer"),
    ({"AWS": f"arn:aws:iam::{SPOKE}:user/ann"}, True, False, "user/ann"),
    ({"AWS": f"arn:aws:sts::{SPOKE}:assumed-role/deployer/session"}, True, False, "assumed-role/deployer/session"),
    ({"AWS": OTHER}, False, False, ""),
    ({"AWS": f"arn:aws:iam::{OTHER}:root"}, False, False, ""),
    ({"AWS": "AIDAEXAMPLEOFADELETEDUSER"}, False, False, ""),
    ({"Service": "sagemaker.amazonaws.com"}, False, False, ""),
    ({"Federated": f"arn:aws:iam::{SPOKE}:saml-provider/sso"}, True, False, "saml-provider/sso"),
    ({"CanonicalUser": "79a59d"}, True, True, ""),
]
# Action, the verbs it comes to.
ACTION_TABLE: list[tuple[Any, set[Verb]]] = [
    ("*", set(Verb)),
    ("sagemaker:*", set(Verb)),
    ("SAGEMAKER:updatemodelpackage", {Verb.APPROVE}),
    ("sagemaker:Update*", {Verb.APPROVE}),
    ("sagemaker:?pdateModelPackage", {Verb.APPROVE}),
    (["sagemaker:DescribeModelPackage", "sagemaker:CreateModel"], {Verb.SEE, Verb.DEPLOY}),
    ("sagemaker:CreateModel*", {Verb.REGISTER, Verb.DEPLOY}),
    ("sagemaker:Delete*", {Verb.DELETE}),
    ("sagemaker:PutModelPackageGroupPolicy", {Verb.APPROVE, Verb.DELETE}),
    ("sagemaker:List*", {Verb.SEE}),
    ("s3:*", set()),
    ("sagemaker:AddTags", set()),
]


@pytest.mark.parametrize(("principal", "action"), list(product(range(len(PRINCIPALS)), range(len(ACTION_TABLE)))))
def test_principals_by_actions(principal: int, action: int) -> None:
    who, reached, everybody, to = PRINCIPALS[principal]
    what, verbs = ACTION_TABLE[action]
    document = policy(allow(what, who))
    found = grants(document, ASKING, GROUP)
    assert set(found) == (verbs if reached else set())
    assert all(grant.sure and grant.to == to for grant in found.values())
    assert set(grants(document, ANYBODY, GROUP)) == (verbs if everybody else set())


# Condition: True (holds for certain), None (perhaps), False (cannot hold).
CONDITIONS: list[tuple[dict[str, Any], bool | None]] = [
    ({"StringEquals": {"aws:PrincipalOrgID": "o-ours"}}, True),
    ({"StringEquals": {"aws:PrincipalOrgID": ["o-theirs", "o-ours"]}}, True),
    ({"StringEquals": {"aws:PrincipalOrgID": "o-theirs"}}, False),
    ({"StringNotEquals": {"aws:PrincipalOrgID": "o-theirs"}}, True),
    ({"ForAnyValue:StringEquals": {"aws:principalorgid": "o-theirs"}}, False),
    ({"StringEquals": {"aws:PrincipalAccount": SPOKE}}, True),
    ({"StringLike": {"aws:PrincipalAccount": "2222*"}}, True),
    ({"StringEquals": {"aws:PrincipalAccount": OTHER}}, False),
    ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{SPOKE}:role/ci-*"}}, None),
    ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:role/ci-*"}}, False),
    ({"StringEqualsIgnoreCase": {"aws:PrincipalOrgID": "O-OURS"}}, True),
    ({"StringNotEqualsIgnoreCase": {"aws:PrincipalOrgID": "O-OURS"}}, False),
    ({"StringEquals": {"aws:PrincipalOrgID": "O-OURS"}}, False),
    ({"StringLike": {"aws:PrincipalOrgID": "O-*"}}, False),
    ({"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}}, None),
    ({"StringNotEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}}, None),
    ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, None),
    ({"StringEquals": {"sagemaker:ModelApprovalStatus": "Approved"}}, None),
    ({"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-theirs"}}, None),
    ({"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:PrincipalAccount": OTHER}}, False),
]


@pytest.mark.parametrize(("condition", "holds"), CONDITIONS)
def test_a_condition_counts_as_perhaps_unless_it_certainly_excludes(condition: Any, holds: bool | None) -> None:
    found = grants(policy(allow(Condition=condition)), ASKING, GROUP)
    assert (found[Verb.APPROVE].sure if found else False) is (holds is True)
    assert bool(found) is (holds is not False)
    # A denial counts only when it is certain.
    denied = grants(policy(allow(), {**allow(Condition=condition), "Effect": "Deny"}), ASKING, GROUP)
    assert bool(denied) is (holds is not True)


def test_an_unknown_organisation_is_perhaps_the_one_named() -> None:
    document = policy(allow(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-theirs"}}))
    assert not grants(document, Caller(SPOKE), GROUP)[Verb.APPROVE].sure


@pytest.mark.parametrize("operator", ["StringLike", "ArnLike"])
def test_a_pattern_of_accounts_lets_in_some_that_nobody_names(operator: str) -> None:
    document = policy(allow(Condition={operator: {"aws:PrincipalAccount": "2*"}}))
    assert grants(document, ASKING, GROUP)[Verb.APPROVE].sure
    assert not grants(document, ANYBODY, GROUP)[Verb.APPROVE].sure


@pytest.mark.parametrize(
    "spared", ["*", {"AWS": "*"}, {"AWS": [OTHER, "*"]}, {"Federated": "cognito-identity.amazonaws.com"}]
)
def test_a_denial_that_may_spare_everybody_denies_nothing_for_certain(spared: Any) -> None:
    deny = {"Effect": "Deny", "NotPrincipal": spared, "Action": "*", "Resource": "*"}
    assert Verb.APPROVE in grants(policy(allow(), deny), ASKING, GROUP)


@pytest.mark.parametrize(
    "document",
    [
        policy({**allow(), "principal": {"AWS": SPOKE}}),
        policy({**allow(), "Actions": "sagemaker:*"}),
        '{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Action": "sagemaker:UpdateModelPackage"}',
        '{"Statement": [], "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sagemaker:*"}]}',
    ],
)
def test_what_could_mean_two_things_is_not_read(document: str) -> None:
    with pytest.raises(Unreadable):
        grants(document, ASKING, GROUP)


RESOURCES: list[tuple[Any, bool, bool]] = [
    ("*", True, True),
    (VERSIONS, True, False),
    (VERSIONS.replace("credit-risk", "Credit-Risk"), True, False),
    (f"arn:aws:sagemaker:*:{OWNER}:model-package/credit-*/1", True, False),
    (GROUP, False, True),
    ([GROUP, VERSIONS], True, True),
    (f"arn:aws:sagemaker:us-east-1:{OWNER}:model-package/churn/*", False, False),
    ("arn:aws:s3:::bucket/*", False, False),
]


@pytest.mark.parametrize(("resource", "versions", "group"), RESOURCES)
def test_only_what_means_this_group_counts(resource: Any, versions: bool, group: bool) -> None:
    document = policy(allow(["sagemaker:UpdateModelPackage", "sagemaker:DescribeModelPackageGroup"], Resource=resource))
    expected = ({Verb.APPROVE} if versions else set()) | ({Verb.SEE} if group else set())
    assert set(grants(document, ASKING, GROUP)) == expected


DENIALS: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"Principal": {"AWS": SPOKE}}, True),
    ({"Principal": {"AWS": f"arn:aws:iam::{SPOKE}:role/deployer"}}, False),
    ({"Principal": {"AWS": OTHER}}, False),
    ({"Action": "sagemaker:Delete*"}, False),
    ({"Action": "*"}, True),
    ({"Resource": VERSIONS}, True),
    ({"Resource": f"arn:aws:sagemaker:us-east-1:{OWNER}:model-package/credit-risk/7"}, False),
]


@pytest.mark.parametrize(("more", "denies"), DENIALS)
def test_a_denial_counts_when_it_takes_everything_from_the_whole_account(more: dict[str, Any], denies: bool) -> None:
    deny = {**allow(), **more, "Effect": "Deny"}
    assert (Verb.APPROVE in grants(policy(allow(), deny), ASKING, GROUP)) is not denies


def test_everything_but_something() -> None:
    but = {"Effect": "Allow", "Principal": "*", "NotAction": "sagemaker:UpdateModelPackage", "Resource": "*"}
    # The policy of the group can still be set, so approving stays within reach.
    assert set(grants(policy(but), ASKING, GROUP)) == set(Verb)
    all_writes = {**but, "NotAction": ["sagemaker:Update*", "sagemaker:Put*", "sagemaker:Delete*"]}
    assert set(grants(policy(all_writes), ASKING, GROUP)) == {Verb.SEE, Verb.REGISTER, Verb.DEPLOY}
    everybody_else = {"Effect": "Allow", "NotPrincipal": {"AWS": SPOKE}, "Action": "*", "Resource": "*"}
    assert not grants(policy(everybody_else), ASKING, GROUP)
    assert set(grants(policy(everybody_else), Caller(OTHER), GROUP)) == set(Verb)
    elsewhere = {"Effect": "Allow", "Principal": "*", "Action": "*", "NotResource": [GROUP, VERSIONS]}
    assert not grants(policy(elsewhere), ASKING, GROUP)


@pytest.mark.parametrize(
    "document",
    [
        "", "nonsense", "[]", "7", '"x"', '{"Statement": ["x"]}', '{"Statement": [{"Effect": "Maybe"}]}',
        '{"Statement": {"Effect": "Allow", "Principal": "*"}}', policy(allow({"a": 1})), policy(allow(principal=7)),
        policy(allow(Condition=["x"])), policy(allow(Condition={"StringEquals": "x"})), "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_policy_is_named_and_counts_as_perhaps_everything(document: str) -> None:
    with pytest.raises(Unreadable):
        grants(document, ASKING, GROUP)
    ways = ways_by_policy(document, GROUP, OWNER, [ASKING])
    assert [(way.account_id, way.sure) for way in ways] == ([("*", False)] * len(Verb) if document else [])


def test_the_accounts_a_policy_names() -> None:
    document = policy(
        allow(principal={"AWS": [f"arn:aws:iam::{OTHER}:role/x"]}),
        allow(Condition={"StringEquals": {"aws:PrincipalAccount": ["444444444444"]}}),
        {**allow(principal={"AWS": "555555555555"}), "Effect": "Deny"},
    )
    assert accounts_named(document) == {OTHER, "444444444444"}


def test_the_posture_names_everybody_the_accounts_and_where_it_comes_from() -> None:
    document = policy(
        allow("sagemaker:Describe*", "*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-ours"}}),
        allow("sagemaker:UpdateModelPackage", {"AWS": f"arn:aws:iam::{OTHER}:role/ops"}),
    )
    share = Way(SPOKE, Verb.REGISTER, "the share s", pending=True)
    rows = posture([*ways_by_policy(document, GROUP, OWNER, [ASKING, Caller(OWNER)]), share])
    assert [(row.account_id, row.words, row.is_guarded) for row in rows] == [
        ("*", "may perhaps see", False),
        (SPOKE, "may see, and may register once it accepts", False),
        (OTHER, "may approve, and may perhaps see", True),
    ]
    assert rows[2].ways[Verb.APPROVE][0].note == "only role/ops"


@pytest.mark.parametrize(
    ("template", "verbs"),
    [
        ({"Effect": "Allow", "Action": ["sagemaker:DescribeModelPackage"]}, {Verb.SEE: True}),
        ({"Effect": "Allow", "Action": "sagemaker:*"}, dict.fromkeys(Verb, True)),
        ({"Action": "sagemaker:CreateModel", "Condition": {"Bool": {"a": "b"}}}, {Verb.DEPLOY: False}),
        (
            {"Statement": [{"Action": "sagemaker:Update*"}, {"Effect": "Deny", "Action": "sagemaker:UpdateModel*"}]},
            {},
        ),
    ],
)
def test_templates_of_permissions(template: Any, verbs: dict[Verb, bool]) -> None:
    assert template_verbs(json.dumps(template)) == verbs


@pytest.mark.parametrize(
    ("glob", "text", "holds"),
    [
        ("*", "", True), ("", "", True), ("", "a", False), ("a*c", "abbbc", True), ("a*c", "abbbd", False),
        ("a?c", "abc", True), ("a?c", "ac", False), ("**a**", "bab", True), ("A*", "abc", True), ("ab*", "ab", True),
        ("*a" * 40, "a" * 2_000 + "b", False),
    ],
)  # fmt: skip
def test_patterns_match_without_running_away(glob: str, text: str, holds: bool) -> None:
    assert matches(glob, text) is holds


def test_two_patterns_meet() -> None:
    action = "sagemaker:UpdateModelPackage"
    assert touches("arn:*/1", action, GROUP)
    assert touches("*/c*k/?", action, GROUP)
    assert not touches(f"arn:aws:sagemaker:us-east-?:{OWNER}:model-package/churn-*", action, GROUP)
    assert not covers(["*/1"], action, GROUP)
    assert covers(["arn:aws:sagemaker:*"], action, GROUP)


def test_verbs_in_words() -> None:
    assert words(verbs_of(["sagemaker:*"])) == "see, register, deploy, approve and delete"
    assert words(verbs_of(["sagemaker:CreateModel"])) == "deploy"
    assert words(()) == "nothing"
    assert {verb for verb in Verb if verbs_of(ACTIONS[verb]) >= {verb}} == set(Verb)
