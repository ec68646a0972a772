"""Fill an account with versions, and change some of them, faster than over the API: for measuring a sync."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from ..accounts import REGION
from ..caller import Caller
from .common import Record, now
from .models import SandboxSageMakerBackend, registry

_MOST = 1_000_000
_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
_NEXT = {"PendingManualApproval": "Approved", "Approved": "Rejected", "Rejected": "Approved"}


def _number(wanted: dict[str, Any], name: str, default: int, least: int = 0) -> int:
    value = wanted.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _MOST:
        raise ValueError(f"{name} must be a whole number from {least} to {_MOST}")
    return value


def _text(wanted: dict[str, Any], name: str, default: str, pattern: str) -> str:
    value = wanted.get(name, default)
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise ValueError(f"{name} {value!r} does not match {pattern}")
    return value


def _where(wanted: Any, *known: str) -> tuple[SandboxSageMakerBackend, Caller]:
    if not isinstance(wanted, dict):
        raise TypeError("it must be a JSON object")
    if unknown := set(wanted) - {"account", "region", *known}:
        raise ValueError(f"unknown {sorted(unknown)}; there are {sorted({'account', 'region', *known})}")
    account = _text(wanted, "account", "", r"\d{12}")
    region = _text(wanted, "region", REGION, r"[a-z]{2}(-[a-z]+)+-\d")
    arn = f"arn:aws:sts::{account}:assumed-role/DataScientist/somebody"
    return registry(account, region), Caller(account, arn, "AROASOMEBODY:somebody")


def seed(wanted: Any) -> dict[str, Any]:
    """Make groups with versions in an account, without events.

    ``{"account", "region", "groups": 1, "versions_per_group": 1, "prefix": "seeded", "persist": false}``. Groups are
    named ``PREFIX-00001``. Unless ``persist`` is true they end with the process. Returns ``{"groups", "versions"}``.
    Raises ValueError or TypeError, and then nothing is made.
    """
    owner, caller = _where(wanted, "groups", "versions_per_group", "prefix", "persist")
    prefix = _text(wanted, "prefix", "seeded", r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,50}")
    groups, versions = _number(wanted, "groups", 1), _number(wanted, "versions_per_group", 1)
    if groups * versions > _MOST:
        raise ValueError(f"{groups} groups of {versions} versions are more than {_MOST}")
    names = [f"{prefix}-{number:05d}" for number in range(1, groups + 1)]
    taken = next((n for n in names if n in owner.groups), None)
    if taken:
        raise ValueError(f"there is a group {taken} already; use another prefix")
    if wanted.get("persist") is not True:
        owner.unsaved.update(names)
    # What all versions have alike is one object in memory.
    alike: Record = {
        "InferenceSpecification": {
            "Containers": [{"Image": _IMAGE, "ModelDataUrl": "s3://ml-artifacts/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        "CustomerMetadataProperties": {"algorithm": "xgboost"},
        "ModelApprovalStatus": "PendingManualApproval",
        "CreatedBy": caller.user_context,
        "ModelPackageStatus": "Completed",
        "CertifyForMarketplace": False,
    }
    begun = now() - timedelta(milliseconds=len(names) * versions)
    for place, name in enumerate(names):
        owner.create_group({"ModelPackageGroupName": name}, caller)
        owner.groups[name]["last_version"] = versions
        for number in range(1, versions + 1):
            _version(owner, name, number, alike, begun + timedelta(milliseconds=place * versions + number))
    return {"groups": groups, "versions": groups * versions}


def _version(owner: SandboxSageMakerBackend, name: str, number: int, alike: Record, created: Any) -> None:
    arn = owner.arn_of("model-package", f"{name}/{number}")
    done = [{"Name": arn, "Status": "Completed"}]
    owner.packages[arn] = {
        **alike,
        "ModelPackageGroupName": name,
        "ModelPackageVersion": number,
        "ModelPackageArn": arn,
        "CreationTime": created,
        "LastModifiedTime": created,
        "ModelPackageStatusDetails": {"ValidationStatuses": done, "ImageScanStatuses": done},
    }
    owner.touch("package", arn)


def touch(wanted: Any) -> dict[str, Any]:
    """Change versions of an account, evenly spread, as if somebody had updated them: with time, name and event.

    ``{"account", "region", "versions": N}`` or ``"fraction": 0.001`` instead; ``prefix`` chooses groups by the start of
    their name, and ``change`` is what UpdateModelPackage is given (without it the approval status becomes another).
    Returns ``{"versions": N, "arns": [...]}``. Raises ValueError or TypeError, and then nothing is changed.
    """
    owner, caller = _where(wanted, "versions", "fraction", "prefix", "change")
    prefix, change = wanted.get("prefix") or "", wanted.get("change")
    if not isinstance(prefix, str) or not (change is None or isinstance(change, dict)):
        raise TypeError("prefix must be text and change an object")
    rows = [
        r
        for r in owner.packages.created.rows(0, len(owner.packages))
        if str(r.get("ModelPackageGroupName", "")).startswith(prefix)
    ]
    if wanted.get("fraction") is not None:
        fraction = float(wanted["fraction"])
        if not 0 <= fraction <= 1:
            raise ValueError("fraction must be between 0 and 1")
        count = round(len(rows) * fraction)
    else:
        count = min(_number(wanted, "versions", 1), len(rows))
    chosen = [rows[place * len(rows) // count] for place in range(count)]
    for package in chosen:
        status = _NEXT[package.get("ModelApprovalStatus", "PendingManualApproval")]
        owner.update(package, change or {"ModelApprovalStatus": status}, caller)
    return {"versions": count, "arns": [p["ModelPackageArn"] for p in chosen]}
