"""Put the sandbox's backends in the place of moto's.

moto makes the backend of an account and region from ``BackendDict.backend`` when it is first asked for, and finds its
URLs beside the backend's module: replacing that class is all an extension from outside needs.
"""

from __future__ import annotations

from typing import Any

from moto.backends import get_backend

# The services the sandbox stands in for; every other is refused by name, as its state would not be kept.
SERVICES = ("iam", "organizations", "sts", "s3", "sqs", "events", "ram", "sagemaker", "cloudwatch")


def backends(service: str) -> Any:
    """moto's BackendDict of a service: account, then region, then backend."""
    return get_backend(service)  # type: ignore[call-overload]


def install() -> None:
    """Replace the backends. Call it once, before the first request."""
    from .cloudwatch.models import SandboxCloudWatchBackend
    from .events.models import SandboxEventsBackend
    from .iam.models import SandboxIAMBackend
    from .ram.models import SandboxRamBackend
    from .s3.models import SandboxS3Backend
    from .sagemaker.models import SandboxSageMakerBackend
    from .sqs.models import SandboxSQSBackend
    from .sts.models import SandboxSTSBackend

    for service, backend in (
        ("iam", SandboxIAMBackend),
        ("sts", SandboxSTSBackend),
        ("s3", SandboxS3Backend),
        ("sqs", SandboxSQSBackend),
        ("events", SandboxEventsBackend),
        ("ram", SandboxRamBackend),
        ("sagemaker", SandboxSageMakerBackend),
        ("cloudwatch", SandboxCloudWatchBackend),
    ):
        known = backends(service)
        known.clear()
        known.backend = backend
