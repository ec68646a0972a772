"""Keep what serves requests: models, endpoint configurations, endpoints and inference components.

Stock moto's records are used and given what it leaves out: network isolation of a model, shadow variants, variants
without a model, updates of an endpoint, the images of its variants. Everything is in service at once. Not checked, as
nothing runs: instances, images, and the artifacts behind S3 URIs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from moto.sagemaker.models import FakeEndpoint, FakeEndpointConfig

from ..settings import now
from .common import Record, pick
from .errors import ValidationError

# As moto itself does, without the parts of CloudFormation that they leave abstract.
_CONFIG: Any = FakeEndpointConfig
_ENDPOINT: Any = FakeEndpoint
SERVED = ("ProductionVariants", "ShadowProductionVariants")
_OF_CONFIG = (
    "KmsKeyId",
    "AsyncInferenceConfig",
    "ExplainerConfig",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
)


def _image(image: str) -> Record:
    """An image as it runs: named by the digest its tag resolved to."""
    repository = image.partition("@")[0].rpartition(":")[0] or image
    digest = hashlib.sha256(image.encode()).hexdigest()
    return {"SpecifiedImage": image, "ResolvedImage": f"{repository}@sha256:{digest}", "ResolutionTime": now()}


class Endpoints:
    """What serves in one account and region; a part of the backend, beside stock moto's."""

    account_id: str
    region_name: str
    _models: dict[str, Any]
    endpoints: dict[str, Any]
    endpoint_configs: dict[str, Any]
    inference_components: dict[str, Record]

    def _arn(self, kind: str, name: str) -> str:
        return f"arn:aws:sagemaker:{self.region_name}:{self.account_id}:{kind}/{name}"

    # ---- models ---------------------------------------------------------------------------------------------------

    def complete_model(self, p: Record) -> None:
        """Keep what stock moto drops of a model that was just made."""
        self._models[p["ModelName"]].enable_network_isolation = bool(p.get("EnableNetworkIsolation"))

    def model_record(self, name: str) -> Record:
        """A model as DescribeModel gives it. Raises ValidationException."""
        found = self._models.get(name)
        if found is None:
            raise ValidationError(f'Could not find model "{self._arn("model", name)}".')
        return {k: v for k, v in found.response_object.items() if v not in ({}, [], None)}

    def model_records(self) -> list[Record]:
        """Every model there is."""
        return [self.model_record(name) for name in self._models]

    # ---- configurations -------------------------------------------------------------------------------------------

    def validate_production_variants(self, production_variants: list[Record]) -> None:
        """A variant names a model that exists, or none: then inference components bring the models."""
        for variant in production_variants:
            if variant.get("ModelName") and variant["ModelName"] not in self._models:
                raise ValidationError(f'Could not find model "{self._arn("model", variant["ModelName"])}".')

    def create_config(self, p: Record) -> str:
        """Source: SageMaker CreateEndpointConfig. A configuration is never changed: a name that is taken is refused."""
        name = p["EndpointConfigName"]
        if name in self.endpoint_configs:
            taken = self._arn("endpoint-config", name)
            raise ValidationError(f'Cannot create already existing endpoint configuration "{taken}".')
        variants = [v for kind in SERVED for v in p.get(kind) or []]
        names = [v["VariantName"] for v in variants]
        if len(set(names)) < len(names):
            raise ValidationError("The variant names of an endpoint configuration must be unique.")
        self.validate_production_variants(variants)
        if any(not v.get("ModelName") for v in variants) and not p.get("ExecutionRoleArn"):
            raise ValidationError("ExecutionRoleArn is needed when a variant names no model.")
        config = _CONFIG(
            account_id=self.account_id,
            region_name=self.region_name,
            endpoint_config_name=name,
            production_variants=[{"InitialVariantWeight": 1.0, **v} for v in p["ProductionVariants"]],
            async_inference_config=p.get("AsyncInferenceConfig") or {},
            data_capture_config=p.get("DataCaptureConfig") or {},
            tags=p.get("Tags") or [],
            kms_key_id=p.get("KmsKeyId") or "",
        )
        shadows = [{"InitialVariantWeight": 1.0, **v} for v in p.get("ShadowProductionVariants") or []]
        config.asked = {**{k: p[k] for k in _OF_CONFIG if p.get(k) is not None}, "ShadowProductionVariants": shadows}
        self.endpoint_configs[name] = config
        return str(config.endpoint_config_arn)

    def config_record(self, name: str) -> Record:
        """A configuration as DescribeEndpointConfig gives it. Raises ValidationException."""
        config = self.endpoint_configs.get(name)
        if config is None:
            missing = self._arn("endpoint-config", name)
            raise ValidationError(f'Could not find endpoint configuration "{missing}".')
        found = {
            "EndpointConfigName": name,
            "EndpointConfigArn": config.endpoint_config_arn,
            "ProductionVariants": config.production_variants,
            "DataCaptureConfig": config.data_capture_config or None,
            "CreationTime": config.creation_time,
            **getattr(config, "asked", {}),
        }
        return {k: v for k, v in found.items() if v not in ([], None)}

    # ---- endpoints ------------------------------------------------------------------------------------------------

    def endpoint(self, name: str) -> Any:
        """Raises ValidationException."""
        found = self.endpoints.get(name)
        if found is None:
            raise ValidationError(f'Could not find endpoint "{self._arn("endpoint", name)}".')
        return found

    def serve(self, p: Record) -> str:
        """Source: SageMaker CreateEndpoint."""
        name = p["EndpointName"]
        if name in self.endpoints:
            raise ValidationError(f'Cannot create already existing endpoint "{self._arn("endpoint", name)}".')
        config = self.config_record(p["EndpointConfigName"])
        endpoint = _ENDPOINT(
            account_id=self.account_id,
            region_name=self.region_name,
            endpoint_name=name,
            endpoint_config_name=p["EndpointConfigName"],
            production_variants=[],
            data_capture_config={},
            tags=p.get("Tags") or [],
        )
        endpoint.creation_time = endpoint.last_modified_time = now()
        self.endpoints[name] = endpoint
        self._follow(endpoint, config)
        return str(endpoint.arn)

    def follow(self, p: Record) -> str:
        """Source: SageMaker UpdateEndpoint. The variants become those of another configuration."""
        endpoint, config = self.endpoint(p["EndpointName"]), self.config_record(p["EndpointConfigName"])
        before = {v["VariantName"]: v for v in endpoint.production_variants}
        endpoint.endpoint_config_name = p["EndpointConfigName"]
        self._follow(endpoint, config)
        if p.get("RetainAllVariantProperties"):
            excluded = {e["VariantPropertyType"] for e in p.get("ExcludeRetainedVariantProperties") or []}
            for variant in endpoint.production_variants:
                kept = before.get(variant["VariantName"], {})
                for kind, member in (("DesiredWeight", "Weight"), ("DesiredInstanceCount", "InstanceCount")):
                    if kind not in excluded and f"Current{member}" in kept:
                        variant[f"Current{member}"] = variant[f"Desired{member}"] = kept[f"Current{member}"]
        endpoint.last_modified_time = now()
        return str(endpoint.arn)

    def _follow(self, endpoint: Any, config: Record) -> None:
        endpoint.production_variants = [self._running(v) for v in config["ProductionVariants"]]
        endpoint.shadow_production_variants = [self._running(v) for v in config.get("ShadowProductionVariants", [])]
        capture = config.get("DataCaptureConfig")
        endpoint.data_capture_config = capture and {
            "EnableCapture": bool(capture.get("EnableCapture")),
            "CaptureStatus": "Started" if capture.get("EnableCapture") else "Stopped",
            "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
            "DestinationS3Uri": capture["DestinationS3Uri"],
            "KmsKeyId": capture.get("KmsKeyId", ""),
        }

    def _running(self, variant: Record) -> Record:
        found: Record = {"VariantName": variant["VariantName"]}
        if variant.get("ModelName"):
            found["DeployedImages"] = [_image(image) for image in self._images(variant["ModelName"])]
        for asked, member in (("InitialVariantWeight", "Weight"), ("InitialInstanceCount", "InstanceCount")):
            if variant.get(asked) is not None:
                found[f"Current{member}"] = found[f"Desired{member}"] = variant[asked]
        if variant.get("ServerlessConfig"):
            found["CurrentServerlessConfig"] = found["DesiredServerlessConfig"] = variant["ServerlessConfig"]
        return found

    def _images(self, model: str) -> Iterator[str]:
        record = self.model_record(model)
        for container in [record.get("PrimaryContainer"), *record.get("Containers", [])]:
            if container and container.get("Image"):
                yield container["Image"]
            elif container and container.get("ModelPackageName"):
                package = self._package(container["ModelPackageName"])
                for inner in (package.get("InferenceSpecification") or {}).get("Containers", []):
                    yield inner["Image"]

    def _package(self, arn: str) -> Record:
        from .models import registry

        place = arn.split(":")
        return registry(place[4], place[3]).packages.get(arn) or {} if len(place) > 5 else {}

    def reweigh(self, p: Record) -> str:
        """Source: SageMaker UpdateEndpointWeightsAndCapacities. Raises ValidationException for an unknown variant."""
        endpoint = self.endpoint(p["EndpointName"])
        known = {v["VariantName"]: v for v in endpoint.production_variants}
        wanted = p["DesiredWeightsAndCapacities"]
        for change in wanted:
            if change["VariantName"] not in known:
                raise ValidationError(
                    f'The variant name(s) "{change["VariantName"]}" is/are not present within endpoint configuration'
                    f' "{endpoint.endpoint_config_name}".'
                )
        for change in wanted:
            for member in ("Weight", "InstanceCount"):
                if change.get(f"Desired{member}") is not None:
                    variant = known[change["VariantName"]]
                    variant[f"Current{member}"] = variant[f"Desired{member}"] = change[f"Desired{member}"]
        endpoint.endpoint_status, endpoint.last_modified_time = "InService", now()
        return str(endpoint.arn)

    def endpoint_record(self, name: str) -> Record:
        """An endpoint as DescribeEndpoint gives it. Raises ValidationException."""
        endpoint = self.endpoint(name)
        config = self.endpoint_configs.get(endpoint.endpoint_config_name)
        asked = pick(getattr(config, "asked", {}), ("AsyncInferenceConfig", "ExplainerConfig"))
        found = {
            "EndpointName": name,
            "EndpointArn": endpoint.arn,
            "EndpointConfigName": endpoint.endpoint_config_name,
            "ProductionVariants": endpoint.production_variants,
            "ShadowProductionVariants": getattr(endpoint, "shadow_production_variants", []),
            "DataCaptureConfig": endpoint.data_capture_config or None,
            "EndpointStatus": endpoint.endpoint_status,
            "FailureReason": endpoint.failure_reason,
            "CreationTime": endpoint.creation_time,
            "LastModifiedTime": endpoint.last_modified_time,
            **asked,
        }
        return {k: v for k, v in found.items() if v not in ([], None)}

    def stop_serving(self, name: str) -> None:
        """Source: SageMaker DeleteEndpoint. Refused while inference components run on it."""
        self.endpoint(name)
        if any(c["EndpointName"] == name for c in self.inference_components.values()):
            raise ValidationError(f"Endpoint {name} still has inference components; delete them first.")
        del self.endpoints[name]

    # ---- inference components -------------------------------------------------------------------------------------

    def component(self, name: str) -> Record:
        """Raises ValidationException."""
        found = self.inference_components.get(name)
        if found is None:
            missing = self._arn("inference-component", name)
            raise ValidationError(f'Could not find inference component "{missing}".')
        return found

    def place_component(self, p: Record) -> str:
        """Source: SageMaker CreateInferenceComponent."""
        name, endpoint = p["InferenceComponentName"], self.endpoint(p["EndpointName"])
        arn = self._arn("inference-component", name)
        if name in self.inference_components:
            raise ValidationError(f'Cannot create already existing inference component "{arn}".')
        asked = dict(p.get("Specification") or {})
        base = asked.get("BaseInferenceComponentName")
        variant = p.get("VariantName") or (self.component(base)["VariantName"] if base else None)
        if variant not in {v["VariantName"] for v in endpoint.production_variants}:
            raise ValidationError(f"Endpoint {p['EndpointName']} has no variant {variant}.")
        if not (asked.get("ModelName") or asked.get("Container") or base):
            raise ValidationError("Specification needs ModelName, Container or BaseInferenceComponentName.")
        copies = (p.get("RuntimeConfig") or {}).get("CopyCount", 1)
        specification = pick(
            asked, ("ModelName", "StartupParameters", "ComputeResourceRequirements", "BaseInferenceComponentName")
        )
        if asked.get("ModelName"):
            self.model_record(asked["ModelName"])
        if container := asked.get("Container"):
            specification["Container"] = {
                **pick(container, ("ArtifactUrl", "Environment")),
                **({"DeployedImage": _image(container["Image"])} if container.get("Image") else {}),
            }
        made = now()
        self.inference_components[name] = {
            "InferenceComponentName": name,
            "InferenceComponentArn": arn,
            "EndpointName": p["EndpointName"],
            "EndpointArn": endpoint.arn,
            "VariantName": variant,
            "Specification": specification,
            "RuntimeConfig": {"DesiredCopyCount": copies, "CurrentCopyCount": copies},
            "CreationTime": made,
            "LastModifiedTime": made,
            "InferenceComponentStatus": "InService",
        }
        return arn

    def remove_component(self, name: str) -> None:
        """Source: SageMaker DeleteInferenceComponent."""
        self.component(name)
        del self.inference_components[name]
