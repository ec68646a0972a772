"""Signing: one active key, rotation that keeps old signatures, revocation that does not, secrets that stay secret."""

from __future__ import annotations

import base64
import hmac
import json
from contextlib import nullcontext
from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from governance.choices import SigningAlgorithm, SigningKeyState
from governance.models import AuditEvent, SigningKey
from governance.services import signing
from governance.services.signing import BadSignature
from portal.core import sealing
from portal.core.actors import Actor
from portal.core.errors import Forbidden, InvalidInput, NotFound, WrongState
from portal.core.vocabulary import Role
from portal.settings.environment import Environment
from tests.factories import person, project
from tests.refusals import as_replica

from .test_concurrency import at_once

TYP = "test+jwt"
CLAIMS = {"sub": "something", "n": 1}


@pytest.fixture
def admin(db: None) -> Actor:
    return person(Role.ML_ADMIN).actor


def header(token: str) -> dict[str, Any]:
    return jwt.get_unverified_header(token)


def in_key_set(kid: str) -> bool:
    return kid in {key["kid"] for key in signing.jwks()["keys"]}


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.django_db
def test_the_first_key_is_made_when_something_is_first_signed() -> None:
    token = signing.sign(CLAIMS, typ=TYP)
    key = SigningKey.objects.get()
    assert (key.state, key.algorithm) == (SigningKeyState.ACTIVE, SigningAlgorithm.ES256)
    assert header(token) == {"alg": "ES256", "typ": TYP, "kid": key.kid}
    assert signing.verify(token, typ=TYP) == CLAIMS
    signing.sign(CLAIMS, typ=TYP)
    assert SigningKey.objects.count() == 1


@pytest.mark.django_db
def test_who_keeps_the_keys_before_anything_was_signed_verifies_the_first_of_it() -> None:
    keys = jwt.PyJWKSet.from_dict(signing.jwks())
    token = signing.sign(CLAIMS, typ=TYP)
    assert jwt.decode(token, keys[header(token)["kid"]], algorithms=["ES256"]) == CLAIMS


@pytest.mark.django_db
def test_the_key_id_is_the_thumbprint_of_the_public_key() -> None:
    # The example of RFC 8037, appendix A.3.
    example = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert signing.thumbprint({**example, "use": "sig"}) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    signing.sign(CLAIMS, typ=TYP)
    (listed,) = signing.jwks()["keys"]
    assert set(listed) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert listed["kid"] == signing.thumbprint(listed)


@pytest.mark.parametrize("algorithm", SigningAlgorithm)
def test_rotation_signs_anew_and_keeps_what_was_signed(admin: Actor, algorithm: SigningAlgorithm) -> None:
    before = signing.sign(CLAIMS, typ=TYP)
    old = SigningKey.objects.get()
    made = signing.rotate(actor=admin, algorithm=algorithm)
    after = signing.sign(CLAIMS, typ=TYP)
    assert header(after)["kid"] == made.kid != old.kid
    assert header(after)["alg"] == algorithm
    for token in (before, after):
        assert signing.verify(token, typ=TYP) == CLAIMS
        keys = jwt.PyJWKSet.from_dict(signing.jwks())
        assert jwt.decode(token, keys[header(token)["kid"]], algorithms=[header(token)["alg"]]) == CLAIMS
    assert [key["kid"] for key in signing.jwks()["keys"]] == [made.kid, old.kid]
    old.refresh_from_db()
    assert (old.state, old.private_key) == (SigningKeyState.RETIRED, "")
    assert old.retired_at is not None


def test_a_revoked_key_verifies_nothing_and_the_active_one_gets_a_successor(admin: Actor) -> None:
    token = signing.sign(CLAIMS, typ=TYP)
    kid = header(token)["kid"]
    signing.revoke(actor=admin, kid=kid, reason="A backup was lost.")
    with pytest.raises(BadSignature, match="A backup was lost"):
        signing.verify(token, typ=TYP)
    assert not in_key_set(kid)
    fresh = signing.sign(CLAIMS, typ=TYP)
    assert header(fresh)["kid"] != kid
    assert signing.verify(fresh, typ=TYP) == CLAIMS
    with pytest.raises(WrongState):
        signing.revoke(actor=admin, kid=kid, reason="Again.")


