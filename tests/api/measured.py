"""What CloudWatch counted of an endpoint, and a role that may do too much, as passes over an account leave them."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from portal.core.operations import operation
from registry.aws.cloudwatch import SAGEMAKER
from registry.models import AccountRole, AwsAccount, Endpoint, EndpointSeries
from tests.factories.people import SYSTEM


def measured(endpoint: Endpoint) -> EndpointSeries:
    """Return two days of hours of an endpoint's requests, every third of them a gap."""
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    with operation(SYSTEM):
        return EndpointSeries.objects.create(
            account=endpoint.account,
            region=endpoint.region,
            endpoint=endpoint.name,
            variant="AllTraffic",
            namespace=SAGEMAKER,
            metric="Invocations",
            statistic="Sum",
            begins_at=now - timedelta(hours=48),
            points=[None if hour % 3 == 0 else float(hour) for hour in range(48)],
            read_at=now,
        )


def powerful(account: AwsAccount) -> AccountRole:
    """Return a role of an account that may do everything."""
    everything = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    with operation(SYSTEM):
        return AccountRole.objects.create(
            account=account,
            arn=f"arn:aws:iam::{account.account_id}:role/Everything",
            name="Everything",
            trust={"Statement": {"Effect": "Allow", "Principal": {"AWS": account.account_id}}},
            policies=[{"name": "everything", "arn": "", "document": everything}],
            read_at=timezone.now(),
        )
