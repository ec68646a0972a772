"""An endpoint as a reading takes it in."""

from __future__ import annotations

from django.utils import timezone

from portal.core.operations import operation
from registry.aws.endpoints import EndpointRecord, ModelFacts, ServedModel
from registry.models import AwsAccount, EndpointVariant, ModelVersion
from registry.services import endpoints

from .people import SYSTEM


def serving(account: AwsAccount, version: ModelVersion | None, name: str = "served") -> EndpointVariant:
    """Take in an endpoint of one variant that serves a version, or a model nobody registered."""
    now = timezone.now()
    facts = ModelFacts(
        arn=f"arn:aws:sagemaker:us-east-1:{account.account_id}:model/{name}",
        package_arn=version.arn if version else "",
        network_isolation=False,
        in_vpc=False,
    )
    record = EndpointRecord(
        name=name,
        arn=f"arn:aws:sagemaker:us-east-1:{account.account_id}:endpoint/{name}",
        status="InService",
        failure_reason="",
        config_name=f"{name}-1",
        created_at=now,
        modified_at=now,
        captures_data=None,
        served=(ServedModel("main", False, 1.0, 1, "ml.m5.large", name, "", facts),),
    )
    with operation(SYSTEM, "read endpoints"):
        endpoints.take_in(actor=SYSTEM, account=account, region="us-east-1", record=record, now=now)
    return EndpointVariant.objects.get(endpoint__arn=record.arn, missing_since=None)
