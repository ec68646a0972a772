"""What governance knows of a use case, for the sections of its page: stages, monitoring, who decides next."""

from __future__ import annotations

from typing import Any

from portal.core.vocabulary import Stage, Status
from registry.models import UseCase

from ..choices import RequestState
from ..policies.rules import NoRule
from ..selectors import monitoring, standing
from ..selectors import policy as policies
from ..services import outlook
from ..services.entitlement import who_could_sign
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
        use_case, stage = self.use_case, Stage(self.use_case.stage)
        asked = standing.open_request_about(use_case)
        seats: list[dict[str, Any]] = []
        if asked is not None:
            seats = [
                {"role": one.role, "count": one.count, "given": one.given, "could": one.could}
                for one in outlook.signatures_of(asked)
            ]
        elif use_case.status in (Status.PENDING, Status.REJECTED) and stage is not Stage.RETIRED:
            seats = self._would_decide(use_case)
        return super().get_context_data(
            seats=seats,
            stage=stage,
            open_request=request_line(asked, self.actor) if asked else None,
            is_open=asked is not None and asked.state == RequestState.OPEN,
            **kwargs,
        )

    def _would_decide(self, use_case: UseCase) -> list[dict[str, Any]]:
        try:
            needs = policies.requirements_for(use_case, policies.in_force()).approvals
        except NoRule:
            return []
        could = who_could_sign(use_case, [need.role for need in needs])
        return [{"role": need.role, "count": need.count, "given": 0, "could": could[need.role]} for need in needs]
