"""Endpoints as AWS tells them: taken in, linked to the versions they serve, marked when a listing lacks them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from portal.core.actors import Actor

from ..aws.endpoints import EndpointRecord, EndpointSummary, ServedModel
from ..models import AwsAccount, Endpoint, EndpointVariant, ModelVersion

Key = tuple[str, bool, bool, str, str]
# What was known of a model before AWS had it no more, or refused it.
_OF_MODEL = ("model_arn", "package_arn", "network_isolation", "in_vpc", "image", "many_under")
# What an endpoint itself says of its variants, without its configuration.
_OF_VARIANT = ("weight", "instance_count", "missing_since")


def settled(account: AwsAccount, region: str, listed: Collection[EndpointSummary]) -> dict[str, Endpoint]:
    """Return the known endpoints that need not be described anew, by name.

    One is settled when neither its state nor its modification time differ, and nothing about it was left open: an
    inference component changes without its endpoint, and what could not be read may be readable now.
    """
    known = {row.name: row for row in Endpoint.objects.filter(account=account, region=region)}
    loose = set(
        EndpointVariant.objects.filter(endpoint__in=[row.pk for row in known.values()], missing_since=None)
        .exclude(model_found=True, problem="", inference_component="", model_name__gt="")
        .values_list("endpoint_id", flat=True)
    )
    found = {}
    for summary in listed:
        row = known.get(summary.name)
        if row is None or row.pk in loose or row.missing_since is not None or row.status != "InService":
            continue
        if (row.status, row.aws_created_at, row.aws_modified_at) == (
            summary.status,
            summary.created_at,
            summary.modified_at,
        ):
            found[summary.name] = row
    return found


def take_in(*, actor: Actor, account: AwsAccount, region: str, record: EndpointRecord, now: datetime) -> str:
    """Write down what AWS says of one endpoint and what it serves; "created", "updated" or "unchanged".

    A variant that is served no more is marked, as it is when it comes back. Runs in the caller's operation.
    """
    values = {
        "arn": record.arn,
        "status": record.status[:30],
        "failure_reason": record.failure_reason,
        "config_name": record.config_name[:63],
        "pending_config": record.pending_config[:63],
        "is_asynchronous": record.is_asynchronous,
        "captures_data": record.captures_data,
        "aws_created_at": record.created_at,
        "aws_modified_at": record.modified_at,
        "missing_since": None,
    }
    endpoint = (
        Endpoint.objects.select_for_update().filter(account=account, region=region, name=record.name[:63]).first()
    )
    same_config = endpoint is not None and endpoint.config_name == values["config_name"]
    if endpoint is None:
        endpoint = Endpoint.objects.create(account=account, region=region, name=record.name[:63], read_at=now, **values)
        outcome = "created"
    else:
        changed = _alter(endpoint, values)
        endpoint.read_at = now
        endpoint.save(update_fields=[*changed, "read_at"])
        outcome = "updated" if changed else "unchanged"
    if _take_variants(endpoint, record.served, now, same_config=same_config) and outcome == "unchanged":
        outcome = "updated"
    return outcome


def confirm(*, actor: Actor, endpoints: Collection[Endpoint], now: datetime) -> None:
    """Note that a complete listing has these as they are known. Runs in the caller's operation."""
    Endpoint.objects.filter(pk__in=[endpoint.pk for endpoint in endpoints]).update(read_at=now)


def mark_missing(*, actor: Actor, account: AwsAccount, region: str, present: Collection[str], now: datetime) -> int:
    """Mark what a complete listing lacks; nothing is removed. Returns how many. Runs in the caller's operation."""
    gone = Endpoint.objects.standing().filter(account=account, region=region).exclude(name__in=list(present))
    return gone.update(missing_since=now)


def link(*, actor: Actor, account: AwsAccount, region: str) -> int:
    """Link what serves a package to the version it is, where the registry came to know it later. Returns how many."""
    rows = EndpointVariant.objects.filter(
        endpoint__account=account, endpoint__region=region, version=None, package_arn__gt=""
    )
    waiting = list(rows)
    versions = _versions({row.package_arn for row in waiting})
    found = [row for row in waiting if row.package_arn in versions]
    for row in found:
        row.version_id = versions[row.package_arn]
        row.save(update_fields=["version"])
    return len(found)


