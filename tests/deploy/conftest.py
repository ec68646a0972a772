"""The wire of the gateway's tests, for comparing a template with what the gateway itself would make."""

from tests.aws.conftest import aws_environment, wire

__all__ = ["aws_environment", "wire"]
