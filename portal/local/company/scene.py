"""What the steps of the story act on: people, projects, groups and versions by the names the story has for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from governance.models import ApprovalRequest, StageRecord
from governance.services import delivery
from portal.core.actors import Actor
from portal.core.vocabulary import Stage
from registry.models import AwsAccount, ModelGroup, ModelVersion, Project, UseCase, User

from ..demo_clock import Clock
from .company_in_aws import InAws
from .models import GroupPlan, group_of
from .people import ProjectPlan, project_of
from .use_cases import USE_CASES, UseCasePlan

ACTOR = Actor.system("demo")


@dataclass
class Scene:
    """The portal and the sandbox as the story finds them; it goes from `begin` to `now`."""

    clock: Clock
    now: datetime
    begin: datetime
    aws: InAws = field(default_factory=InAws)
    _users: dict[str, User] = field(default_factory=dict)
    _projects: dict[str, Project] = field(default_factory=dict)
    _groups: dict[str, ModelGroup] = field(default_factory=dict)
    _versions: dict[tuple[str, int], int] = field(default_factory=dict)
    _registered: dict[str, set[int]] = field(default_factory=dict)
    _use_cases: dict[str, UseCase] = field(default_factory=dict)

    def user(self, name: str) -> User:
        """Return a person by sign-in name, with the roles he had when first asked for."""
        if name not in self._users:
            self._users[name] = User.objects.get(username=name)
        return self._users[name]

    def actor(self, name: str) -> Actor:
        """Return somebody who acts."""
        return self.user(name).actor

    def project(self, key: str) -> Project:
        """Return a project by its key."""
        if key not in self._projects:
            self._projects[key] = Project.objects.select_related("line_of_business").get(key=key)
        return self._projects[key]

    def group(self, name: str) -> ModelGroup:
        """Return a group as it was when first asked for."""
        if name not in self._groups:
            self._groups[name] = ModelGroup.objects.select_related("account").get(name=name)
        return self._groups[name]

    def forget_group(self, name: str) -> None:
        """Read a group anew the next time: it was changed."""
        self._groups.pop(name, None)

    def registered(self, group: str, client: Any) -> set[int]:
        """Return the versions a group had in SageMaker when its first one of this load came: a broken load's."""
        if group not in self._registered:
            listed = client.list_model_packages(ModelPackageGroupName=group, MaxResults=100)
            self._registered[group] = {row["ModelPackageVersion"] for row in listed["ModelPackageSummaryList"]}
        return self._registered[group]

    def version(self, group: str, number: int) -> ModelVersion:
        """Return a version as it is now."""
        return ModelVersion.objects.get(group__name=group, number=number)

    def version_id(self, group: str, number: int) -> int:
        """Return the key of a version."""
        key = (group, number)
        if key not in self._versions:
            self._versions[key] = ModelVersion.objects.values_list("pk", flat=True).get(
                group__name=group, number=number
            )
        return self._versions[key]

    def use_case(self, name: str) -> UseCase:
        """Return a use case as it was when first asked for; its number and project never change."""
        if name not in self._use_cases:
            self._use_cases[name] = UseCase.objects.get(name=name)
        return self._use_cases[name]

    def record(self, group: str, number: int, stage: Stage) -> StageRecord | None:
        """Return the first record of a version at a stage; None before it came there."""
        records = StageRecord.objects.filter(version=self.version_id(group, number), stage=stage)
        return records.order_by("pk").first()

    def open_request(self, subject: ModelVersion | UseCase) -> ApprovalRequest | None:
        """Return what is asked about a subject."""
        return ApprovalRequest.objects.open().about(subject).first()

    @cached_property
    def hub(self) -> AwsAccount:
        return AwsAccount.objects.get(alias="hub")

    def deliver(self) -> None:
        """Carry out what was ordered, as the worker does moments later."""
        self.clock.tell_sandbox()
        delivery.deliver_due(limit=500)

    @staticmethod
    def plan_of_group(name: str) -> GroupPlan:
        """Return what the story says of a group."""
        return group_of(name)

    @staticmethod
    def plan_of_project(key: str) -> ProjectPlan:
        """Return what the story says of a project."""
        return project_of(key)

    @staticmethod
    def plan_of_use_case(name: str) -> UseCasePlan:
        """Return what the story says of a use case."""
        return next(plan for plan in USE_CASES if plan.name == name)