def test_a_retired_key_may_be_revoked_and_the_active_one_stays(admin: Actor) -> None:
    token = signing.sign(CLAIMS, typ=TYP)
    active = signing.rotate(actor=admin)
    signing.revoke(actor=admin, kid=header(token)["kid"], reason="Leaked.")
    assert SigningKey.objects.get(state=SigningKeyState.ACTIVE) == active
    with pytest.raises(BadSignature, match="revoked"):
        signing.verify(token, typ=TYP)


def test_keys_are_for_ml_admins_of_everything_with_a_reason(admin: Actor) -> None:
    key = signing.active_key()
    here = project()
    others = [person(role) for role in Role if role is not Role.ML_ADMIN]
    for other in [*others, person(Role.ML_ADMIN, project=here)]:
        with pytest.raises(Forbidden):
            signing.rotate(actor=other.actor)
        with pytest.raises(Forbidden):
            signing.revoke(actor=other.actor, kid=key.kid, reason="No.")
        with pytest.raises(Forbidden):
            signing.encrypt_anew(actor=other.actor)
    with pytest.raises(InvalidInput):
        signing.revoke(actor=admin, kid=key.kid, reason="  ")
    with pytest.raises(NotFound):
        signing.revoke(actor=admin, kid="nothing", reason="No.")
    assert list(SigningKey.objects.all()) == [key]


def test_what_is_not_signed_here_for_this_is_refused(admin: Actor) -> None:
    token = signing.sign(CLAIMS, typ=TYP)
    key = SigningKey.objects.get()
    head, body, signature = token.split(".")
    stranger = generate_private_key(SECP256R1())
    own = {"kid": key.kid, "typ": TYP}
    public = jwt.PyJWK(key.jwk).key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    # PyJWT refuses to make these two, an attacker does not.
    unsigned = f"{part({'alg': 'none', **own})}.{body}."
    by_hmac = jwt.api_jws.PyJWS().encode(b"x", b"secret" * 10, algorithm="HS256", headers=own)
    bad = {
        "other use": signing.sign(CLAIMS, typ="other+jwt"),
        "tampered": f"{head}.{part({**CLAIMS, 'n': 2})}.{signature}",
        "other key, same kid": jwt.encode(CLAIMS, stranger, algorithm="ES256", headers=own),
        "unknown kid": jwt.encode(CLAIMS, stranger, algorithm="ES256", headers={"kid": "unknown", "typ": TYP}),
        "no kid": jwt.encode(CLAIMS, stranger, algorithm="ES256", headers={"typ": TYP}),
        "kid of another type": f"{part({'alg': 'ES256', 'kid': 7, 'typ': TYP})}.{body}.{signature}",
        "a null character as kid": f"{part({'alg': 'ES256', 'kid': chr(0), 'typ': TYP})}.{body}.{signature}",
        "alg none": unsigned,
        "HS256 with the public key": _hmac(public, body, own),
        "HS256": by_hmac,
        "nothing": "",
        "words": "not a token",
        "huge": "a" * 200_000,
        "not ASCII": "ä.ö.ü",
        "a list as header": f"{base64.urlsafe_b64encode(b'[1]').decode()}.{body}.{signature}",
    }
    accepted = []
    for name, given in bad.items():
        try:
            accepted.append((name, signing.verify(given, typ=TYP)))
        except BadSignature:
            continue
    assert not accepted


