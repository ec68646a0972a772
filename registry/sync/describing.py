"""Describing versions by name: what AWS has of them, what it has no more, what it refuses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.conf import settings

from ..aws import sagemaker
from ..aws.errors import AwsError, AwsNotFound
from ..aws.records import VersionRecord
from ..aws.session import AwsSession
from .reading import in_order


@dataclass
class Described:
    """What came of asking for some versions.

    `gone` are the ARNs AWS does not have. `refused` are those one of which would be refused again, such as a card under
    a key the role may not use, or could not be read. `stopped` is why the rest was not asked for: an AWS that throttles
    or does not answer.
    """

    records: list[VersionRecord] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    refused: dict[str, Exception] = field(default_factory=dict)
    stopped: AwsError | None = None

    def require_all(self) -> None:
        """Raise the first error there was, if any."""
        if self.stopped is not None:
            raise self.stopped
        for error in self.refused.values():
            raise error


def describe(session: AwsSession, arns: Sequence[str]) -> Described:
    """Describe versions, a few at once; never raises for what AWS answers. Source: DescribeModelPackage."""

    def read(arn: str) -> VersionRecord | Exception:
        try:
            return sagemaker.describe_version(session, arn)
        except Exception as error:  # noqa: BLE001 - one that cannot be read must hide no other
            return error

    if len(arns) == 1:
        found: Iterable[tuple[str, VersionRecord | Exception]] = [(arns[0], read(arns[0]))]
    else:
        found = in_order(arns, read, at_once=settings.PORTAL_AWS_READS_AT_ONCE)
    result = Described()
    for arn, answer in found:
        if isinstance(answer, VersionRecord):
            result.records.append(answer)
        elif isinstance(answer, AwsNotFound):
            result.gone.append(arn)
        elif isinstance(answer, AwsError) and answer.retryable:
            result.stopped = answer
            break
        else:
            result.refused[arn] = answer
    return result
