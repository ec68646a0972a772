"""Answer SageMaker's registry operations and Search; the other operations are stock moto's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from moto.core.responses import ActionResult, EmptyResult

from . import search
from .base_responses import Written
from .card_responses import CardResponses
from .common import Record, pick
from .endpoint_responses import EndpointResponses
from .errors import AccessDenied, ValidationError
from .hub_responses import HubResponses
from .index import Ordered, moment_of
from .lineage_responses import LineageResponses
from .models import SandboxSageMakerBackend
from .monitor_responses import MonitorResponses
from .pipeline_responses import PipelineResponses
from .search_responses import SearchResponses, public
from .training_responses import JobResponses

_GROUP_SUMMARY = (
    "ModelPackageGroupName",
    "ModelPackageGroupArn",
    "ModelPackageGroupDescription",
    "CreationTime",
    "ModelPackageGroupStatus",
)
_SUMMARY = (
    "ModelPackageName",
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "ModelPackageStatus",
    "ModelApprovalStatus",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
)
_BATCH_SUMMARY = (*(n for n in _SUMMARY if n != "ModelLifeCycle"), "InferenceSpecification")
_TAGGED = (":model-package-group/", ":model-package/", ":pipeline/", ":model-card/")


class SandboxSageMakerResponse(
    JobResponses,
    HubResponses,
    MonitorResponses,
    CardResponses,
    LineageResponses,
    EndpointResponses,
    PipelineResponses,
    SearchResponses,
):
    """SageMaker over HTTP: one method for each operation, named in snake case."""

    def _listed(self, rows: list[Record], p: Record) -> tuple[list[Record], str | None]:
        """Filter groups by name and creation time, sort by Name or CreationTime, cut a page."""
        name, arn = "ModelPackageGroupName", "ModelPackageGroupArn"
        if p.get("NameContains"):
            rows = [r for r in rows if p["NameContains"].lower() in r[name].lower()]
        rows = self._between(rows, p, "CreationTimeAfter", "CreationTimeBefore")

        def key(r: Record) -> list[Any]:
            return [r[name] if p.get("SortBy") == "Name" else r["CreationTime"].timestamp(), r[arn]]

        return self._page(rows, key, p.get("SortOrder") == "Descending")

    # ---- groups -------------------------------------------------------------------------------------------------

    def create_model_package_group(self) -> ActionResult:
        return ActionResult({"ModelPackageGroupArn": self.registry.create_group(self._checked(), self.caller)})

    def describe_model_package_group(self) -> ActionResult:
        name = self._checked()["ModelPackageGroupName"]
        _, group = self.registry.group(name, self.caller, "sagemaker:DescribeModelPackageGroup")
        return Written(public(group))

    def list_model_package_groups(self) -> ActionResult:
        p = self._checked()
        crossing = p.get("CrossAccountFilterOption") == "CrossAccount"
        rows = self.registry.shared_groups() if crossing else list(self.registry.groups.values())
        page, token = self._listed(rows, p)
        return Written({"ModelPackageGroupSummaryList": [pick(g, _GROUP_SUMMARY) for g in page], "NextToken": token})

    def delete_model_package_group(self) -> ActionResult:
        name = self._checked()["ModelPackageGroupName"]
        owner, group = self.registry.group(name, self.caller, "sagemaker:DeleteModelPackageGroup")
        self._owner_only(owner, "sagemaker:DeleteModelPackageGroup", group["ModelPackageGroupArn"])
        owner.delete_group(group)
        return EmptyResult()

    def put_model_package_group_policy(self) -> ActionResult:
        p = self._checked()
        _, group = self.registry.group(p["ModelPackageGroupName"], self.caller, "sagemaker:PutModelPackageGroupPolicy")
        self.registry.set_policy(group, p["ResourcePolicy"])
        return ActionResult({"ModelPackageGroupArn": group["ModelPackageGroupArn"]})

    def get_model_package_group_policy(self) -> ActionResult:
        name = self._checked()["ModelPackageGroupName"]
        _, group = self.registry.group(name, self.caller, "sagemaker:GetModelPackageGroupPolicy")
        if group["policy"] is None:
            raise ValidationError(f"Model package group {group['ModelPackageGroupArn']} has no resource policy.")
        return ActionResult({"ResourcePolicy": group["policy"]})

    def delete_model_package_group_policy(self) -> ActionResult:
        name = self._checked()["ModelPackageGroupName"]
        _, group = self.registry.group(name, self.caller, "sagemaker:DeleteModelPackageGroupPolicy")
        self.registry.set_policy(group, None)
        return EmptyResult()

    def _owner_only(self, owner: SandboxSageMakerBackend, action: str, arn: str) -> None:
        if owner.account_id != self.current_account:
            raise AccessDenied(self.caller, action, arn)

    # ---- packages -----------------------------------------------------------------------------------------------

    def create_model_package(self) -> ActionResult:
        p, caller = self._checked(), self.caller
        group_name = p.get("ModelPackageGroupName")
        if bool(group_name) == bool(p.get("ModelPackageName")):
            raise ValidationError("Give either ModelPackageGroupName (a version) or ModelPackageName (unversioned).")
        owner, group = self.registry, None
        if group_name:
            owner, group = self.registry.group(group_name, caller, "sagemaker:CreateModelPackage")
        arn = owner.repeated("CreateModelPackage", p, caller)
        if arn is None:
            arn = owner.register(p, caller, group)
            owner.remember("CreateModelPackage", p, caller, arn)
        return ActionResult({"ModelPackageArn": arn})

    def describe_model_package(self) -> ActionResult:
        p = self._checked()
        _, package = self.registry.package(p["ModelPackageName"], self.caller, "sagemaker:DescribeModelPackage")
        return Written(public(package))

    def batch_describe_model_package(self) -> ActionResult:
        """As reading one by one: what DescribeModelPackage would refuse is in the error map."""
        found: Record = {}
        refused: Record = {}
        for arn in self._checked()["ModelPackageArnList"]:
            try:
                _, package = self.registry.package(arn, self.caller, "sagemaker:DescribeModelPackage")
                found[arn] = pick(package, _BATCH_SUMMARY)
            except (ValidationError, AccessDenied) as error:
                refused[arn] = {"ErrorCode": error.code, "ErrorResponse": error.message}
        return Written({"ModelPackageSummaries": found, "BatchDescribeModelPackageErrorMap": refused})

    def list_model_packages(self) -> ActionResult:
        p = self._checked()
        kind = p.get("ModelPackageType") or "Unversioned"
        if p.get("ModelPackageGroupName"):
            owner, group = self.registry.group(p["ModelPackageGroupName"], self.caller, "sagemaker:ListModelPackages")
            order, kind = owner.packages.of_group(group["ModelPackageGroupName"]), "Both"
        else:
            order = self.registry.packages.created

        def asked(r: Record) -> bool:
            name = str(r.get("ModelPackageGroupName") or r.get("ModelPackageName"))
            return (
                (kind == "Both" or (kind == "Versioned") == ("ModelPackageVersion" in r))
                and p.get("ModelApprovalStatus") in (None, r.get("ModelApprovalStatus"))
                and (not p.get("NameContains") or p["NameContains"].lower() in name.lower())
            )

        page, token = self._packages(order, asked, p)
        return Written({"ModelPackageSummaryList": [pick(r, _SUMMARY) for r in page], "NextToken": token})

    def _packages(self, order: Ordered, asked: Callable[[Record], bool], p: Record) -> tuple[list[Record], str | None]:
        """A page of packages by creation, which the index has them in, or by name."""
        after, before = (search.aware(p.get(f"CreationTime{which}")) for which in ("After", "Before"))
        low, high = order.within(after, before)
        descending = p.get("SortOrder") == "Descending"
        if p.get("SortBy") == "Name":
            rows = list(filter(asked, order.rows(low, high)))
            return self._page(
                rows,
                lambda r: [
                    r.get("ModelPackageGroupName") or r["ModelPackageName"],
                    r.get("ModelPackageVersion") or 0,
                    r["ModelPackageArn"],
                ],
                descending,
            )

        def behind(last: list[Any] | None) -> Iterator[Record]:
            return filter(asked, order.walk(low, high, descending, last))

        return self._walked(behind, lambda r: list(moment_of(r, "CreationTime")))

    def update_model_package(self) -> ActionResult:
        p, caller = self._checked(), self.caller
        owner, package = self.registry.package(p["ModelPackageArn"], caller, "sagemaker:UpdateModelPackage")
        self._owner_only(owner, "sagemaker:UpdateModelPackage", p["ModelPackageArn"])
        if owner.repeated("UpdateModelPackage", p, caller) is None:
            owner.update(package, p, caller)
            owner.remember("UpdateModelPackage", p, caller, package["ModelPackageArn"])
        return ActionResult({"ModelPackageArn": package["ModelPackageArn"]})

    def delete_model_package(self) -> ActionResult:
        name = self._checked()["ModelPackageName"]
        owner, package = self.registry.package(name, self.caller, "sagemaker:DeleteModelPackage")
        self._owner_only(owner, "sagemaker:DeleteModelPackage", package["ModelPackageArn"])
        owner.delete_package(package)
        return EmptyResult()

    def create_model(self) -> ActionResult:
        """A model made from a version needs the right to deploy it, and the version's approval."""
        for container in [self.params.get("PrimaryContainer"), *(self.params.get("Containers") or [])]:
            name = (container or {}).get("ModelPackageName")
            if not name:
                continue
            _, package = self.registry.package(name, self.caller, "sagemaker:CreateModel")
            if "ModelPackageVersion" in package and package["ModelApprovalStatus"] != "Approved":
                raise ValidationError(
                    f"Model package {package['ModelPackageArn']} is {package['ModelApprovalStatus']}; "
                    "only an Approved version can be deployed."
                )
        made = super().create_model()
        self.registry.complete_model(self.params)
        return made

    # ---- tags -----------------------------------------------------------------------------------------------------

    def _registry_arn(self, arn: str) -> bool:
        return any(kind in arn for kind in _TAGGED)

    def add_tags(self) -> ActionResult:
        arn = self.params["ResourceArn"]
        if not self._registry_arn(arn):
            return super().add_tags()
        return ActionResult({"Tags": self.registry.set_tags(arn, {t["Key"]: t["Value"] for t in self.params["Tags"]})})

    def list_tags(self) -> ActionResult:
        arn = self.params["ResourceArn"]
        if not self._registry_arn(arn):
            return super().list_tags()
        page, token = self._page(self.registry.set_tags(arn, {}), lambda t: [t["Key"]], False)
        return ActionResult({"Tags": page, "NextToken": token})

    def delete_tags(self) -> ActionResult:
        arn = self.params["ResourceArn"]
        if not self._registry_arn(arn):
            return super().delete_tags()
        self.registry.set_tags(arn, dict.fromkeys(self.params["TagKeys"]))
        return EmptyResult()
