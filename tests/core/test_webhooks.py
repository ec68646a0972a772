"""Signed webhooks: what is signed, what is taken for an answer, and where they never go."""

from __future__ import annotations

import pickle
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal.core import webhooks
from portal.core.webhooks import AddressRefused, WebhookFailed
from tests.receiver import Receiver, listening
from tests.sandbox import free_port

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NAME = "deploy.example.org"
AT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with listening() as found:
        yield found


def send(url: str, secrets: tuple[str, ...] = (SECRET,), body: bytes = b'{"a":1}') -> webhooks.Answer:
    return webhooks.send(url, secrets=secrets, message_id="msg_1", body=body, at=AT)


def resolve(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Answer DNS questions one after the other; returns the names that were asked."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def answer(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            ip_address(str(host))
        except ValueError:
            asked.append(str(host))
            found = answers[min(len(asked), len(answers)) - 1]
            return [
                (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
                for one in found
            ]
        return real(host, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


def test_the_signature_is_that_of_the_standard() -> None:
    body = b'{"test": 2432232314}'
    signed = webhooks.sign(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_is_32_random_bytes() -> None:
    first, second = webhooks.new_secret(), webhooks.new_secret()
    assert first.startswith("whsec_")
    assert first != second
    assert len(webhooks.base64.b64decode(first.removeprefix("whsec_"))) == 32


@pytest.mark.parametrize("secret", ["", "MfKQ9r8G", "whsec_not base64!"])
def test_what_is_no_secret_signs_nothing(secret: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        webhooks.sign(secret, "m", 1, b"")


def test_it_is_sent_signed_and_taken(receiver: Receiver) -> None:
    assert send(receiver.url).status == 200
    (taken,) = receiver.taken
    assert (taken.path, taken.body) == ("/orders", b'{"a":1}')
    assert taken.headers["content-type"] == "application/json"
    assert taken.headers["webhook-id"] == "msg_1"
    assert taken.headers["webhook-timestamp"] == str(int(AT.timestamp()))
    assert taken.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert taken.is_signed_with(SECRET)
    assert not taken.is_signed_with(webhooks.new_secret())


def test_both_secrets_sign_while_one_takes_the_others_place(receiver: Receiver) -> None:
    new = webhooks.new_secret()
    send(receiver.url, (new, SECRET))
    (taken,) = receiver.taken
    assert taken.is_signed_with(new)
    assert taken.is_signed_with(SECRET)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_2xx_is_taken(receiver: Receiver, status: int) -> None:
    receiver.answer(status)
    assert send(receiver.url).status == status


@pytest.mark.parametrize(
    ("status", "is_retried"),
    [
        (400, False), (401, False), (404, False), (409, False), (410, False), (422, False),
        (408, True), (425, True), (429, True), (500, True), (502, True), (503, True),
    ],
)  # fmt: skip
def test_refusals_for_good_and_for_now(receiver: Receiver, status: int, is_retried: bool) -> None:
    receiver.answer(status, b"No \x00such\n order. " + b"x" * 5000)
    with pytest.raises(WebhookFailed, match=f"answered {status}: No such order. x") as failed:
        send(receiver.url)
    assert (failed.value.retryable, failed.value.status) == (is_retried, status)
    assert len(str(failed.value)) < 400


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(receiver: Receiver, status: int) -> None:
    receiver.answer(status, Location="http://127.0.0.1:1/elsewhere")
    with pytest.raises(WebhookFailed, match="redirects are not followed") as failed:
        send(receiver.url)
    assert not failed.value.retryable
    assert len(receiver.taken) == 1


def test_silence_is_waited_out_and_ended(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "READ_SECONDS", 0.2)
    receiver.answer(200, seconds=1.0)
    with pytest.raises(WebhookFailed, match="no answer within") as failed:
        send(receiver.url)
    assert failed.value.retryable


def test_nobody_there_is_tried_again(settings: Any) -> None:
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with pytest.raises(WebhookFailed, match="did not answer") as failed:
        send(f"http://127.0.0.1:{free_port()}/")
    assert failed.value.retryable


def test_the_environments_proxy_is_not_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert send(receiver.url).status == 200


PRIVATE = (
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.1.1",
    "169.254.169.254", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::1", "::", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b:1::8.8.8.8", "2002:7f00:1::", "2002:a00:1::1", "2001:0:7f00:1:0:0:80ff:fffe",
)  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_no_address_but_public_ones(address: str, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = []
    assert not webhooks.is_public(ip_address(address))
    url = f"https://[{address}]/" if ":" in address else f"https://{address}/"
    with pytest.raises(AddressRefused):
        webhooks.check_url(url)
    with pytest.raises(AddressRefused):
        send(url)
    # ... nor by a name, alone or beside a public address.
    for found in ([address], ["93.184.215.14", address]):
        resolve(monkeypatch, found)
        with pytest.raises(AddressRefused) as refused:
            send(f"https://{NAME}/")
        assert not refused.value.retryable


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:4700:4700::1111", "64:ff9b::8.8.8.8"])
def test_public_addresses_are_public(address: str) -> None:
    assert webhooks.is_public(ip_address(address))


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "127.0.0.1."])
def test_other_spellings_of_the_loopback_address(host: str, settings: Any) -> None:
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = []
    with pytest.raises(WebhookFailed) as refused:
        send(f"https://{host}/")
    assert isinstance(refused.value, AddressRefused) or "cannot be resolved" in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "", "deploy", "ftp://deploy.example.org/", "file:///etc/passwd", "https://", "https:///x",
        "https://name:secret@deploy.example.org/", "https://deploy.example.org/#part", "https://deploy.example.org:0/",
        "https://deploy.example.org:99999/", "https://deploy.example.org/a b", "https://deploy.example.org/\x00",
        "https://deploy.example.org/\r\nX: y", "https://deploy.example.org\\@127.0.0.1/", "https://[::1/",
        "http://deploy.example.org/", "https://deploy.example.org/" + "x" * 3000,
    ],
)  # fmt: skip
def test_what_is_no_url_for_it(url: str, settings: Any) -> None:
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = []
    with pytest.raises(AddressRefused):
        webhooks.check_url(url)


def test_credentials_of_a_cloud_are_out_of_reach_whatever_is_allowed(settings: Any) -> None:
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = ["0.0.0.0/0", "::/0"]
    for host in ("169.254.169.254", "169.254.170.2", "[fd00:ec2::254]", "[::ffff:169.254.169.254]"):
        with pytest.raises(AddressRefused, match="credentials"):
            send(f"http://{host}/latest/meta-data/")


def test_plain_http_is_for_allowed_networks_only(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = ["10.20.0.0/16"]
    webhooks.check_url("http://10.20.1.1/orders")
    for url in ("http://8.8.8.8/orders", "https://10.21.0.1/orders"):
        with pytest.raises(AddressRefused):
            webhooks.check_url(url)
    resolve(monkeypatch, ["8.8.8.8"])
    with pytest.raises(AddressRefused, match="https"):
        send(f"http://{NAME}/")


def test_a_name_that_changes_its_mind_leads_nowhere(
    receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    asked = resolve(monkeypatch, ["127.0.0.1"], ["10.0.0.1"])
    assert send(f"http://{NAME}:{receiver.port}/orders").address == "127.0.0.1"
    assert asked == [NAME], "asked once: the connection goes to the address that was judged"
    assert receiver.taken[0].headers["host"] == f"{NAME}:{receiver.port}"


def test_the_next_address_is_tried_when_one_does_not_listen(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve(monkeypatch, ["127.0.0.2", "127.0.0.1"])
    assert send(f"http://{NAME}:{receiver.port}/orders").address == "127.0.0.1"


def test_a_name_nobody_knows_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(WebhookFailed, match="cannot be resolved") as failed:
        send(f"https://{NAME}/")
    assert failed.value.retryable
    copy = pickle.loads(pickle.dumps(failed.value))
    assert (str(copy), copy.retryable) == (str(failed.value), True)


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """Return the file that vouches for a name, and a server's context with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file, private = folder / "certificate.pem", folder / "key.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, private)
    return file, context


def test_the_certificate_is_held_against_the_name_not_the_address(
    settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    file, context = certificate(tmp_path, NAME)
    indicated: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: indicated.append(name)
    resolve(monkeypatch, ["127.0.0.1"])
    with listening(context) as receiver:
        with pytest.raises(WebhookFailed, match="certificate does not hold"):
            send(f"https://{NAME}:{receiver.port}/orders")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
        assert send(f"https://{NAME}:{receiver.port}/orders").status == 200
        assert indicated[-1] == NAME
        with pytest.raises(WebhookFailed, match="certificate does not hold"):
            send(f"https://other.example.org:{receiver.port}/orders")
    assert len(receiver.taken) == 1
