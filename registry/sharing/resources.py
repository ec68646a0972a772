"""Which ARN patterns of a policy mean a model group or its versions."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from .verbs import matches

# Actions whose resource is the group alone, and those whose resource is a version alone; others may name either.
_ON_GROUP = frozenset(
    {
        "sagemaker:DeleteModelPackageGroup",
        "sagemaker:DeleteModelPackageGroupPolicy",
        "sagemaker:DescribeModelPackageGroup",
        "sagemaker:GetModelPackageGroupPolicy",
        "sagemaker:PutModelPackageGroupPolicy",
    }
)
_ON_VERSION = frozenset({"sagemaker:DeleteModelPackage", "sagemaker:UpdateModelPackage"})


def _meant(action: str, group_arn: str) -> tuple[str, ...]:
    """Return what an action can be about: the group, the pattern of its versions (SageMaker lowers their names)."""
    group = group_arn.lower()
    versions = group.replace(":model-package-group/", ":model-package/", 1) + "/*"
    return (group,) if action in _ON_GROUP else (versions,) if action in _ON_VERSION else (group, versions)


def touches(glob: str, action: str, group_arn: str) -> bool:
    """Whether a resource pattern can mean the group or one of its versions, as far as the action is about them."""
    return any(overlap(glob.lower(), meant) for meant in _meant(action, group_arn))


def covers(globs: Iterable[str], action: str, group_arn: str) -> bool:
    """Whether resource patterns together certainly mean all the action can be about: the group, all its versions."""
    return all(any(matches(glob, meant) for glob in globs) for meant in _meant(action, group_arn))


@lru_cache(maxsize=4096)
def overlap(one: str, other: str) -> bool:
    """Whether there is a text that both patterns match."""
    # reached[j]: the part of `one` read so far and the first j characters of `other` have a common text.
    reached = [True] + [False] * len(other)
    for j, char in enumerate(other, 1):
        reached[j] = reached[j - 1] and char == "*"
    for char in one:
        row = [reached[0] and char == "*"] + [False] * len(other)
        for j, against in enumerate(other, 1):
            if "*" in (char, against):
                row[j] = reached[j] or row[j - 1]
            else:
                row[j] = reached[j - 1] and (char == against or "?" in (char, against))
        reached = row
    return reached[-1]
