"""A version for reading: its reports of bias and explainability, and how it is reached from elsewhere. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..models import ModelVersion

# The sections of ModelMetrics that are about bias and explainability, and of DriftCheckBaselines.
# Source: DescribeModelPackage.
_SECTIONS = {"Bias": "Bias", "Explainability": "Explainability"}


@dataclass(frozen=True)
class Report:
    """One report SageMaker Clarify wrote: what it is of, where it lies, and what pins it."""

    about: str
    name: str
    uri: str
    content_type: str
    digest: str
    is_baseline: bool


@dataclass(frozen=True)
class Way:
    """One way to reach a version from elsewhere: a line to copy."""

    label: str
    line: str


def reports_of(version: ModelVersion) -> list[Report]:
    """Return where a version's reports of bias and explainability lie, its own before the baselines for drift."""
    found = []
    for source, is_baseline in ((version.metric_sources, False), (version.drift_baselines, True)):
        for section, about in _SECTIONS.items():
            named = source.get(section) if isinstance(source, Mapping) else None
            for name, report in named.items() if isinstance(named, Mapping) else ():
                if isinstance(report, Mapping) and report.get("S3Uri"):
                    found.append(_report(about, name, report, is_baseline))
    return found


def ways_to_reach(version: ModelVersion, api_address: str) -> list[Way]:
    """Return how a version is named and read elsewhere: its ARN, the AWS CLI's line, the call of the portal's API."""
    region = version.group.region
    cli = ["aws", "sagemaker", "describe-model-package", "--model-package-name", version.arn, "--region", region]
    return [
        Way("ARN", version.arn),
        Way("AWS CLI", shlex.join(cli)),
        Way("API of the portal", f'curl -H "Authorization: Token $TOKEN" {shlex.quote(api_address)}'),
    ]


def _report(about: str, name: Any, report: Mapping[str, Any], is_baseline: bool) -> Report:
    return Report(
        about=about,
        name=str(name),
        uri=str(report["S3Uri"]),
        content_type=str(report.get("ContentType") or ""),
        digest=str(report.get("ContentDigest") or ""),
        is_baseline=is_baseline,
    )
