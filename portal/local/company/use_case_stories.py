"""How each use case came along: registered, classified, documented, asked for and signed. Pure."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from portal.core.vocabulary import Stage

from .people import OFFICERS
from .steps import Step, worked, working
from .use_cases import UseCasePlan
from .words import APPROVALS, pick

_STAGES = (Stage.POC, Stage.DEVELOPMENT, Stage.QA, Stage.PRE_PRODUCTION, Stage.PRODUCTION)
# Days after its registration at which it is asked for at each stage, and again where models had kept it back.
_ASKED = dict(zip(_STAGES, (4, 13, 30, 41, 53), strict=True))
_ASKED_AGAIN = dict(zip(_STAGES[1:], (60, 65, 70, 75), strict=True))

_REJECTED = "Calling at better hours is not the problem: customers cannot pay. Come back with arrears plans in scope."


def tell(plan: UseCasePlan, begin: datetime, now: datetime) -> list[Step]:
    """Return what happened to one use case up to `now`."""
    return _Story(plan, begin, now).tell()


class _Story:
    def __init__(self, plan: UseCasePlan, begin: datetime, now: datetime) -> None:
        self._plan, self._now = plan, now
        self._dice = random.Random(f"{plan.name}/story")
        self._born = working(begin + timedelta(days=plan.day, minutes=self._dice.randint(30, 300)))
        self._steps: list[Step] = []
        self._last = begin

    def tell(self) -> list[Step]:
        plan = self._plan
        self._do(0, "use_case")
        if plan.fate == "unclassified":
            return self._steps
        officer = OFFICERS[len(plan.name) % len(OFFICERS)]
        if plan.answers is None:
            self._do(1.5, "classify", by=officer)
        else:
            self._do(0.8, "questionnaire")
            self._do(2.2, "confirm", by=officer)
        if plan.documents:
            self._do(2.9, "documents")
        stages = _STAGES[: _STAGES.index(plan.until) + 1]
        if plan.fate != "prohibited" and all(self._pass(stage, _ASKED[stage]) for stage in stages):
            all(self._pass(stage, _ASKED_AGAIN[stage]) for stage in stages[1:])
        return self._steps

    def _do(self, days: float, verb: str, **about: object) -> None:
        at = working(self._born + timedelta(days=days, minutes=self._dice.randint(0, 200)))
        # What moved to a Monday morning stays behind what came before it.
        at = self._last = max(at, working(self._last + timedelta(minutes=25)))
        self._steps.append(Step(at, verb, {"use_case": self._plan.name, **about}))

    def _pass(self, stage: Stage, day: float) -> bool:
        """Ask for one stage and have it signed; returns whether it goes on from there."""
        plan = self._plan
        if self._born + timedelta(days=day) > self._now:
            return False
        waits = stage is plan.until and stage is not Stage.PRODUCTION and len(plan.name) % 3 == 0
        if waits:
            day = (worked(self._now) - self._born) / timedelta(days=1) - len(plan.name) % 7 - 0.5
        if stage in (Stage.QA, Stage.PRE_PRODUCTION) and day < 55:
            self._do(day - 1, "use_case_evidence", stage=stage)
        self._do(day, "ask_use_case", stage=stage)
        if plan.fate == "rejected":
            self._do(day + 1.4, "use_case_word", stage=stage, verdict="reject", by="", comment=_REJECTED)
            return False
        if plan.fate == "asked" or waits:
            return False
        owner_signs = stage in _STAGES[:2]
        for place in range(1 if owner_signs else 2):
            by = "" if owner_signs else OFFICERS[(len(plan.name) + place + 1) % len(OFFICERS)]
            words = pick(APPROVALS, plan.name, stage, place)
            self._do(day + 1 + place * 1.2, "use_case_word", stage=stage, verdict="approve", by=by, comment=words)
        return True
