"""RAM's errors, named as its API names them."""

from __future__ import annotations

from moto.core.exceptions import ServiceException


class RamError(ServiceException):
    """An error of RAM's model; ``code`` is the exception's name."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class InvalidParameter(RamError):
    code = "InvalidParameterException"


class MalformedArn(RamError):
    code = "MalformedArnException"


class UnknownResource(RamError):
    code = "UnknownResourceException"


class OperationNotPermitted(RamError):
    code = "OperationNotPermittedException"


class InvalidNextToken(RamError):
    code = "InvalidNextTokenException"


class IdempotentParameterMismatch(RamError):
    code = "IdempotentParameterMismatchException"


class InvitationNotFound(RamError):
    code = "ResourceShareInvitationArnNotFoundException"


class InvitationAlreadyAccepted(RamError):
    code = "ResourceShareInvitationAlreadyAcceptedException"


class InvitationAlreadyRejected(RamError):
    code = "ResourceShareInvitationAlreadyRejectedException"


class InvitationExpired(RamError):
    code = "ResourceShareInvitationExpiredException"


class InvalidStateTransition(RamError):
    code = "InvalidStateTransitionException"


class MalformedPolicyTemplate(RamError):
    code = "MalformedPolicyTemplateException"


class InvalidPolicy(RamError):
    code = "InvalidPolicyException"


class PermissionAlreadyExists(RamError):
    code = "PermissionAlreadyExistsException"


class PermissionVersionsLimitExceeded(RamError):
    code = "PermissionVersionsLimitExceededException"
