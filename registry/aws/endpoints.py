"""Read what serves requests in an account: endpoint, configuration, model, and the model package behind it.

Configurations and models are never changed in AWS: each is described once in a pass, however many variants name it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

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

    `container` names the container where several of the model's are told. `many_under` is the S3 prefix of a container
    that loads any model it finds there. `found` is False when AWS has the model no more, `problem` says why it could
    not be read; the rest then says nothing.
    """

    container: str = ""
    arn: str = ""
    package_arn: str = ""
    image: str = ""
    many_under: str = ""
    made_at: datetime | None = None
    network_isolation: bool | None = None
    in_vpc: bool | None = None
    found: bool = True
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One model behind a variant; one without model name and component serves nothing yet.

    `weight` is the variant's current share of the traffic among its fellows, None where AWS gives none;
    `instance_count` counts instances, and copies where an inference component brings the model. `is_pending` marks a
    variant that an update of the endpoint is bringing up beside those that serve; `component_status` is AWS's word
    about the component. One whose model was not `found` and has no name is of a configuration AWS has no more.
    """

    variant: str
    is_shadow: bool
    weight: float | None
    instance_count: int | None
    instance_type: str
    model_name: str
    inference_component: str
    model: ModelFacts
    is_pending: bool = False
    is_serverless: bool = False
    component_status: str = ""


@dataclass(frozen=True, slots=True)
class EndpointRecord:
    """One endpoint and what it serves. `captures_data` is None when AWS does not say.

    `is_asynchronous` answers through S3 instead of at once; `pending_config` is what an update is changing it to.
    """

    name: str
    arn: str
    status: str
    failure_reason: str
    config_name: str
    created_at: datetime | None
    modified_at: datetime | None
    captures_data: bool | None
    served: tuple[ServedModel, ...]
    pending_config: str = ""
    is_asynchronous: bool = False


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
        """Read one endpoint and what it serves, and what an update is bringing up beside it.

        Raises AwsNotFound when it is gone, AwsError when it or its configuration cannot be read; a model that cannot
        be says so itself. Source: DescribeEndpoint, DescribeEndpointConfig, DescribeModel, ListInferenceComponents,
        DescribeInferenceComponent.
        """
        found = self._describe(name)
        config = self._config(plain_text(found.get("EndpointConfigName")))
        if not config:
            # An update that ended meanwhile may have taken its old configuration away.
            found = self._describe(name)
            config = self._config(plain_text(found.get("EndpointConfigName")))
        config_name = plain_text(found.get("EndpointConfigName"))
        pending: Mapping[str, Any] = found.get("PendingDeploymentSummary") or {}
        pending_name = plain_text(pending.get("EndpointConfigName"))
        served = list(self._served(name, found, config))
        if pending_name and pending_name != config_name:
            # Components stay with what serves until the update is done.
            coming = self._served("", pending, self._config(pending_name))
            served += [replace(one, is_pending=True) for one in coming]
        capture, modified_at = found.get("DataCaptureConfig"), utc(found.get("LastModifiedTime"))
        return EndpointRecord(
            name=name,
            arn=plain_text(found.get("EndpointArn")),
            status=plain_text(found.get("EndpointStatus")),
            failure_reason=plain_text(found.get("FailureReason")),
            config_name=config_name,
            created_at=utc(found.get("CreationTime")),
            modified_at=modified_at,
            captures_data=bool(capture.get("EnableCapture")) if capture else None,
            served=tuple(_as_it_runs(one, modified_at) for one in served),
            pending_config=pending_name,
            is_asynchronous=bool(found.get("AsyncInferenceConfig")),
        )

    def _describe(self, name: str) -> Mapping[str, Any]:
        with translated(self._session, "sagemaker", "DescribeEndpoint"):
            answer = self._session.sagemaker.describe_endpoint(EndpointName=name)
        return cast("Mapping[str, Any]", answer)

    def _served(self, name: str, found: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[ServedModel]:
        for member, is_shadow in (("ProductionVariants", False), ("ShadowProductionVariants", True)):
            asked = {plain_text(row.get("VariantName")): row for row in config.get(member) or ()}
            # One that is being created or that failed has no variants yet: what it was asked for says what it is.
            for variant in found.get(member) or asked.values():
                label = plain_text(variant.get("VariantName"))
                wanted = asked.get(label, {})
                weight = variant.get("CurrentWeight", wanted.get("InitialVariantWeight"))
                count = variant.get("CurrentInstanceCount", wanted.get("InitialInstanceCount"))
                one = ServedModel(
                    variant=label,
                    is_shadow=is_shadow,
                    weight=None if weight is None else float(weight),
                    instance_count=count,
                    instance_type=plain_text(wanted.get("InstanceType")),
                    model_name=plain_text(wanted.get("ModelName")),
                    inference_component="",
                    model=ModelFacts(image=_deployed(variant), found=False),
                    is_serverless=bool(wanted.get("ServerlessConfig") or variant.get("CurrentServerlessConfig")),
                )
                if one.model_name:
                    for facts in self._model(one.model_name):
                        yield replace(one, model=replace(facts, image=facts.image or one.model.image))
                elif not config:
                    yield one
                elif name:
                    yield from self._components(name, one)

    def _components(self, endpoint: str, variant: ServedModel) -> Iterator[ServedModel]:
        is_empty = True
        request = {"EndpointNameEquals": endpoint, "VariantNameEquals": variant.variant, "MaxResults": PAGE_SIZE}
        call = self._session.sagemaker.list_inference_components
        for page in pages(self._session, "sagemaker", "ListInferenceComponents", call, request):
            for row in page.get("InferenceComponents", ()):
                found = self._component(plain_text(row.get("InferenceComponentName")))
                for one in self._brought(variant, found) if found else ():
                    is_empty = False
                    yield one
        if is_empty:
            yield replace(variant, model=ModelFacts())

    def _component(self, name: str) -> Mapping[str, Any]:
        try:
            with translated(self._session, "sagemaker", "DescribeInferenceComponent"):
                answer = self._session.sagemaker.describe_inference_component(InferenceComponentName=name)
        except AwsNotFound:
            # Taken away since it was listed; its endpoint is not.
            return {}
        return cast("Mapping[str, Any]", answer)

    def _brought(self, variant: ServedModel, component: Mapping[str, Any]) -> Iterator[ServedModel]:
        """What a component brings: one specification, or one for each type of instance it may run on."""
        rows = [component.get("Specification"), *(component.get("Specifications") or ())]
        by_model = {plain_text(row.get("ModelName")): row for row in rows if row} or {"": {}}
        for model, specification in by_model.items():
            kind = plain_text(specification.get("InstanceType")) if len(by_model) > 1 else ""
            image = _specified((specification.get("Container") or {}).get("DeployedImage"))
            for facts in self._model(model) if model else (ModelFacts(image=image),):
                yield replace(
                    variant,
                    instance_count=(component.get("RuntimeConfig") or {}).get("CurrentCopyCount"),
                    model_name=model,
                    inference_component=plain_text(component.get("InferenceComponentName")),
                    component_status=plain_text(component.get("InferenceComponentStatus")),
                    model=replace(
                        facts, image=facts.image or image, container=" ".join(filter(None, (kind, facts.container)))
                    ),
                )

    def _config(self, name: str) -> Mapping[str, Any]:
        if name and name not in self._configs:
            try:
                with translated(self._session, "sagemaker", "DescribeEndpointConfig"):
                    answer = self._session.sagemaker.describe_endpoint_config(EndpointConfigName=name)
                self._configs[name] = dict(answer)
            except AwsNotFound:
                # It may be deleted while its endpoint serves.
                self._configs[name] = {}
        return self._configs.get(name, {})

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
    """One for each container that was made from a package, or one for the model when none was.

    Beside packaged containers one that brings a model of its own, or can be asked by itself, is told too: its model
    came past the registry. One that only brings code to a series is part of what surrounds the model.
    """
    containers = [row for row in (answer.get("PrimaryContainer"), *(answer.get("Containers") or ())) if row]
    is_direct = (answer.get("InferenceExecutionConfig") or {}).get("Mode") == "Direct"
    numbered = list(enumerate(containers, 1))
    told = numbered[:1] or [(1, {})]
    if any(row.get("ModelPackageName") for row in containers):
        told = [(n, row) for n, row in numbered if row.get("ModelPackageName") or is_direct or _brings_a_model(row)]
    arn = plain_text(answer.get("ModelArn"))
    for number, row in told:
        isolated = answer.get("EnableNetworkIsolation")
        yield ModelFacts(
            container=(plain_text(row.get("ContainerHostname")) or str(number)) if len(told) > 1 else "",
            arn=arn,
            package_arn=_package(plain_text(row.get("ModelPackageName")), arn),
            image=plain_text(row.get("Image")),
            many_under=(_data(row) or "a prefix not reported") if row.get("Mode") == "MultiModel" else "",
            made_at=utc(answer.get("CreationTime")),
            network_isolation=isolated if isinstance(isolated, bool) else None,
            in_vpc=bool((answer.get("VpcConfig") or {}).get("Subnets")),
        )


def _as_it_runs(one: ServedModel, modified_at: datetime | None) -> ServedModel:
    """A model made after its endpoint last changed is another one under the name: what runs, AWS has no more."""
    made_at = one.model.made_at
    if one.inference_component or made_at is None or modified_at is None or made_at <= modified_at:
        return one
    return replace(one, model=ModelFacts(container=one.model.container, found=False))


def _package(name: str, model_arn: str) -> str:
    """A model may name a package of its own account by its name alone."""
    if not name or name.startswith("arn:"):
        return name
    return f"{model_arn.rpartition(':model/')[0]}:model-package/{name}" if ":model/" in model_arn else name


def _brings_a_model(row: Mapping[str, Any]) -> bool:
    return bool(_data(row) or row.get("AdditionalModelDataSources"))


def _data(row: Mapping[str, Any]) -> str:
    source = (row.get("ModelDataSource") or {}).get("S3DataSource") or {}
    return plain_text(row.get("ModelDataUrl")) or plain_text(source.get("S3Uri"))


def _deployed(variant: Mapping[str, Any]) -> str:
    images = list(variant.get("DeployedImages") or ())
    return _specified(images[0]) if len(images) == 1 else ""


def _specified(image: Mapping[str, Any] | None) -> str:
    return plain_text((image or {}).get("SpecifiedImage") or (image or {}).get("ResolvedImage"))
