"""What can go wrong with a tracking server, by name."""

from __future__ import annotations

from typing import Any


class TrackingError(Exception):
    """A tracking server did not say what was asked. `retryable` says whether it may later."""

    retryable = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.message,))


class ServerUnreachable(TrackingError):
    """Nothing answered, not in time, or with an error of its own."""

    retryable = True


class LoginRefused(TrackingError):
    """The server does not take the portal's token or password, or asks for one."""


class AddressNotAllowed(TrackingError):
    """The server's address leads where the portal does not go."""


class RunUnknown(TrackingError):
    """The server has no such run."""


class ExperimentUnknown(TrackingError):
    """The server has no such experiment."""


class QuestionRefused(TrackingError):
    """The server does not understand the question, such as a filter; it says why."""


class AnswerUnreadable(TrackingError):
    """What came back is no answer of an MLflow tracking server, or too long for one."""
