"""Read what serves requests in an account: endpoint, configuration, model, and the model package behind it.

Configurations and models are never changed in AWS: each is described once in a pass, however many variants name it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from registry.aws.errors import AwsError, AwsNotFound, translated
from registry.aws.session import AwsSession, pages
from registry.aws.values import plain_text, utc

PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class EndpointSummary:
    """What a list says of an endpoint: enough to see that it changed."""

    name: str
    arn: str
    status: str
    created_at: datetime | None
    modified_at: datetime | None


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a model says of one thing it serves: the package it was made from ("" without one), image, isolation.

    `container` names the container where several of the model's come from packages. `found` is False when AWS has the
    model no more, `problem` says why it could not be read; the rest then says nothing.
    """

    container: str = ""
    arn: str = ""
    package_arn: str = ""
    image: str = ""
    network_isolation: bool | None = None
    in_vpc: bool | None = None
    found: bool = True
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One model behind a variant; one without model name and component serves nothing yet.

    `weight` is the variant's current share of the traffic among its fellows, None where AWS gives none;
    `instance_count` counts instances, and copies where an inference component brings the model.
    """

    variant: str
    is_shadow: bool
    weight: float | None
    instance_count: int | None
    instance_type: str
    model_name: str
    inference_component: str
    model: ModelFacts


@dataclass(frozen=True, slots=True)
class EndpointRecord:
    """One endpoint and what it serves. `captures_data` is None when AWS does not say."""

    name: str
    arn: str
    status: str
    failure_reason: str
    config_name: str
    created_at: datetime | None
    modified_at: datetime | None
    captures_data: bool | None
    served: tuple[ServedModel, ...]


def list_endpoints(session: AwsSession, *, modified_after: datetime | None = None) -> Iterator[EndpointSummary]:
    """Yield the account's endpoints in a region, oldest first; only those changed after a moment, given one.

    Raises AwsError of the page that failed; what was yielded before it is then incomplete. Source: ListEndpoints.
    """
    request: dict[str, Any] = {"MaxResults": PAGE_SIZE, "SortBy": "CreationTime", "SortOrder": "Ascending"}
    if modified_after is not None:
        request["LastModifiedTimeAfter"] = modified_after
    for page in pages(session, "sagemaker", "ListEndpoints", session.sagemaker.list_endpoints, request):
        for row in page.get("Endpoints", ()):
            yield EndpointSummary(
                name=plain_text(row.get("EndpointName")),
                arn=plain_text(row.get("EndpointArn")),
                status=plain_text(row.get("EndpointStatus")),
                created_at=utc(row.get("CreationTime")),
                modified_at=utc(row.get("LastModifiedTime")),
            )


class Serving:
    """What serves in an account and region, as of one pass; safe to use from several threads.

    Two threads may describe the same model at once, which costs a call and changes nothing.
    """

    def __init__(self, session: AwsSession) -> None:
        self._session = session
        self._configs: dict[str, Mapping[str, Any]] = {}
        self._models: dict[str, tuple[ModelFacts, ...]] = {}

    def endpoint(self, name: str) -> EndpointRecord:
        """Read one endpoint and what it serves.

        Raises AwsNotFound when it is gone, AwsError when it or its configuration cannot be read; a model that cannot
        be says so itself. Source: DescribeEndpoint, DescribeEndpointConfig, DescribeModel, ListInferenceComponents,
        DescribeInferenceComponent.
        """
        with translated(self._session, "sagemaker", "DescribeEndpoint"):
            answer = self._session.sagemaker.describe_endpoint(EndpointName=name)
        found: Mapping[str, Any] = answer
        config_name = plain_text(found.get("EndpointConfigName"))
        config = self._config(config_name) if config_name else {}
        capture = found.get("DataCaptureConfig")
        return EndpointRecord(
            name=name,
            arn=plain_text(found.get("EndpointArn")),
            status=plain_text(found.get("EndpointStatus")),
            failure_reason=plain_text(found.get("FailureReason")),
            config_name=config_name,
            created_at=utc(found.get("CreationTime")),
            modified_at=utc(found.get("LastModifiedTime")),
            captures_data=bool(capture.get("EnableCapture")) if capture else None,
            served=tuple(self._served(name, found, config)),
        )

    def _served(self, name: str, found: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[ServedModel]:
        for member, is_shadow in (("ProductionVariants", False), ("ShadowProductionVariants", True)):
            asked = {plain_text(row.get("VariantName")): row for row in config.get(member) or ()}
            # One that is being created or that failed has no variants yet: what it was asked for says what it is.
            for variant in found.get(member) or asked.values():
                label = plain_text(variant.get("VariantName"))
                wanted = asked.get(label, {})
                weight = variant.get("CurrentWeight", wanted.get("InitialVariantWeight"))
                common: dict[str, Any] = {
                    "variant": label,
                    "is_shadow": is_shadow,
                    "weight": None if weight is None else float(weight),
                    "instance_type": plain_text(wanted.get("InstanceType")),
                }
                count = variant.get("CurrentInstanceCount", wanted.get("InitialInstanceCount"))
                model = plain_text(wanted.get("ModelName"))
                if model:
                    for facts in self._model(model):
                        image = facts.image or _deployed(variant)
                        yield ServedModel(
                            **common,
                            instance_count=count,
                            model_name=model,
                            inference_component="",
                            model=replace(facts, image=image),
                        )
                elif config:
                    yield from self._components(name, label, common, count)
                else:
                    yield ServedModel(
                        **common,
                        instance_count=count,
                        model_name="",
                        inference_component="",
                        model=ModelFacts(image=_deployed(variant), found=False),
                    )

    def _components(
        self, endpoint: str, variant: str, common: Mapping[str, Any], count: int | None
    ) -> Iterator[ServedModel]:
        is_empty = True
        request = {"EndpointNameEquals": endpoint, "VariantNameEquals": variant, "MaxResults": PAGE_SIZE}
        call = self._session.sagemaker.list_inference_components
        for page in pages(self._session, "sagemaker", "ListInferenceComponents", call, request):
            for row in page.get("InferenceComponents", ()):
                is_empty = False
                name = plain_text(row.get("InferenceComponentName"))
                with translated(self._session, "sagemaker", "DescribeInferenceComponent"):
                    answer = self._session.sagemaker.describe_inference_component(InferenceComponentName=name)
                component: Mapping[str, Any] = answer
                specification = component.get("Specification") or {}
                model = plain_text(specification.get("ModelName"))
                image = _specified((specification.get("Container") or {}).get("DeployedImage"))
                copies = (component.get("RuntimeConfig") or {}).get("CurrentCopyCount")
                for facts in self._model(model) if model else (ModelFacts(image=image),):
                    yield ServedModel(
                        **common,
                        instance_count=copies,
                        model_name=model,
                        inference_component=name,
                        model=replace(facts, image=facts.image or image),
                    )

        if is_empty:
            yield ServedModel(**common, instance_count=count, model_name="", inference_component="", model=ModelFacts())

    def _config(self, name: str) -> Mapping[str, Any]:
        if name not in self._configs:
            try:
                with translated(self._session, "sagemaker", "DescribeEndpointConfig"):
                    answer = self._session.sagemaker.describe_endpoint_config(EndpointConfigName=name)
                self._configs[name] = dict(answer)
            except AwsNotFound:
                # It may be deleted while its endpoint serves.
                self._configs[name] = {}
        return self._configs[name]

    def _model(self, name: str) -> tuple[ModelFacts, ...]:
        if name not in self._models:
            try:
                with translated(self._session, "sagemaker", "DescribeModel"):
                    answer = self._session.sagemaker.describe_model(ModelName=name)
                self._models[name] = tuple(_facts(answer))
            except AwsNotFound:
                self._models[name] = (ModelFacts(found=False),)
            except AwsError as refused:
                if refused.retryable:
                    raise
                self._models[name] = (ModelFacts(problem=str(refused)),)
        return self._models[name]


def _facts(answer: Mapping[str, Any]) -> Iterator[ModelFacts]:
    """One for each container that was made from a package, or one for the model when none was."""
    containers = [row for row in (answer.get("PrimaryContainer"), *(answer.get("Containers") or ())) if row]
    packaged = [(number, row) for number, row in enumerate(containers, 1) if row.get("ModelPackageName")]
    for number, row in packaged or list(enumerate(containers[:1], 1)) or [(1, {})]:
        isolated = answer.get("EnableNetworkIsolation")
        yield ModelFacts(
            container=(plain_text(row.get("ContainerHostname")) or str(number)) if len(packaged) > 1 else "",
            arn=plain_text(answer.get("ModelArn")),
            package_arn=plain_text(row.get("ModelPackageName")),
            image=plain_text(row.get("Image")),
            network_isolation=isolated if isinstance(isolated, bool) else None,
            in_vpc=bool((answer.get("VpcConfig") or {}).get("Subnets")),
        )


def _deployed(variant: Mapping[str, Any]) -> str:
    images = list(variant.get("DeployedImages") or ())
    return _specified(images[0]) if len(images) == 1 else ""


def _specified(image: Mapping[str, Any] | None) -> str:
    return plain_text((image or {}).get("SpecifiedImage") or (image or {}).get("ResolvedImage"))
