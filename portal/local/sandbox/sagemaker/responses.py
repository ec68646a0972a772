"""Answer SageMaker's registry operations and Search; the other operations are stock moto's."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult

from . import search
from .common import Record, pick
from .errors import AccessDenied, ValidationError
from .models import SandboxSageMakerBackend
from .pipeline_responses import PipelineResponses

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
_TAGGED = (":model-package-group/", ":model-package/", ":pipeline/")


def _public(record: Record) -> Record:
    """A record as Describe shows it: without tags and what only the sandbox keeps."""
    return {k: v for k, v in record.items() if v is not None and k != "Tags" and k[0].isupper()}


class SandboxSageMakerResponse(PipelineResponses):
    """SageMaker over HTTP: one method for each operation, named in snake case."""

    def _listed(self, rows: list[Record], p: Record, name: str, arn: str) -> tuple[list[Record], str | None]:
        """Filter by name and creation time, sort by Name or CreationTime, cut a page."""
        if p.get("NameContains"):
            rows = [
                r for r in rows if p["NameContains"].lower() in str(r.get(name) or r.get("ModelPackageName")).lower()
            ]
        rows = self._between(rows, p, "CreationTimeAfter", "CreationTimeBefore")

        def by_name(r: Record) -> list[Any]:
            return [r.get(name) or r.get("ModelPackageName"), r.get("ModelPackageVersion") or 0, r[arn]]

        def by_time(r: Record) -> list[Any]:
            return [r["CreationTime"].timestamp(), r.get("ModelPackageVersion") or 0, r[arn]]

        return self._page(rows, by_name if p.get("SortBy") == "Name" else by_time, p.get("SortOrder") == "Descending")

    # ---- groups -------------------------------------------------------------------------------------------------

    def create_model_package_group(self) -> ActionResult:
        return ActionResult({"ModelPackageGroupArn": self.registry.create_group(self._checked(), self.caller)})

    def describe_model_package_group(self) -> ActionResult:
        name = self._checked()["ModelPackageGroupName"]
        _, group = self.registry.group(name, self.caller, "sagemaker:DescribeModelPackageGroup")
        return ActionResult(_public(group))

    def list_model_package_groups(self) -> ActionResult:
        p = self._checked()
        crossing = p.get("CrossAccountFilterOption") == "CrossAccount"
        rows = self.registry.shared_groups() if crossing else list(self.registry.groups.values())
        page, token = self._listed(rows, p, "ModelPackageGroupName", "ModelPackageGroupArn")
        return ActionResult(
            {"ModelPackageGroupSummaryList": [pick(g, _GROUP_SUMMARY) for g in page], "NextToken": token}
        )

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
        return ActionResult(_public(package))

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
        return ActionResult({"ModelPackageSummaries": found, "BatchDescribeModelPackageErrorMap": refused})

    def list_model_packages(self) -> ActionResult:
        p = self._checked()
        owner = self.registry
        kind = p.get("ModelPackageType") or "Unversioned"
        if p.get("ModelPackageGroupName"):
            asked = p["ModelPackageGroupName"]
            owner, group = self.registry.group(asked, self.caller, "sagemaker:ListModelPackages")
            name = group["ModelPackageGroupName"]
            rows = [r for r in owner.packages.values() if r.get("ModelPackageGroupName") == name]
        else:
            rows = [
                r
                for r in owner.packages.values()
                if kind == "Both" or (kind == "Versioned") == ("ModelPackageVersion" in r)
            ]
        if p.get("ModelApprovalStatus"):
            rows = [r for r in rows if r.get("ModelApprovalStatus") == p["ModelApprovalStatus"]]
        page, token = self._listed(rows, p, "ModelPackageGroupName", "ModelPackageArn")
        return ActionResult({"ModelPackageSummaryList": [pick(r, _SUMMARY) for r in page], "NextToken": token})

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
        return super().create_model()

    # ---- search and tags ----------------------------------------------------------------------------------------

    def search(self) -> ActionResult:
        p = self._checked()
        resource = p["Resource"]
        if resource not in ("ModelPackage", "ModelPackageGroup"):
            return super().search()
        crossing = p.get("CrossAccountFilterOption") == "CrossAccount"
        if resource == "ModelPackage":
            rows = self.registry.shared_packages() if crossing else list(self.registry.packages.values())
            arn, default = "ModelPackageArn", "LastModifiedTime"
        else:
            rows = self.registry.shared_groups() if crossing else list(self.registry.groups.values())
            arn, default = "ModelPackageGroupArn", "CreationTime"  # a group has no LastModifiedTime
        expression = p.get("SearchExpression")
        search.check_expression(resource, expression)
        if p.get("SortBy"):
            search.check_property(resource, p["SortBy"])
        rows = [r for r in rows if search.matches(r, expression)]
        key = search.sort_key(p.get("SortBy") or default, arn)
        page, token = self._page(rows, key, p.get("SortOrder") != "Ascending")
        return ActionResult(
            {
                "Results": [{resource: {**_public(r), "Tags": r.get("Tags") or []}} for r in page],
                "NextToken": token,
                "TotalHits": {"Value": len(rows), "Relation": "EqualTo"},
            }
        )

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
