"""SageMaker's errors, named as its API names them."""

from __future__ import annotations

from moto.sagemaker.exceptions import SagemakerClientError

from ..caller import Caller


class ValidationError(SagemakerClientError):
    code = "ValidationException"

    def __init__(self, message: str) -> None:
        super().__init__(message)


class Conflict(SagemakerClientError):
    code = "ConflictException"

    def __init__(self, message: str) -> None:
        super().__init__(message)


class NotFound(SagemakerClientError):
    code = "ResourceNotFound"

    def __init__(self, message: str) -> None:
        super().__init__(message)


class ResourceInUse(SagemakerClientError):
    code = "ResourceInUse"

    def __init__(self, message: str) -> None:
        super().__init__(message)


class NotOffered(SagemakerClientError):
    """What SageMaker does not do in a region."""

    code = "UnknownOperationException"

    def __init__(self, message: str) -> None:
        super().__init__(message)


class AccessDenied(SagemakerClientError):
    code = "AccessDeniedException"

    def __init__(self, caller: Caller, action: str, resource: str) -> None:
        super().__init__(
            f"User: {caller.arn} is not authorized to perform: {action} on resource: {resource} "
            f"because no resource-based policy allows the {action} action"
        )