def _hmac(secret: bytes, body: str, own: dict[str, str]) -> str:
    signed = f"{part({'alg': 'HS256', **own})}.{body}"
    mac = hmac.digest(secret, signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


@pytest.mark.django_db
def test_expiry_is_judged_at_the_moment_asked_about() -> None:
    now = timezone.now()
    token = signing.sign({**CLAIMS, "exp": int((now + timedelta(minutes=15)).timestamp())}, typ=TYP)
    signing.verify(token, typ=TYP)
    with pytest.raises(BadSignature, match="expired"):
        signing.verify(token, typ=TYP, at=now + timedelta(minutes=16))
    old = signing.sign({**CLAIMS, "exp": int((now - timedelta(days=400)).timestamp())}, typ=TYP)
    signing.verify(old, typ=TYP, at=now - timedelta(days=401))
    with pytest.raises(BadSignature, match="expired"):
        signing.verify(old, typ=TYP)
    with pytest.raises(BadSignature):
        signing.verify(signing.sign({"exp": "never"}, typ=TYP), typ=TYP)


def test_the_private_key_is_encrypted_and_nowhere_else(admin: Actor) -> None:
    signing.active_key()
    sealed = SigningKey.objects.get().private_key
    signing.rotate(actor=admin)
    sealed_again = SigningKey.objects.get(state=SigningKeyState.ACTIVE).private_key
    for text in (sealed, sealed_again):
        plain = sealing.unseal(text, purpose=signing.PURPOSE)
        assert plain.hex() not in text
        assert plain[:8] not in base64.urlsafe_b64decode(text)
    trail = list(AuditEvent.objects.filter(table="governance_signingkey"))
    assert len(trail) == 3
    written = json.dumps([event.changes for event in trail])
    assert sealed not in written
    assert sealed_again not in written
    assert "(not copied)" in written
    assert "private" not in json.dumps(signing.jwks())
    assert not {"d", "k"} & {name for key in signing.jwks()["keys"] for name in key}


@pytest.mark.django_db
def test_a_key_sealed_with_another_secret_is_a_named_refusal(settings: LazySettings) -> None:
    first, second = "a" * 40, "b" * 40
    settings.PORTAL_KEY_ENCRYPTION_KEYS = [first]
    token = signing.sign(CLAIMS, typ=TYP)
    settings.PORTAL_KEY_ENCRYPTION_KEYS = [second]
    with pytest.raises(sealing.Unreadable) as refusal:
        signing.sign(CLAIMS, typ=TYP)
    assert refusal.value.status == 503
    assert "PORTAL_KEY_ENCRYPTION_KEYS" in refusal.value.detail
    assert signing.verify(token, typ=TYP) == CLAIMS, "verifying needs no secret"


def test_the_secrets_are_changed_one_after_the_other(admin: Actor, settings: LazySettings) -> None:
    first, second = "a" * 40, "b" * 40
    settings.PORTAL_KEY_ENCRYPTION_KEYS = [first]
    assert not signing.encrypt_anew(actor=admin)
    kid = header(signing.sign(CLAIMS, typ=TYP))["kid"]
    settings.PORTAL_KEY_ENCRYPTION_KEYS = [second, first]
    assert signing.encrypt_anew(actor=admin)
    settings.PORTAL_KEY_ENCRYPTION_KEYS = [second]
    assert header(signing.sign(CLAIMS, typ=TYP))["kid"] == kid
    settings.PORTAL_KEY_ENCRYPTION_KEYS = [first]
    with pytest.raises(sealing.Unreadable):
        signing.encrypt_anew(actor=admin)
    assert signing.rotate(actor=admin).kid != kid, "a lost secret is mended by a new key"


def test_what_is_sealed_for_one_purpose_opens_for_no_other(settings: LazySettings) -> None:
    settings.PORTAL_KEY_ENCRYPTION_KEYS = []
    sealed = sealing.seal(b"secret", purpose="one")
    assert sealing.unseal(sealed, purpose="one") == b"secret"
    for text, purpose in ((sealed, "two"), (sealed[:-2], "one"), ("", "one"), ("ä", "one")):
        with pytest.raises(sealing.Unreadable):
            sealing.unseal(text, purpose=purpose)


def test_a_secret_that_is_too_short_is_refused_at_start_without_being_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_KEY_ENCRYPTION_KEYS", f"{'a' * 32}, not-long-enough")
    with pytest.raises(ValueError, match="PORTAL_KEY_ENCRYPTION_KEYS") as refusal:
        Environment()  # type: ignore[call-arg]
    assert "at least 32" in str(refusal.value)
    assert "not-long-enough" not in str(refusal.value)
    monkeypatch.setenv("PORTAL_KEY_ENCRYPTION_KEYS", f"{'a' * 32}, {'b' * 32},")
    assert Environment().key_encryption_keys == ["a" * 32, "b" * 32]  # type: ignore[call-arg]


def test_the_command_encrypts_anew_or_says_why_not(admin: Actor, settings: LazySettings) -> None:
    out = StringIO()
    call_command("encrypt_signing_key", stdout=out)
    settings.PORTAL_KEY_ENCRYPTION_KEYS = ["a" * 40]
    before = signing.active_key().private_key
    call_command("encrypt_signing_key", stdout=out)
    assert out.getvalue().splitlines() == ["There is no signing key yet.", "The signing key is encrypted anew."]
    assert SigningKey.objects.get().private_key != before
    settings.PORTAL_KEY_ENCRYPTION_KEYS = ["b" * 40]
    with pytest.raises(CommandError, match="PORTAL_KEY_ENCRYPTION_KEYS"):
        call_command("encrypt_signing_key", stdout=out)


CHANGES = {
    "another public key": ("active", {"public_jwk": {"kty": "EC"}}),
    "another name": ("active", {"kid": "mine"}),
    "another algorithm": ("active", {"algorithm": "EdDSA"}),
    "a retired key made active": ("retired", {"state": "active", "retired_at": None, "private_key": "x"}),
    "a revoked key made retired": ("revoked", {"state": "retired", "revoked_at": None, "revocation_reason": ""}),
    "another reason": ("revoked", {"revocation_reason": "None at all."}),
    "private material for a retired key": ("retired", {"private_key": "x"}),
    "retired without a time": ("active", {"state": "retired", "private_key": ""}),
    "revoked without a reason": ("retired", {"state": "revoked", "revoked_at": timezone.now()}),
}


@pytest.mark.parametrize("replica", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_the_database_refuses_what_the_service_never_does(admin: Actor, change: str, replica: bool) -> None:
    signing.active_key()
    signing.rotate(actor=admin)
    signing.revoke(actor=admin, kid=SigningKey.objects.get(state="retired").kid, reason="Gone.")
    signing.rotate(actor=admin)
    state, values = CHANGES[change]
    rows = SigningKey.objects.filter(state=state)
    assert rows.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic(), as_replica() if replica else nullcontext():
        rows.update(**values)


def test_keys_are_neither_removed_nor_born_retired_and_two_are_never_active(admin: Actor) -> None:
    key = signing.active_key()
    with pytest.raises(IntegrityError), transaction.atomic():
        SigningKey.objects.all().delete()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE governance_signingkey CASCADE")
    copied = {"algorithm": key.algorithm, "public_jwk": key.public_jwk}
    with pytest.raises(IntegrityError), transaction.atomic():
        SigningKey.objects.create(kid="second", private_key="x", **copied)
    with pytest.raises(IntegrityError), transaction.atomic():
        SigningKey.objects.create(kid="third", state="retired", retired_at=timezone.now(), **copied)


def test_the_first_key_is_made_once_however_many_ask_at_once(committed_db: str) -> None:
    tokens = at_once(*[partial(signing.sign, CLAIMS, typ=TYP)] * 8)
    assert all(isinstance(token, str) for token in tokens), tokens
    assert SigningKey.objects.count() == 1
    for token in tokens:
        assert signing.verify(str(token), typ=TYP) == CLAIMS


def test_rotations_at_once_leave_one_active_key_and_every_signature_good(committed_db: str) -> None:
    admin = person(Role.ML_ADMIN)
    first = signing.sign(CLAIMS, typ=TYP)
    calls = [partial(signing.rotate, actor=admin.actor), partial(signing.sign, CLAIMS, typ=TYP)] * 4
    results = at_once(*calls)
    assert not [result for result in results if isinstance(result, BaseException)], results
    assert SigningKey.objects.filter(state=SigningKeyState.ACTIVE).count() == 1
    assert SigningKey.objects.count() == 5
    for token in [first, *(result for result in results if isinstance(result, str))]:
        assert signing.verify(token, typ=TYP) == CLAIMS
