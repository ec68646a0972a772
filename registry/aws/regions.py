"""Know AWS's partitions and their regions, as the installed botocore lists them."""

from __future__ import annotations

from functools import cache


@cache
def known_regions(partition: str = "aws") -> frozenset[str]:
    """Return the regions of a partition ("aws", "aws-cn", "aws-us-gov") that have SageMaker; none of no such one."""
    import botocore.session  # noqa: PLC0415 - megabytes, where regions are judged

    return frozenset(botocore.session.Session().get_available_regions("sagemaker", partition))


def partition_of(arn: str) -> str:
    """Return the partition an ARN lies in, "aws" for what is no ARN."""
    parts = arn.split(":", 2)
    return parts[1] if len(parts) == 3 and parts[0] == "arn" and parts[1] else "aws"
