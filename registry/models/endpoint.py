"""What serves requests in the accounts, as AWS told it when it was read last."""

from __future__ import annotations

from django.db import models

from ..endpoint_querysets import EndpointQuerySet, EndpointVariantQuerySet
from .account import AwsAccount
from .version import ModelVersion


class Endpoint(models.Model):
    """One SageMaker endpoint of an account and region.

    `read_at` is when AWS last said this of it, `missing_since` when a complete listing first lacked it. An endpoint
    that was deleted and made again under its name is the same row. `pending_config` is the configuration an update
    under way is changing it to; `is_asynchronous` is one that answers through S3.
    """

    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, related_name="endpoints")
    region = models.CharField(max_length=30)
    name = models.CharField(max_length=63)
    arn = models.CharField("ARN", max_length=2048, unique=True)
    status = models.CharField(max_length=30)
    failure_reason = models.TextField(blank=True)
    config_name = models.CharField(max_length=63, blank=True)
    pending_config = models.CharField(max_length=63, blank=True)
    is_asynchronous = models.BooleanField(default=False)
    captures_data = models.BooleanField(null=True)
    aws_created_at = models.DateTimeField(null=True)
    aws_modified_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField()
    missing_since = models.DateTimeField(null=True)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "region", "name"], name="endpoint_name_once")]

    def __str__(self) -> str:
        return self.name


class EndpointVariant(models.Model):
    """One model behind a variant of an endpoint: the variant's own, one a component brings, or one container of it.

    `version` is the registered version whose package the model was made from, None when there is none. `weight` is the
    variant's share of the traffic among its fellows; `instance_count` counts copies where a component brings the model.
    `model_found` is False when AWS has the model no more, and `problem` says why it could not be read: then nobody can
    say from here what runs. `network_isolation` and `in_vpc` are null when AWS did not say. `is_pending` is a variant
    that an update under way brings up beside those that serve. `component_status` is AWS's word about a component.
    `many_under` is the S3 prefix of a container that loads any model it finds there, "" for one that serves one model.
    """

    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="variants")
    name = models.CharField(max_length=63)
    is_shadow = models.BooleanField(default=False)
    is_pending = models.BooleanField(default=False)
    inference_component = models.CharField(max_length=63, blank=True)
    component_status = models.CharField(max_length=30, blank=True)
    container = models.CharField(max_length=63, blank=True)
    weight = models.FloatField(null=True)
    instance_count = models.IntegerField(null=True)
    instance_type = models.CharField(max_length=63, blank=True)
    is_serverless = models.BooleanField(default=False)
    model_name = models.CharField(max_length=63, blank=True)
    model_arn = models.CharField("model ARN", max_length=2048, blank=True)
    model_found = models.BooleanField(default=True)
    problem = models.TextField(blank=True)
    package_arn = models.CharField("model package ARN", max_length=2048, blank=True)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="served_by")
    network_isolation = models.BooleanField(null=True)
    in_vpc = models.BooleanField(null=True)
    image = models.CharField(max_length=512, blank=True)
    many_under = models.CharField(max_length=2048, blank=True)
    missing_since = models.DateTimeField(null=True)

    objects = EndpointVariantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "name", "is_shadow", "is_pending", "inference_component", "container"],
                name="endpoint_variant_once",
            )
        ]

    @property
    def serves_nothing(self) -> bool:
        """Whether no model was placed on it yet."""
        return not (self.model_name or self.inference_component) and self.model_found

    def __str__(self) -> str:
        return f"{self.name} of {self.endpoint_id}"
