"""Play AWS's side of the wire for botocore: scripted answers, checked against botocore's own output shapes."""

from __future__ import annotations

import io
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

_RAM_PATHS = {
    "createresourceshare": "CreateResourceShare",
    "getresourceshares": "GetResourceShares",
    "getresourceshareassociations": "GetResourceShareAssociations",
    "getresourceshareinvitations": "GetResourceShareInvitations",
    "acceptresourceshareinvitation": "AcceptResourceShareInvitation",
    "listpermissions": "ListPermissions",
    "listresourcesharepermissions": "ListResourceSharePermissions",
    "getpermission": "GetPermission",
    "deleteresourceshare": "DeleteResourceShare",
    "updateresourceshare": "UpdateResourceShare",
    "associateresourceshare": "AssociateResourceShare",
    "disassociateresourceshare": "DisassociateResourceShare",
    "associateresourcesharepermission": "AssociateResourceSharePermission",
    "createpermission": "CreatePermission",
    "createpermissionversion": "CreatePermissionVersion",
    "listpermissionversions": "ListPermissionVersions",
    "deletepermission": "DeletePermission",
    "deletepermissionversion": "DeletePermissionVersion",
}


@cache
def service_model(service: str) -> ServiceModel:
    """Return botocore's model of a service."""
    return botocore.session.get_session().get_service_model(service)


def check_shape(service: str, operation: str, answer: Mapping[str, Any]) -> None:
    """Fail when a recorded answer is not one botocore's model lets AWS give."""
    shape = service_model(service).operation_model(operation).output_shape
    if shape is None:
        assert not answer, f"{service} {operation} answers nothing"
        return
    report = ParamValidator().validate(dict(answer), shape)
    assert not report.has_errors(), f"{service} {operation}: {report.generate_report()}"


@dataclass(frozen=True)
class Request:
    """One request as it went over the wire: its operation, decoded parameters, URL and headers."""

    operation: str
    parameters: dict[str, Any]
    url: str
    headers: dict[str, str]


class Wire:
    """Answer requests by operation, in the order scripted, and remember what was asked."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._answers: dict[str, deque[tuple[int, bytes, dict[str, str]] | Exception]] = {}

    def answer(self, service: str, operation: str, answer: Mapping[str, Any], times: int = 1) -> None:
        """Answer with success; the answer must fit the operation's output shape."""
        check_shape(service, operation, answer)
        body = json.dumps(answer, default=_seconds).encode()
        self._add(operation, (200, body, {"Content-Type": "application/x-amz-json-1.1"}), times)

    def refuse(self, operation: str, code: str, message: str = "", status: int = 400, times: int = 1) -> None:
        """Answer with an AWS error in the JSON protocols' form."""
        body = json.dumps({"__type": code, "message": message}).encode()
        self._add(operation, (status, body, {"x-amzn-ErrorType": code}), times)

    def raw(self, operation: str, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Answer with these very bytes."""
        self._add(operation, (status, body, headers or {}), 1)

    def fail(self, operation: str, error: Exception, times: int = 1) -> None:
        """Raise instead of answering, as botocore's HTTP layer does when the network fails."""
        self._add(operation, error, times)

    def assume_role(self, access_key: str, expires_at: datetime) -> None:
        """Answer AssumeRole with credentials that end at a moment."""
        body = (
            '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>'
            f"<AccessKeyId>{access_key}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
            f"<SessionToken>token-{access_key}</SessionToken>"
            f"<Expiration>{expires_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>"
            "<AssumedRoleUser><AssumedRoleId>AROA:s</AssumedRoleId><Arn>arn:aws:sts::111111111111:x</Arn>"
            "</AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>"
        )
        self._add("AssumeRole", (200, body.encode(), {}), 1)

    @property
    def unused(self) -> list[str]:
        """Name the operations of answers nobody asked for."""
        return [operation for operation, answers in self._answers.items() for _ in answers]

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """Return the parameters of every request of an operation, retries too."""
        return [request.parameters for request in self.requests if request.operation == operation]

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """Take the place of botocore's `URLLib3Session.send`."""
        asked = _read(request)
        self.requests.append(asked)
        waiting = self._answers.get(asked.operation)
        assert waiting, f"no answer scripted for {asked.operation} {asked.parameters}"
        answer = waiting.popleft()
        if isinstance(answer, Exception):
            raise answer
        status, body, headers = answer
        return AWSResponse(request.url, status, headers, _Body(body))

    def _add(self, operation: str, answer: tuple[int, bytes, dict[str, str]] | Exception, times: int) -> None:
        self._answers.setdefault(operation, deque()).extend([answer] * times)


class _Body(io.BytesIO):
    """Look to botocore like a urllib3 response."""

    def stream(self, **_: Any) -> Any:
        while chunk := self.read(65536):
            yield chunk

    def release_conn(self) -> None:
        """Do nothing: there is no connection."""


def _read(request: AWSPreparedRequest) -> Request:
    headers = {
        name: value.decode() if isinstance(value, bytes) else str(value) for name, value in request.headers.items()
    }
    given = request.body.read() if hasattr(request.body, "read") else request.body
    body = given if isinstance(given, bytes) else (given or "").encode()
    target = headers.get("X-Amz-Target", "")
    path = urlsplit(request.url).path.strip("/")
    if target:
        return Request(target.rpartition(".")[2], json.loads(body), request.url, headers)
    if path in _RAM_PATHS:
        return Request(_RAM_PATHS[path], json.loads(body or b"{}"), request.url, headers)
    form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    if "Action" in form:
        return Request(form["Action"], form, request.url, headers)
    query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
    return Request(f"{request.method} {path}", query, request.url, headers)


def _seconds(value: Any) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} cannot be sent")
