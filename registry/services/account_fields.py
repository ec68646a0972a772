"""What may be said of an account, field by field: each word that cannot be true is refused beside its field."""

from __future__ import annotations

import re
from collections import defaultdict

from ..aws.regions import known_regions, partition_of
from ..models import AwsAccount

MOST_REGIONS = 50
_ACCOUNT = re.compile(r"[0-9]{12}")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>[0-9]{12}):role/[\w+=,.@/-]+", re.ASCII)
_ORGANISATION = re.compile(r"o-[a-z0-9]{10,32}")
# Source: the pattern of ExternalId in sts AssumeRole.
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def problems(account: AwsAccount) -> dict[str, list[str]]:
    """Return what is wrong with an account's fields, by field; {} when nothing is."""
    found: dict[str, list[str]] = defaultdict(list)
    if _ACCOUNT.fullmatch(account.account_id) is None:
        found["account_id"].append("An account id has twelve digits.")
    role = _ROLE.fullmatch(account.role_arn)
    if account.role_arn and role is None:
        found["role_arn"].append("This is no role's ARN. It looks like arn:aws:iam::111111111111:role/Name.")
    elif role is not None and role["account"] != account.account_id:
        found["role_arn"].append(
            f"This role belongs to account {role['account']}. The portal needs a role of {account.account_id}."
        )
    if account.external_id and _EXTERNAL_ID.fullmatch(account.external_id) is None:
        found["external_id"].append("An external id has 2 to 1224 letters, digits and _ + = , . @ : / -.")
    if account.organisation_id and _ORGANISATION.fullmatch(account.organisation_id) is None:
        found["organisation_id"].append('An organisation id is "o-" with 10 to 32 lower-case letters and digits.')
    for bucket in account.artifact_buckets:
        if _BUCKET.fullmatch(bucket) is None:
            found["artifact_buckets"].append(f"{bucket!r} is no bucket's name.")
    found["regions"] += _region_problems(account)
    return {name: texts for name, texts in found.items() if texts}


def _region_problems(account: AwsAccount) -> list[str]:
    regions = account.regions
    if not regions:
        return ["Name at least one region."]
    if len(regions) > MOST_REGIONS:
        return [f"At most {MOST_REGIONS} regions."]
    found = []
    if len(set(regions)) < len(regions):
        found.append("Name each region once.")
    known = known_regions(partition_of(account.role_arn))
    unknown = [region for region in regions if region not in known]
    if unknown and known:
        found.append(f"{', '.join(map(repr, unknown))} is not among the regions of SageMaker, such as us-east-1.")
    return found
