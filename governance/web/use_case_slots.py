"""What governance knows of a use case, for the sections of its page: stages, monitoring, who decides next."""

from __future__ import annotations

from typing import Any

from registry.models import UseCase

from ..choices import RequestState
from ..selectors import monitoring, standing
from ..services import deciders
from .panels import OfSubject, request_line


class OfUseCaseSlot(OfSubject):
    """A fragment about one use case."""

    @property
    def use_case(self) -> UseCase:
        assert isinstance(self.subject, UseCase)
        return self.subject


class Head(OfUseCaseSlot):
    """The stages of a use case, and in a line what is waited for."""

    template_name = "governance/use_case_head.html"
    part = "Stages"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = standing.open_request_about(self.use_case)
        return super().get_context_data(
            steps=standing.steps(self.use_case),
            open_request=request_line(asked, self.actor) if asked else None,
            **kwargs,
        )


class Monitoring(OfUseCaseSlot):
    """What its versions in production report, and what is beyond its threshold."""

    template_name = "governance/use_case_monitoring.html"
    part = "Monitoring"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        running = monitoring.in_production(self.actor, self.use_case)
        return super().get_context_data(
            running=running,
            broken=sum(one.broken for one in running),
            findings=monitoring.findings_about(self.actor, self.use_case),
            **kwargs,
        )


class Deciders(OfUseCaseSlot):
    """Who decides on the use case next: on what is asked, or on what would be asked."""

    template_name = "governance/use_case_deciders.html"
    part = "Who decides next"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = deciders.of_use_case(self.use_case)
        asked = found.request
        return super().get_context_data(
            seats=found.seats,
            stage=found.stage,
            open_request=request_line(asked, self.actor) if asked else None,
            is_open=asked is not None and asked.state == RequestState.OPEN,
            **kwargs,
        )
