"""Errors: every way AWS can fail becomes one named error that says what happened and what to do."""

from __future__ import annotations

import pickle
import socket

import pytest
from botocore import exceptions as boto

from registry.aws import sagemaker, sts
from registry.aws.errors import (
    AwsConflict,
    AwsDenied,
    AwsError,
    AwsInvalid,
    AwsNotFound,
    AwsThrottled,
    AwsUnavailable,
    kind_for,
    translated,
)
from registry.aws.records import AccountRef
from registry.aws.session import AwsSession
from tests.aws import recorded
from tests.aws.wire import Wire, service_model

ARN = recorded.VERSION_ARN


@pytest.mark.parametrize(
    ("code", "status", "message", "kind"),
    [
        ("ThrottlingException", 400, "Rate exceeded", AwsThrottled),
        ("RequestLimitExceeded", 400, "", AwsThrottled),
        ("SlowDown", 503, "", AwsThrottled),
        ("SomethingNew", 429, "", AwsThrottled),
        ("ValidationException", 400, "Rate exceeded", AwsThrottled),
        ("InternalFailure", 500, "", AwsUnavailable),
        ("ServiceUnavailable", 503, "", AwsUnavailable),
        ("ServerInternalException", 500, "", AwsUnavailable),
        ("SomethingNew", 502, "", AwsUnavailable),
        ("AccessDeniedException", 400, "User is not authorized to perform: x", AwsDenied),
        ("AccessDeniedException", 400, "because no policy allows it: resource not found", AwsDenied),
        ("ExpiredTokenException", 400, "", AwsDenied),
        ("UnrecognizedClientException", 400, "", AwsDenied),
        ("OperationNotPermittedException", 400, "", AwsDenied),
        ("403", 403, "Forbidden", AwsDenied),
        ("SomethingNew", 403, "", AwsDenied),
        ("ValidationException", 400, "ModelPackageGroup arn:x does not exist.", AwsNotFound),
        ("ValidationException", 400, "Could not find model package", AwsNotFound),
        ("ResourceNotFound", 400, "", AwsNotFound),
        ("UnknownResourceException", 400, "", AwsNotFound),
        ("NoSuchKey", 404, "", AwsNotFound),
        ("404", 404, "Not Found", AwsNotFound),
        ("AWS.SimpleQueueService.NonExistentQueue", 400, "", AwsNotFound),
        ("ConflictException", 400, "", AwsConflict),
        ("ResourceLimitExceeded", 400, "", AwsConflict),
        ("ValidationException", 400, "Model Package Group already exists: arn:x", AwsConflict),
        ("ResourceShareInvitationExpiredException", 400, "", AwsConflict),
        ("PreconditionFailed", 412, "", AwsConflict),
        ("ValidationException", 400, "1 validation error detected", AwsInvalid),
        ("InvalidParameterException", 400, "", AwsInvalid),
        ("MalformedArnException", 400, "", AwsInvalid),
        ("SomethingNew", 400, "", AwsError),
    ],
)
def test_code_chooses_the_error(code: str, status: int, message: str, kind: type[AwsError]) -> None:
    assert kind_for(code, status, message) is kind


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("sagemaker", "CreateModelPackage"),
        ("sagemaker", "UpdateModelPackage"),
        ("ram", "CreateResourceShare"),
        ("ram", "GetResourceShares"),
        ("ram", "AcceptResourceShareInvitation"),
        ("ram", "ListPermissions"),
        ("ram", "GetPermission"),
        ("ram", "DeleteResourceShare"),
        ("events", "PutRule"),
        ("events", "PutTargets"),
        ("events", "PutEvents"),
    ],
)
def test_every_error_a_model_names_has_a_kind(service: str, operation: str) -> None:
    for shape in service_model(service).operation_model(operation).error_shapes:
        code = shape.metadata.get("error", {}).get("code") or shape.name
        assert kind_for(code) is not AwsError or code in {
            "InvalidClientTokenException",
            "TagPolicyViolationException",
        }, code


def test_error_says_where_what_and_what_to_do(wire: Wire, session: AwsSession) -> None:
    wire.refuse("DescribeModelPackage", "ValidationException", "ModelPackage x does not exist.")
    with pytest.raises(AwsNotFound) as caught:
        sagemaker.describe_version(session, ARN)
    error = caught.value
    assert (error.service, error.operation, error.account_id) == (
        "sagemaker",
        "DescribeModelPackage",
        "111111111111",
    )
    assert (error.code, error.message, error.retryable) == (
        "ValidationException",
        "ModelPackage x does not exist.",
        False,
    )
    assert str(error) == (
        "sagemaker DescribeModelPackage in account 111111111111 found nothing (ValidationException: ModelPackage x "
        "does not exist). Check the ARN, name or URL, the region, and that the resource is shared with this account."
    )


