"""What SageMaker says of an account's endpoints, scripted, and a reading of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.utils import timezone

from governance.choices import FindingKind, FindingState
from governance.models import Finding
from governance.selectors import served
from governance.services import readings
from registry.aws.endpoints import EndpointRecord, EndpointSummary, ModelFacts, ServedModel
from registry.aws.errors import AwsError
from registry.choices import SyncKind
from registry.models import ModelVersion, SyncRun
from tests.factories import group
from tests.factories import version as new_version
from tests.factories.people import SYSTEM

from .conftest import Place

PRODUCTION, TEST, DEVELOPMENT = "444444444444", "333333333333", "222222222222"
NOW = timezone.now()


class Aws:
    """What SageMaker says of one account: endpoints by name; errors in place of what cannot be read."""

    def __init__(self) -> None:
        self.records: dict[str, EndpointRecord | AwsError] = {}
        self.described: list[str] = []
        self.stops: AwsError | None = None

    def serve(self, name: str, *models: ServedModel, account: str = PRODUCTION, status: str = "InService") -> None:
        self.records[name] = EndpointRecord(
            name=name,
            arn=f"arn:aws:sagemaker:us-east-1:{account}:endpoint/{name}",
            status=status,
            failure_reason="",
            config_name=f"{name}-1",
            created_at=NOW,
            modified_at=NOW + timedelta(seconds=len(self.described)),
            captures_data=None,
            served=models,
        )

    def list_endpoints(self, session: Any) -> Iterator[EndpointSummary]:
        if self.stops:
            raise self.stops
        for name, record in self.records.items():
            known = record if isinstance(record, EndpointRecord) else None
            yield EndpointSummary(
                name, known.arn if known else name, "InService" if not known else known.status,
                NOW, known.modified_at if known else NOW,
            )  # fmt: skip

    def Serving(self, session: Any) -> Aws:  # noqa: N802 - it stands for the class
        return self

    def endpoint(self, name: str) -> EndpointRecord:
        self.described.append(name)
        found = self.records[name]
        if isinstance(found, AwsError):
            raise found
        return found


def model(version: ModelVersion | None = None, variant: str = "main", **more: Any) -> ServedModel:
    facts = {"arn": "arn:model", "package_arn": version.arn if version else "", **more.pop("facts", {})}
    values = {
        "variant": variant,
        "is_shadow": False,
        "weight": 1.0,
        "instance_count": 1,
        "instance_type": "ml.m5.large",
        "model_name": "model",
        "inference_component": "",
        **more,
    }
    return ServedModel(**values, model=ModelFacts(**facts))


def refused(kind: type[AwsError], words: str = "no") -> AwsError:
    return kind(service="sagemaker", operation="DescribeEndpoint", account_id=PRODUCTION, code="X", message=words)


def look(account: str = PRODUCTION) -> SyncRun:
    [run] = readings.read_account(account_id=account, kind=SyncKind.ENDPOINTS, requested_by="test")
    run.refresh_from_db()
    return run


def version_of(place: Place) -> ModelVersion:
    return new_version(group(place.project, place.people))


def verdicts() -> list[str]:
    return [row.verdict for row in served.served(SYSTEM).order_by("pk")]


def open_ones(kind: FindingKind) -> list[Finding]:
    return list(Finding.objects.filter(kind=kind).exclude(state=FindingState.RESOLVED).order_by("pk"))
