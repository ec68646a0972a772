"""Keep model package groups and versions as SageMaker's registry does.

Records are plain dicts in the shape Describe returns. Not checked, as the rules are not published: the schema inside a
model card, and the contents behind S3 URIs. Validation is instant, so a package is Completed when it is created.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta

from moto.sagemaker.models import SageMakerModelBackend, sagemaker_backends

from ..caller import Caller
from ..ram.from_policy import mirror
from ..ram.models import backend_of, shared_with
from .access import allowed
from .cards import Cards
from .common import TOKEN_LIFETIME, Record, asked, now
from .endpoints import Endpoints
from .errors import AccessDenied, Conflict, ValidationError
from .events import state_changed
from .hubs import Hubs
from .index import Packages
from .lag import Lag
from .lineage import Lineage
from .monitors import Monitors
from .pipelines import Pipelines
from .training import Jobs

_ARN = re.compile(r"arn:aws[a-z-]*:sagemaker:([a-z0-9-]+):(\d{12}):(model-package|model-package-group)/(.+)")
# What CreateModelPackage takes and DescribeModelPackage gives back as it is.
KEPT = (
    "ModelPackageDescription",
    "ModelPackageRegistrationType",
    "InferenceSpecification",
    "ValidationSpecification",
    "SourceAlgorithmSpecification",
    "ModelApprovalStatus",
    "MetadataProperties",
    "ModelMetrics",
    "Domain",
    "Task",
    "SamplePayloadUrl",
    "CustomerMetadataProperties",
    "DriftCheckBaselines",
    "AdditionalInferenceSpecifications",
    "SkipModelValidation",
    "SourceUri",
    "SecurityConfig",
    "ModelCard",
    "ModelLifeCycle",
    "ManagedStorageType",
)
_REPLACED = (
    "ModelApprovalStatus",
    "ApprovalDescription",
    "ModelPackageRegistrationType",
    "InferenceSpecification",
    "SourceUri",
    "ModelLifeCycle",
)


def registry(account: str, region: str) -> SandboxSageMakerBackend:
    """SageMaker of an account and region."""
    backend = sagemaker_backends[account][region]
    assert isinstance(backend, SandboxSageMakerBackend)
    return backend


class SandboxSageMakerBackend(Jobs, Hubs, Monitors, Cards, Lineage, Pipelines, Endpoints, SageMakerModelBackend):
    """SageMaker of one account and region; all but the registry and pipelines is stock moto."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.groups: dict[str, Record] = {}
        self.packages = Packages()
        self.lag = Lag()
        self.unsaved: set[str] = set()  # groups that were seeded for a measurement, and end with the process
        self.tokens: dict[str, Record] = {}
        self.pipeline_records: dict[str, Record] = {}
        self.made_records: dict[str, Record] = {}
        self.execution_records: dict[str, Record] = {}
        self.inference_components: dict[str, Record] = {}
        self.monitor_records: dict[str, Record] = {}
        self.monitor_execution_records: dict[str, Record] = {}
        self.lineage_records: dict[str, Record] = {}
        self.association_records: dict[str, Record] = {}
        self.card_records: dict[str, Record] = {}
        self.card_exports: dict[str, Record] = {}

    def touch(self, kind: str, name: str) -> None:
        """Have a row written with the request under way, unless its group was seeded to be forgotten."""
        if kind == "package" and name.rsplit("/", 2)[-2] in self.unsaved:
            return
        if not (kind == "group" and name in self.unsaved):
            super().touch(kind, name)

    # ---- finding ------------------------------------------------------------------------------------------------

    def group(self, name_or_arn: str, caller: Caller, action: str) -> tuple[SandboxSageMakerBackend, Record]:
        """A group and the backend that owns it, if the caller may do ``action`` on it."""
        owner, name = self, name_or_arn
        if name_or_arn.startswith("arn:"):
            match = _ARN.fullmatch(name_or_arn)
            if not match or match[3] != "model-package-group" or match[1] != self.region_name:
                raise ValidationError(f"{name_or_arn} is not a model package group ARN of {self.region_name}.")
            owner, name = registry(match[2], match[1]), match[4]
        group = owner.groups.get(name)
        if owner is not self and (group is None or not allowed(caller, group, action, name_or_arn)):
            raise AccessDenied(caller, action, name_or_arn)
        if group is None:
            raise ValidationError(f"ModelPackageGroup {owner.arn_of('model-package-group', name)} does not exist.")
        return owner, group

    def package(self, name_or_arn: str, caller: Caller, action: str) -> tuple[SandboxSageMakerBackend, Record]:
        """A package and the backend that owns it, if the caller may do ``action`` on it."""
        arn = name_or_arn if name_or_arn.startswith("arn:") else self.arn_of("model-package", name_or_arn)
        match = _ARN.fullmatch(arn)
        if not match or match[3] != "model-package" or match[1] != self.region_name:
            raise ValidationError(f"{name_or_arn} is not a model package of {self.region_name}.")
        owner = registry(match[2], match[1])
        package = owner.packages.get(arn)
        if owner is not self:
            group = owner.groups.get(match[4].split("/")[0])
            if group is None or not allowed(caller, group, action, arn):
                raise AccessDenied(caller, action, arn)
        if package is None:
            raise ValidationError(f"ModelPackage {arn} does not exist.")
        return owner, package

    def shared_groups(self) -> list[Record]:
        """The groups other accounts have made discoverable to this one."""
        found = []
        for arn in shared_with(self.account_id, self.region_name):
            account, name = arn.split(":")[4], arn.rsplit("/", 1)[1]
            group = registry(account, self.region_name).groups.get(name)
            if group is not None:  # the owner may have deleted it since
                found.append(group)
        return found

    def shared_packages(self) -> list[Record]:
        """The versions in those groups."""
        found: list[Record] = []
        for group in self.shared_groups():
            owner = registry(group["ModelPackageGroupArn"].split(":")[4], self.region_name)
            order = owner.packages.of_group(group["ModelPackageGroupName"])
            found += order.rows(0, len(order))
        return found

    # ---- groups -------------------------------------------------------------------------------------------------

    def create_group(self, p: Record, caller: Caller) -> str:
        """Source: SageMaker CreateModelPackageGroup. A name that is taken is an error, as in AWS."""
        name = p["ModelPackageGroupName"]
        arn = self.arn_of("model-package-group", name)
        if name in self.groups:
            raise ValidationError(f"Model Package Group already exists: {arn}")
        group = {
            "ModelPackageGroupName": name,
            "ModelPackageGroupArn": arn,
            "ModelPackageGroupDescription": p.get("ModelPackageGroupDescription"),
            "CreationTime": now(),
            "CreatedBy": caller.user_context,
            "ModelPackageGroupStatus": "Completed",
            "ManagedConfiguration": p.get("ManagedConfiguration"),
            "Tags": p.get("Tags") or [],
            "policy": None,
            "last_version": 0,
        }
        self.lag.note("group", name, None)
        self.groups[name] = group
        self.touch("group", name)
        return arn

    def delete_group(self, group: Record) -> None:
        """Source: SageMaker DeleteModelPackageGroup. Raises ConflictException while it has packages."""
        name = group["ModelPackageGroupName"]
        if len(self.packages.of_group(name)):
            raise Conflict(f"Model package group {group['ModelPackageGroupArn']} still has model packages.")
        self.lag.note("group", name, group)
        del self.groups[name]
        self.touch("group", name)
        self.unsaved.discard(name)
        ram = backend_of(self.account_id, self.region_name)
        mirror(ram, group["ModelPackageGroupArn"], None)
        for share in ram.shares.values():
            if any(r.entity == group["ModelPackageGroupArn"] for r in share.remaining_resources()):
                ram.disassociate(share, [group["ModelPackageGroupArn"]], [])

    def set_policy(self, group: Record, policy: str | None) -> None:
        """Put or (with None) take away a group's resource policy. Raises ValidationException for bad JSON."""
        if policy is not None:
            try:
                statement = json.loads(policy)["Statement"]
            except (ValueError, KeyError, TypeError):
                statement = None
            if not isinstance(statement, (list, dict)):
                raise ValidationError("ResourcePolicy is not a policy document in JSON.")
        group["policy"] = policy
        mirror(backend_of(self.account_id, self.region_name), group["ModelPackageGroupArn"], policy)
        self.touch("group", group["ModelPackageGroupName"])

    def set_tags(self, arn: str, change: dict[str, str | None]) -> list[dict[str, str]]:
        """Set tags, or remove those whose value is None, on a group, pipeline, card or unversioned package."""
        place, _, name = arn.partition(f":{self.account_id}:")[2].partition("/")
        kind = {"model-package-group": "group", "pipeline": "pipeline", "model-card": "card"}.get(place, "package")
        ours = {"group": self.groups, "pipeline": self.pipeline_records, "card": self.card_records}
        known = ours.get(kind, self.packages)
        name = arn if kind == "package" else name
        record = known.get(name)
        if record is None:
            raise ValidationError(f"Resource {arn} does not exist.")
        if change and record.get("ModelPackageVersion"):
            raise ValidationError(f"Versioned model package {arn} cannot be tagged; use CustomerMetadataProperties.")
        if change:
            self.lag.note(kind, name, record)
        tags = {t["Key"]: t["Value"] for t in record.get("Tags") or []}
        tags.update({k: v for k, v in change.items() if v is not None})
        record["Tags"] = [{"Key": k, "Value": v} for k, v in tags.items() if change.get(k, v) is not None]
        if change:
            self.touch(kind, name)
        return list(record["Tags"])

    # ---- packages -----------------------------------------------------------------------------------------------

    def repeated(self, operation: str, p: Record, caller: Caller) -> str | None:
        """The ARN answered when this ClientToken came before with the same parameters; ConflictException if others."""
        known = self.tokens.get(f"{operation}/{caller.account}/{p.get('ClientToken')}")
        if known is None or now() - known["at"] > TOKEN_LIFETIME:
            return None
        if known["asked"] != asked(p, "ClientToken"):
            raise Conflict(f"ClientToken {p['ClientToken']} was used with other parameters.")
        return str(known["arn"])

    def remember(self, operation: str, p: Record, caller: Caller, arn: str) -> None:
        """Keep the answer to a ClientToken for a day."""
        if not p.get("ClientToken"):
            return
        for name, known in list(self.tokens.items()):  # oldest first
            if now() - known["at"] <= TOKEN_LIFETIME:
                break
            del self.tokens[name]
            self.touch("token", name)
        name = f"{operation}/{caller.account}/{p['ClientToken']}"
        self.tokens[name] = {"asked": asked(p, "ClientToken"), "arn": arn, "at": now()}
        self.touch("token", name)

    def register(self, p: Record, caller: Caller, group: Record | None) -> str:
        """Make a package in this account: the next version of ``group``, or an unversioned one."""
        created = now()
        record: Record = {name: p[name] for name in KEPT if p.get(name) is not None}
        if group is not None:
            if p.get("Tags"):
                raise ValidationError("Versioned model packages cannot be tagged; use CustomerMetadataProperties.")
            version = group["last_version"] + 1
            record["ModelPackageGroupName"] = group["ModelPackageGroupName"]
            record["ModelPackageVersion"] = version
            record.setdefault("ModelApprovalStatus", "PendingManualApproval")
            arn = self.arn_of("model-package", f"{group['ModelPackageGroupName']}/{version}")
        else:
            record["ModelPackageName"] = p["ModelPackageName"]
            record["Tags"] = p.get("Tags") or []
            arn = self.arn_of("model-package", p["ModelPackageName"])
            if arn in self.packages:
                raise Conflict(f"Model package already exists: {arn}")
        done = {"Name": arn, "Status": "Completed"}
        record.update(
            ModelPackageArn=arn,
            CreationTime=created,
            LastModifiedTime=created,
            CreatedBy=caller.user_context,
            ModelPackageStatus="Completed",
            ModelPackageStatusDetails={"ValidationStatuses": [done], "ImageScanStatuses": [done]},
            CertifyForMarketplace=bool(p.get("CertifyForMarketplace")),
        )
        if group is not None:
            group["last_version"] = version
            self.touch("group", group["ModelPackageGroupName"])
        self.lag.note("package", arn, None)
        self.packages[arn] = record
        self.touch("package", arn)
        state_changed(record, [])
        return arn

    def update(self, package: Record, p: Record, caller: Caller) -> None:
        """Change what was sent and nothing else. Metadata merges; ...ToRemove also works alone."""
        change: Record = {name: p[name] for name in _REPLACED if p.get(name) is not None}
        fields = list(change)
        if p.get("CustomerMetadataProperties") or p.get("CustomerMetadataPropertiesToRemove"):
            metadata = {**package.get("CustomerMetadataProperties", {}), **(p.get("CustomerMetadataProperties") or {})}
            for key in p.get("CustomerMetadataPropertiesToRemove") or []:
                metadata.pop(key, None)
            if len(metadata) > 50:
                raise ValidationError(f"CustomerMetadataProperties may have 50 keys, this would make {len(metadata)}.")
            change["CustomerMetadataProperties"] = metadata
            fields.append("CustomerMetadataProperties")
        if p.get("ModelCard"):
            change["ModelCard"] = {**package.get("ModelCard", {}), **p["ModelCard"]}
            fields.append("ModelCard")
        if p.get("AdditionalInferenceSpecificationsToAdd"):
            added = p["AdditionalInferenceSpecificationsToAdd"]
            known = package.get("AdditionalInferenceSpecifications", [])
            taken = {s["Name"] for s in known} & {s["Name"] for s in added}
            if taken or len(known) + len(added) > 15:
                raise ValidationError(f"AdditionalInferenceSpecifications: names taken {sorted(taken)}, or over 15.")
            change["AdditionalInferenceSpecifications"] = known + added
            fields.append("AdditionalInferenceSpecifications")
        # Two changes within a millisecond must still be told apart by their time.
        change["LastModifiedTime"] = max(now(), package["LastModifiedTime"] + timedelta(milliseconds=1))
        self.lag.note("package", package["ModelPackageArn"], package)
        self.packages.change(package, lambda: package.update(change))
        if not package.get("CustomerMetadataProperties"):
            package.pop("CustomerMetadataProperties", None)
        package["LastModifiedBy"] = caller.user_context
        self.touch("package", package["ModelPackageArn"])
        state_changed(package, fields)

    def delete_package(self, package: Record) -> None:
        """Delete a package; its version number is not given out again."""
        arn = package["ModelPackageArn"]
        self.lag.note("package", arn, package)
        del self.packages[arn]
        self.touch("package", arn)
        state_changed(package, [], status="Deleting")
