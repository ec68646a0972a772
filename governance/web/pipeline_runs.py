"""The pipeline part of a version's page: what its run did step by step, and which runs wait for it."""

from __future__ import annotations

from typing import Any

from registry.models import ModelVersion

from ..selectors.pipeline_runs import runs_of
from .panels import OfSubject


class VersionPipeline(OfSubject):
    template_name = "governance/version_pipeline.html"
    part = "Pipeline"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        version = self.subject
        assert isinstance(version, ModelVersion)
        return super().get_context_data(runs=runs_of(self.actor, version), version=version, **kwargs)