def _take_variants(endpoint: Endpoint, served: Collection[ServedModel], now: datetime, *, same_config: bool) -> bool:
    known: dict[Key, EndpointVariant] = {_key(row): row for row in EndpointVariant.objects.filter(endpoint=endpoint)}
    versions = _versions({one.model.package_arn for one in served if one.model.package_arn})
    is_changed, seen = False, set()
    for one in served:
        key = (
            one.variant[:63],
            one.is_shadow,
            one.is_pending,
            one.inference_component[:63],
            one.model.container[:63],
        )
        values = _values(one, versions)
        # A configuration is never changed: one AWS has no more still says what it said.
        of_old = same_config and not (one.model.found or one.model_name or one.is_pending)
        standing = [row for row in known.values() if of_old and _is_standing(row, key)]
        if standing:
            seen |= {_key(row) for row in standing}
            is_changed |= _keep(standing, values)
            continue
        seen.add(key)
        row = known.get(key)
        if row is not None and row.model_name == values["model_name"] and (not one.model.found or one.model.problem):
            values |= {name: getattr(row, name) for name in _OF_MODEL} | {"version_id": row.version_id}
        if row is None:
            name, is_shadow, is_pending, component, container = key
            known[key] = EndpointVariant.objects.create(
                endpoint=endpoint,
                name=name,
                is_shadow=is_shadow,
                is_pending=is_pending,
                inference_component=component,
                container=container,
                **values,
            )
            is_changed = True
        elif changed := _alter(row, values):
            row.save(update_fields=[name.removesuffix("_id") for name in changed])
            is_changed = True
    for key, row in known.items():
        if key not in seen and row.missing_since is None:
            row.missing_since = now
            row.save(update_fields=["missing_since"])
            is_changed = True
    return is_changed


def _key(row: EndpointVariant) -> Key:
    return (row.name, row.is_shadow, row.is_pending, row.inference_component, row.container)


def _is_standing(row: EndpointVariant, key: Key) -> bool:
    """Whether a row tells what the variant of a key served before its configuration was gone, and what that was."""
    return row.missing_since is None and _key(row)[:3] == key[:3] and bool(row.model_name or row.inference_component)


def _keep(rows: Collection[EndpointVariant], values: Mapping[str, Any]) -> bool:
    is_changed = False
    for row in rows:
        of_variant = {name: values[name] for name in _OF_VARIANT if not (row.inference_component and name != "weight")}
        if changed := _alter(row, of_variant):
            row.save(update_fields=changed)
            is_changed = True
    return is_changed


def _values(one: ServedModel, versions: Mapping[str, int]) -> dict[str, Any]:
    return {
        "weight": one.weight,
        "instance_count": one.instance_count,
        "instance_type": one.instance_type[:63],
        "is_serverless": one.is_serverless,
        "component_status": one.component_status[:30],
        "model_name": one.model_name[:63],
        "model_arn": one.model.arn,
        "model_found": one.model.found,
        "problem": one.model.problem,
        "package_arn": one.model.package_arn,
        "version_id": versions.get(one.model.package_arn),
        "network_isolation": one.model.network_isolation,
        "in_vpc": one.model.in_vpc,
        "image": one.model.image[:512],
        "many_under": one.model.many_under[:2048],
        "missing_since": None,
    }


def _versions(arns: Collection[str]) -> dict[str, int]:
    """The version behind each package; of several that ever had its ARN the newest that AWS still has."""
    rows = ModelVersion.objects.filter(arn__in=list(arns)).order_by("aws_created_at")
    found: dict[str, tuple[bool, int]] = {}
    for arn, missing_since, pk in rows.values_list("arn", "missing_since", "pk"):
        if missing_since is None or not found.get(arn, (False, 0))[0]:
            found[arn] = (missing_since is None, pk)
    return {arn: pk for arn, (_, pk) in found.items()}


def _alter(row: Endpoint | EndpointVariant, values: Mapping[str, Any]) -> list[str]:
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    return changed