@pytest.mark.parametrize(
    ("kind", "retryable"),
    [
        (AwsThrottled, True),
        (AwsUnavailable, True),
        (AwsDenied, False),
        (AwsNotFound, False),
        (AwsConflict, False),
        (AwsInvalid, False),
        (AwsError, False),
    ],
)
def test_retryable_and_advice_by_kind(kind: type[AwsError], retryable: bool) -> None:
    error = kind(service="s", operation="O", account_id="1", code="C", message="m")
    assert error.retryable is retryable
    assert str(error).endswith(kind.advice)


def test_errors_survive_the_way_between_processes() -> None:
    error = AwsConflict(
        service="s3", operation="O", account_id="1", code="C", message="m", retryable=True, advice="Do this."
    )
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is AwsConflict
    assert (str(again), again.retryable, again.code) == (str(error), True, "C")


def test_expired_credentials_are_worth_another_try(wire: Wire, session: AwsSession) -> None:
    wire.refuse("DescribeModelPackage", "ExpiredTokenException", "The security token has expired")
    with pytest.raises(AwsDenied) as caught:
        sagemaker.describe_version(session, ARN)
    assert caught.value.retryable


@pytest.mark.parametrize(
    "failure",
    [
        boto.EndpointConnectionError(endpoint_url="https://x"),
        boto.ConnectTimeoutError(endpoint_url="https://x"),
        boto.ReadTimeoutError(endpoint_url="https://x"),
        boto.ConnectionClosedError(endpoint_url="https://x"),
        boto.SSLError(endpoint_url="https://x", error="bad certificate"),
        boto.ProxyConnectionError(proxy_url="http://p"),
    ],
)
def test_network_failures_are_unavailable(wire: Wire, session: AwsSession, failure: Exception) -> None:
    wire.fail("DescribeModelPackage", failure, times=4)
    with pytest.raises(AwsUnavailable) as caught:
        sagemaker.describe_version(session, ARN)
    assert caught.value.code == type(failure).__name__
    assert len(wire.requests) == 4, "tried as often as the session says"


@pytest.mark.parametrize("status", [500, 503])
def test_a_page_instead_of_an_answer_is_unavailable(wire: Wire, session: AwsSession, status: int) -> None:
    for _ in range(4):
        wire.raw("DescribeModelPackage", status, b"<html>oops</html>", {"Content-Type": "text/html"})
    with pytest.raises(AwsUnavailable):
        sagemaker.describe_version(session, ARN)


def test_a_page_with_status_200_is_unavailable(wire: Wire, session: AwsSession) -> None:
    wire.raw("GetCallerIdentity", 200, b"<html>captive portal")
    with pytest.raises(AwsUnavailable, match="ResponseParserError"):
        sts.caller_identity(session)


def test_nobody_listening_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
        session = AwsSession(AccountRef("111111111111", "us-east-1"), total_max_attempts=1)
        with pytest.raises(AwsUnavailable, match="EndpointConnectionError"):
            sagemaker.describe_version(session, ARN)


def test_a_silent_server_is_unavailable_after_the_read_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.aws.session.READ_TIMEOUT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        session = AwsSession(AccountRef("111111111111", "us-east-1"), total_max_attempts=1)
        with pytest.raises(AwsUnavailable, match="ReadTimeoutError"):
            sagemaker.describe_version(session, ARN)


def test_missing_credentials_are_denied_and_say_so(monkeypatch: pytest.MonkeyPatch, wire: Wire) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(AwsDenied, match="has credentials of its own"):
        sagemaker.describe_version(AwsSession(AccountRef("111111111111", "us-east-1")), ARN)


def test_a_request_botocore_refuses_is_invalid(session: AwsSession) -> None:
    with (
        pytest.raises(AwsInvalid, match="ParamValidationError"),
        translated(session, "sagemaker", "DescribeModelPackage"),
    ):
        session.sagemaker.describe_model_package(ModelPackageName=7)  # type: ignore[arg-type]


def test_a_refused_role_is_reported_as_the_role(wire: Wire) -> None:
    wire.raw(
        "AssumeRole",
        403,
        b'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        b"<Code>AccessDenied</Code><Message>not authorized to perform: sts:SetSourceIdentity</Message></Error>"
        b"</ErrorResponse>",
    )
    account = AccountRef("222222222222", "us-east-1", "arn:aws:iam::222222222222:role/Portal")
    with pytest.raises(AwsDenied) as caught:
        sagemaker.describe_version(AwsSession(account), ARN)
    assert (caught.value.service, caught.value.operation) == ("sts", "AssumeRole")
    assert "sts:SetSourceIdentity" in str(caught.value)


def test_other_exceptions_pass(session: AwsSession) -> None:
    with pytest.raises(ZeroDivisionError), translated(session, "s", "O"):
        raise ZeroDivisionError
