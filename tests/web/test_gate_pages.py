"""The gate's page asks and answers in full; the keys' page rotates and revokes with a reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from governance.models import SigningKey
from governance.services import gate, signing
from tests.api.world import World
from tests.scene import fingerprint

GATE = "/gate/"


def ask(client: Client, world: World, **changed: str) -> str:
    asked = {"model_package_arn": world.trial.arn, "stage": "qa", "account": "333333333333", **changed}
    answer = client.get(GATE, asked)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_an_allow_shows_until_when_and_what_to_keep(world: World, as_role: Callable[[str], Client]) -> None:
    page = ask(as_role("data_scientist"), world, stage="development", account="222222222222")
    assert "Allowed" in page
    assert "What failed" not in page
    (token,) = re.findall(r'<pre id="attestation"[^>]*>([^<]+)</pre>', page)
    claims = signing.verify(token, typ=gate.TYP)
    assert (claims["decision"], claims["sub"]) == ("allow", world.trial.arn)
    assert f"verify_gate.py answer.jwt jwks.json {world.trial.arn} development 222222222222" in page
    assert "jwt.decode(" in page
    assert reverse("registry:version", args=[world.trial.pk]) in page


def test_a_deny_names_every_failed_rule(world: World, as_role: Callable[[str], Client]) -> None:
    page = ask(as_role("ml_engineer"), world, stage="production", account="999999999999")
    assert "Denied" in page
    answer = gate.ask(world.people.engineer.actor, world.trial.arn, "production", "999999999999")
    assert len(answer.reasons) > 1
    for reason in answer.reasons:
        assert reason.detail in page


def test_what_one_may_not_see_is_not_revealed(world: World, as_role: Callable[[str], Client]) -> None:
    page = ask(as_role("stranger"), world)
    assert "Denied" in page
    assert "not known" in page
    assert reverse("registry:version", args=[world.trial.pk]) not in page


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"account": "12"}, "twelve digits"),
        ({"account": "٤٤٤٤٤٤٤٤٤٤٤٤"}, "twelve digits"),
        ({"account": ""}, "required"),
        ({"stage": "poc"}, "valid choice"),
        ({"model_package_arn": "x" * 5000}, "at most 2048"),
        ({"model_package_arn": "a\x00b"}, "Null characters"),
        ({"model_package_arn": " "}, "required"),
    ],
)
def test_bad_input_is_said_beside_its_field(
    world: World, as_role: Callable[[str], Client], changed: dict[str, str], words: str
) -> None:
    page = ask(as_role("auditor"), world, **changed)
    assert words in page
    assert "invalid-feedback" in page
    assert "attestation" not in page


def test_a_version_leads_to_the_gate_with_itself_filled_in(world: World, as_role: Callable[[str], Client]) -> None:
    client = as_role("ml_engineer")
    page = client.get(reverse("registry:version_deployments", args=[world.trial.pk])).content.decode()
    (link,) = re.findall(r'href="(/gate/\?[^"]+)"', page)
    form = client.get(unescape(link)).content.decode()
    assert f'value="{world.trial.arn}"' in form
    assert '<option value="qa" selected>' in form
    assert "invalid-feedback" not in form


def test_accounts_are_offered_to_those_who_may_see_them(world: World, as_role: Callable[[str], Client]) -> None:
    offered = '<option value="444444444444">'
    assert offered in as_role("ml_engineer").get(GATE).content.decode()
    assert offered not in as_role("data_scientist").get(GATE).content.decode()


def test_the_menu_leads_there(world: World, as_role: Callable[[str], Client]) -> None:
    keys = f'href="{reverse("governance:signing_keys")}"'
    for role, is_shown in (("data_scientist", False), ("auditor", False), ("ml_admin", True)):
        page = as_role(role).get(GATE).content.decode()
        assert f'href="{GATE}"' in page
        assert (keys in page) is is_shown


def test_keys_are_rotated_and_revoked_with_their_reasons_shown(world: World, as_role: Callable[[str], Client]) -> None:
    admin = as_role("ml_admin")
    old = world.signing_key
    rotated = admin.post("/signing-keys/rotate/", {"algorithm": "EdDSA", "reason": ""}, follow=True)
    new = SigningKey.objects.get(state="active")
    assert new.algorithm == "EdDSA"
    page = rotated.content.decode()
    assert new.kid in page
    assert "Retired" in page
    revoked = admin.post(f"/signing-keys/{old}/revoke/", {"reason": "A backup was lost."}, follow=True)
    assert "A backup was lost." in revoked.content.decode()
    assert SigningKey.objects.get(kid=old).state == "revoked"
    assert "PRIVATE" not in revoked.content.decode()
    assert new.private_key not in revoked.content.decode()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("rotate/", {"algorithm": "HS256"}, 400),
        ("rotate/", {}, 400),
        ("rotate/", {"algorithm": "ES256", "reason": "x" * 30_000}, 400),
        ("{kid}/revoke/", {"reason": ""}, 400),
        ("{kid}/revoke/", {"reason": "a\x00b"}, 400),
        ("nothing/revoke/", {"reason": "Gone."}, 404),
        ("%00/revoke/", {"reason": "Gone."}, 404),
    ],
)
def test_a_key_is_not_touched_without_a_usable_request(
    world: World, as_role: Callable[[str], Client], path: str, body: dict[str, str], status: int
) -> None:
    before = fingerprint()
    answer = as_role("ml_admin").post(f"/signing-keys/{path.format(kid=world.signing_key)}", body)
    assert answer.status_code == status
    assert fingerprint() == before


def test_a_key_is_revoked_once(world: World, as_role: Callable[[str], Client]) -> None:
    admin = as_role("ml_admin")
    for status in (302, 409):
        answer = admin.post(f"/signing-keys/{world.signing_key}/revoke/", {"reason": "Lost."})
        assert answer.status_code == status
