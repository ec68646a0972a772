"""A version for reading: how it is reached from elsewhere. Pure."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from ..models import ModelVersion


@dataclass(frozen=True)
class Way:
    """One way to reach a version from elsewhere: a line to copy."""

    label: str
    line: str


def ways_to_reach(version: ModelVersion, api_address: str) -> list[Way]:
    """Return how a version is named and read elsewhere: its ARN, the AWS CLI's line, the call of the portal's API."""
    region = version.group.region
    cli = ["aws", "sagemaker", "describe-model-package", "--model-package-name", version.arn, "--region", region]
    return [
        Way("ARN", version.arn),
        Way("AWS CLI", shlex.join(cli)),
        Way("API of the portal", f'curl -H "Authorization: Token $TOKEN" {shlex.quote(api_address)}'),
    ]
