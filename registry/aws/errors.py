"""Name what AWS refused, in seven errors that say what happened and what to do.

The codes are those of the services' models in botocore, and those the real services are known to answer
without modelling them (SageMaker reports a missing resource as a ValidationException, S3's HEAD has no code).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Protocol


class _Account(Protocol):
    @property
    def account_id(self) -> str: ...


class HasAccount(Protocol):
    """Anything that works for one AWS account, such as `AwsSession`."""

    @property
    def account(self) -> _Account: ...


class AwsError(Exception):
    """Report one AWS operation that did not succeed.

    `service` is botocore's name ("sagemaker"), `operation` AWS's ("UpdateModelPackage"), `account_id` the
    account it was meant for, `code` the error code of AWS (or the class name of a local failure), `message`
    AWS's own words. `retryable` says whether the same request can succeed later without anybody acting.
    """

    advice: ClassVar[str] = "Read the message; repeating the same request will not help."
    happened: ClassVar[str] = "failed"
    retryable_by_nature: ClassVar[bool] = False

    def __init__(
        self,
        *,
        service: str,
        operation: str,
        account_id: str,
        code: str,
        message: str,
        retryable: bool | None = None,
        advice: str | None = None,
    ) -> None:
        self.service = service
        self.operation = operation
        self.account_id = account_id
        self.code = code
        self.message = message
        self.retryable = self.retryable_by_nature if retryable is None else retryable
        self._advice = advice or self.advice
        super().__init__(str(self))

    def __str__(self) -> str:
        account = f" in account {self.account_id}" if self.account_id else ""
        return (
            f"{self.service} {self.operation}{account} {self.happened} "
            f"({self.code}: {self.message.rstrip('.')}). {self._advice}"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # Task results carry exceptions between processes; keyword-only errors do not survive that by default.
        return (_rebuild, (type(self), dict(self._state())))

    def _state(self) -> Iterator[tuple[str, Any]]:
        for name in ("service", "operation", "account_id", "code", "message", "retryable"):
            yield name, getattr(self, name)
        yield "advice", self._advice


class AwsThrottled(AwsError):
    """Report that AWS answered "slow down" to every attempt."""

    happened = "was throttled"
    advice = "It is tried again later; if it lasts, lower PORTAL_AWS_CONCURRENCY or have AWS raise the account's rate."
    retryable_by_nature = True


class AwsUnavailable(AwsError):
    """Report that AWS could not be reached, did not answer in time, or failed on its own side."""

    happened = "got no usable answer"
    advice = "It is tried again later; if it lasts, check the network path to AWS and the AWS health page."
    retryable_by_nature = True


class AwsDenied(AwsError):
    """Report that credentials are missing, expired or not permitted to do this."""

    happened = "was denied"
    advice = (
        "Check that the account's role exists, trusts the portal (external id, sts:SetSourceIdentity) "
        "and permits this action, and that the portal has credentials of its own."
    )


class AwsDisabled(AwsError):
    """Report that the account is switched off in the portal, so nothing was asked of it."""

    happened = "was not sent"
    advice = "Enable the account to go on; what waits for it is kept."
    retryable_by_nature = True


class AwsNotFound(AwsError):
    """Report that the thing asked for does not exist, or is not visible to this account."""

    happened = "found nothing"
    advice = "Check the ARN, name or URL, the region, and that the resource is shared with this account."


class AwsConflict(AwsError):
    """Report that the present state in AWS (or a quota) does not allow this."""

    happened = "conflicts with the state in AWS"
    advice = "Read the resource again and decide on its present state; raise the quota if one is named."


class AwsInvalid(AwsError):
    """Report a request that AWS refuses, or would refuse, as malformed. Nothing was changed."""

    happened = "was refused as invalid"
    advice = "Correct the named value; nothing was changed in AWS."


def _rebuild(kind: type[AwsError], state: dict[str, Any]) -> AwsError:
    return kind(**state)


# What botocore's retries take for throttling, and the words of single services.
THROTTLE_CODES = frozenset(
    {
        "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException",
        "RequestThrottled", "TooManyRequestsException", "TooManyRequests", "RequestLimitExceeded",
        "LimitExceededException", "BandwidthLimitExceeded", "ProvisionedThroughputExceededException",
        "TransactionInProgressException", "PriorRequestNotComplete", "EC2ThrottledException", "SlowDown",
        "429", "KmsThrottled",
    }
)  # fmt: skip
_UNAVAILABLE_CODES = frozenset(
    {
        "InternalFailure", "InternalError", "InternalException", "InternalServerException",
        "InternalServerError", "ServerInternalException", "ServiceUnavailable", "ServiceUnavailableException",
        "RequestTimeout", "RequestTimeoutException", "IDPCommunicationError", "OperationAborted",
    }
)  # fmt: skip
_EXPIRED_CODES = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_DENIED_CODES = _EXPIRED_CODES | frozenset(
    {
        "AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthFailure", "NotAuthorized",
        "UnauthorizedOperation", "OperationNotPermittedException", "OptInRequired", "InvalidClientTokenId",
        "UnrecognizedClientException", "InvalidAccessKeyId", "SignatureDoesNotMatch",
        "MissingAuthenticationToken", "IncompleteSignature", "InvalidToken", "RegionDisabledException",
        "KmsAccessDenied", "KMS.AccessDeniedException", "KMSAccessDeniedException",
        "NotAuthorizedForSourceException", "Forbidden", "403",
    }
)  # fmt: skip
_NOT_FOUND_CODES = frozenset(
    {
        "NoSuchEntity", "ResourceNotFound", "ResourceNotFoundException", "NotFound", "NoSuchKey", "NoSuchBucket",
        "NoSuchVersion", "NoSuchUpload", "UnknownResourceException",
        "ResourceShareInvitationArnNotFoundException", "ResourceArnNotFoundException", "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue", "404",
    }
)  # fmt: skip
_CONFLICT_CODES = frozenset(
    {
        "ConflictException", "ResourceInUse", "ResourceInUseException", "ResourceAlreadyExistsException",
        "ResourceLimitExceeded", "ResourceShareLimitExceededException", "TagLimitExceededException",
        "InvalidStateTransitionException", "IdempotentParameterMismatchException", "PermissionAlreadyExistsException",
        "PermissionLimitExceededException", "PermissionVersionsLimitExceededException",
        "IdempotentParameterMismatch", "ConcurrentModificationException", "ManagedRuleException",
        "ResourceShareInvitationAlreadyAcceptedException", "ResourceShareInvitationAlreadyRejectedException",
        "ResourceShareInvitationExpiredException", "PreconditionFailed", "ConditionalRequestConflict",
        "QueueNameExists", "QueueAlreadyExists", "QueueDeletedRecently", "InvalidObjectState", "409", "412",
    }
)  # fmt: skip
_INVALID_CODES = frozenset(
    {
        "ValidationException", "ValidationError", "InvalidParameterException", "InvalidParameterValue",
        "InvalidParameterCombination", "InvalidParameter", "MalformedArnException",
        "InvalidNextTokenException", "InvalidMaxResultsException", "InvalidEventPatternException",
        "InvalidArgument", "InvalidRequest", "MalformedPolicyDocument", "MissingParameter", "InvalidAddress",
        "MalformedPolicyTemplateException", "InvalidPolicyException", "InvalidClientTokenException",
        "MissingRequiredParameterException", "InvalidResourceTypeException",
        "ReceiptHandleIsInvalid", "400",
    }
)  # fmt: skip


def kind_for(code: str, status: int = 400, message: str = "") -> type[AwsError]:
    """Choose the error class for an AWS error code, its HTTP status and its message."""
    words = message.lower()
    if code in THROTTLE_CODES or status == 429:
        return AwsThrottled
    if code in _DENIED_CODES:
        return AwsDenied
    if code in _NOT_FOUND_CODES:
        return AwsNotFound
    if code in _CONFLICT_CODES:
        return AwsConflict
    if code in _UNAVAILABLE_CODES or status >= 500:
        return AwsUnavailable
    if code in _INVALID_CODES:
        # SageMaker has one code for "malformed", "missing" and "there already"; only the words differ.
        if "already exist" in words:
            return AwsConflict
        if any(sign in words for sign in ("does not exist", "could not find", "not found", "cannot find")):
            return AwsNotFound
        if "rate exceeded" in words:
            return AwsThrottled
        return AwsInvalid
    by_status = {401: AwsDenied, 403: AwsDenied, 404: AwsNotFound, 409: AwsConflict, 412: AwsConflict}
    return by_status.get(status, AwsError)


def from_code(
    session: HasAccount, service: str, operation: str, code: str, message: str, status: int = 400
) -> AwsError:
    """Build the error for a code AWS returned, also for a failed entry of a batch inside a 200 answer."""
    kind = kind_for(code, status, message)
    return kind(
        service=service,
        operation=operation,
        account_id=session.account.account_id,
        code=code,
        message=message or f"HTTP status {status}",
        # A token that ran out is replaced on the next call, so waiting helps where a refusal would not.
        retryable=True if code in _EXPIRED_CODES else None,
    )


@contextmanager
def translated(session: HasAccount, service: str, operation: str) -> Iterator[None]:
    """Turn what botocore raises inside the block into an `AwsError`, and let everything else pass.

    A refusal of AssumeRole, which happens on the way to another operation, is reported as STS's own.
    """
    try:
        yield
    except Exception as exc:
        named = _named(exc, session, service, operation)
        if named is None:
            raise
        raise named from exc


def _named(exc: Exception, session: HasAccount, service: str, operation: str) -> AwsError | None:
    """Return the error for what botocore raised; None for what it did not raise."""
    from botocore import exceptions as boto  # noqa: PLC0415 - megabytes, in web processes that ask nothing of AWS
    from botocore.parsers import ResponseParserError  # noqa: PLC0415 - as above
    from s3transfer.exceptions import RetriesExceededError  # noqa: PLC0415 - as above

    if isinstance(exc, boto.ClientError):
        error = exc.response.get("Error", {})
        status = int(exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 400)
        code = str(error.get("Code") or status)
        if exc.operation_name == "AssumeRole" != operation:
            service, operation = "sts", "AssumeRole"
        return from_code(session, service, operation, code, str(error.get("Message") or ""), status)
    kind: type[AwsError]
    if isinstance(
        exc,
        boto.HTTPClientError
        | boto.ConnectionError
        | boto.IncompleteReadError
        | boto.PaginationError
        | boto.FlexibleChecksumError
        | ResponseParserError
        | RetriesExceededError,
    ):
        kind = AwsUnavailable
    elif isinstance(
        exc,
        boto.NoCredentialsError
        | boto.PartialCredentialsError
        | boto.CredentialRetrievalError
        | boto.TokenRetrievalError
        | boto.NoAuthTokenError
        | boto.ProfileNotFound
        | boto.MetadataRetrievalError
        | boto.SSOError
        | boto.LoginError,
    ):
        kind = AwsDenied
    elif isinstance(exc, boto.BotoCoreError):
        kind = AwsInvalid
    else:
        return None
    return kind(
        service=service,
        operation=operation,
        account_id=session.account.account_id,
        code=type(exc).__name__,
        message=" ".join(str(exc).split()),
    )
