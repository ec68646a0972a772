"""A custom permission's template: what is taken, and what is refused in which words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from registry.sharing.template import SHAREABLE, TemplateRefused, check_name, check_template, template_text
from registry.sharing.verbs import ACTIONS, verbs_of

SEE = "sagemaker:DescribeModelPackage"


@pytest.mark.parametrize("action", SHAREABLE)
def test_every_action_ram_shares_is_taken_in_any_case(action: str) -> None:
    assert check_template({"Effect": "Allow", "Action": action.upper()}) == (action,)
    assert check_template(template_text([action])) == (action,)


def test_actions_come_sorted_and_once() -> None:
    assert check_template({"Effect": "Allow", "Action": ["sagemaker:CreateModel", SEE, SEE.lower()]}) == (
        "sagemaker:CreateModel",
        SEE,
    )


def test_what_only_the_owner_does_is_not_shared() -> None:
    assert verbs_of(SHAREABLE) == set(ACTIONS)
    assert not [action for action in SHAREABLE if "PutModelPackageGroupPolicy" in action]


@pytest.mark.parametrize(
    ("template", "word"),
    [
        ("nonsense", "not JSON"),
        ("[" * 5_000, "characters"),
        ("[" * 4_000, "not JSON"),
        ([], "one JSON object"),
        (7, "one JSON object"),
        ({}, '"Effect"'),
        ({"Effect": "Deny", "Action": SEE}, '"Effect"'),
        ({"Effect": "Allow"}, '"Action"'),
        ({"Effect": "Allow", "Action": []}, '"Action"'),
        ({"Effect": "Allow", "Action": [7]}, '"Action"'),
        ({"Effect": "Allow", "Action": "sagemaker:*"}, "wildcard"),
        ({"Effect": "Allow", "Action": "*"}, "wildcard"),
        ({"Effect": "Allow", "Action": ["s3:GetObject"]}, "no action on shared"),
        ({"Effect": "Allow", "Action": ["sagemaker:PutModelPackageGroupPolicy"]}, "no action on shared"),
        ({"Effect": "Allow", "Action": SEE, "Resource": "*"}, '"Resource" out'),
        ({"Effect": "Allow", "Action": SEE, "Principal": "*"}, '"Principal" out'),
        ({"Effect": "Allow", "Action": SEE, "Condition": {}}, '"Condition" out'),
        ({"Effect": "Allow", "NotAction": SEE}, "NotAction"),
        ({"Statement": [{"Effect": "Allow", "Action": SEE}]}, "one statement itself"),
        ({"Effect": "Allow", "Action": SEE, "Sid\x00": 1}, "does not belong"),
    ],
)
def test_what_is_no_template_is_refused_in_words(template: Any, word: str) -> None:
    with pytest.raises(TemplateRefused, match=word.replace("*", r"\*")):
        check_template(template)
    if isinstance(template, dict):
        with pytest.raises(TemplateRefused):
            check_template(json.dumps(template))


@pytest.mark.parametrize("name", ["", " ", "a b", "ä", "x" * 37, "a/b", "a\x00"])
def test_names_ram_would_refuse(name: str) -> None:
    with pytest.raises(TemplateRefused, match="1 to 36"):
        check_name(name)


def test_a_name_ram_takes() -> None:
    assert check_name(" registers-only_1.0 ") == "registers-only_1.0"
