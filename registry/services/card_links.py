"""What a model card of its own is about: the version, group and use case its content names, where the portal has them.

A card names its model in SageMaker's fields, and not all writers fill in the same: the package's ARN counts most, then
the group's name with a version number, then a model id that is a package's ARN, then a model name that is a group's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..aws.arns import MalformedArn, parse_model_package_arn
from ..models import AwsAccount, ModelGroup, ModelVersion, UseCase

_PUBLIC_ID = re.compile(r"UC-(\d{1,9})", re.IGNORECASE)
_LARGEST = 2_147_483_647


@dataclass(frozen=True)
class CardLinks:
    """What a card is about; None where it names nothing, or nothing the portal knows."""

    version: ModelVersion | None = None
    group: ModelGroup | None = None
    use_case: UseCase | None = None


def links_of(content: Mapping[str, Any] | None, account: AwsAccount, region: str, use_case_named: str) -> CardLinks:
    """Find what a card names. Names without an ARN mean the card's own account and region."""
    package = _section(content, "model_package_details")
    overview = _section(content, "model_overview")
    version = _by_arn(package.get("model_package_arn")) or _by_arn(overview.get("model_id"))
    group = version.group if version else None
    if group is None:
        named = package.get("model_package_group_name")
        number = package.get("model_package_version")
        if not isinstance(named, str):
            named, number = overview.get("model_name"), overview.get("model_version")
        group = _group(named, account, region)
        version = _version(group, number)
    return CardLinks(version, group, _use_case(group, use_case_named))


def _section(content: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    found = (content or {}).get(name)
    return found if isinstance(found, dict) else {}


def _by_arn(arn: object) -> ModelVersion | None:
    if not isinstance(arn, str):
        return None
    try:
        parts = parse_model_package_arn(arn)
    except MalformedArn:
        return None
    if parts.version > _LARGEST:
        return None
    # AWS may case a group's name differently in the ARNs of its versions.
    rows = ModelVersion.objects.filter(
        group__account__account_id=parts.account_id,
        group__region=parts.region,
        group__name__iexact=parts.group_name,
        number=parts.version,
    )
    return rows.select_related("group").order_by("-aws_created_at").first()


def _group(name: object, account: AwsAccount, region: str) -> ModelGroup | None:
    if not isinstance(name, str) or not name.strip():
        return None
    rows = ModelGroup.objects.filter(account=account, region=region, name__iexact=name.strip())
    return rows.order_by("missing_since", "-pk").first()


def _version(group: ModelGroup | None, number: object) -> ModelVersion | None:
    if group is None or isinstance(number, bool) or not isinstance(number, int | float):
        return None
    if number != int(number) or not 1 <= number <= _LARGEST:
        return None
    rows = group.versions.filter(number=int(number)).select_related("group")
    return rows.order_by("-aws_created_at").first()


def _use_case(group: ModelGroup | None, named: str) -> UseCase | None:
    match = _PUBLIC_ID.fullmatch(named.strip())
    if group is None or group.project_id is None or match is None:
        return None
    return UseCase.objects.filter(number=int(match[1]), project_id=group.project_id).first()
