"""How a version was trained, as named values beside those of other versions: what comparisons compare."""

from __future__ import annotations

from typing import Any

from registry.models import TrainingProvenance


def hyperparameters(job: TrainingProvenance | None) -> dict[str, Any]:
    """Return what the training job was given, by name."""
    return dict(job.hyperparameters) if job else {}


def measured(job: TrainingProvenance | None) -> dict[str, Any]:
    """Return what the training job measured itself."""
    return {str(one.get("name")): one.get("value") for one in job.metrics} if job else {}


def trained(job: TrainingProvenance | None) -> dict[str, Any]:
    """Return how it was trained; None where SageMaker does not say."""
    if job is None:
        return {}
    hub = job.hub or {}
    return {
        "Training job": job.job_name,
        "Algorithm": job.algorithm or None,
        "Training image": job.image or None,
        "Network isolation": job.network_isolation,
        "Traffic between instances encrypted": job.traffic_encryption,
        "Key of the disk": job.volume_key or None,
        "Key of the output": job.output_key or None,
        "Subnets": ", ".join(map(str, (job.vpc or {}).get("subnets") or ())) or None,
        **{f"Data: {one.get('channel') or 'channel'}": one.get("uri") or None for one in job.inputs},
        "Model of a hub": " ".join(filter(None, (hub.get("title") or hub.get("name"), hub.get("version")))) or None,
        "Licence": job.licence or None,
        "Licence agreement accepted": job.eula_accepted,
    }
