"""How each use case came along: registered, classified, documented, asked for and signed. Pure."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from portal.core.vocabulary import Stage

from .people import OFFICERS
from .steps import Step, working
from .use_cases import UseCasePlan
from .words import APPROVALS, pick

_STAGES = (Stage.POC, Stage.DEVELOPMENT, Stage.QA, Stage.PRE_PRODUCTION, Stage.PRODUCTION)
# Days after its registration at which it is asked for at each stage.
_ASKED = dict(zip(_STAGES, (4, 13, 30, 41, 53), strict=True))


def tell(plan: UseCasePlan, begin: datetime, now: datetime) -> list[Step]:
    """Return what happened to one use case up to `now`."""
    dice = random.Random(f"{plan.name}/story")  # noqa: S311 - a story, not a secret
    steps: list[Step] = []

    def do(days: float, verb: str, **about: object) -> datetime:
        at = working(born + timedelta(days=days, minutes=dice.randint(0, 200)))
        steps.append(Step(at, verb, {"use_case": plan.name, **about}))
        return at

    born = working(begin + timedelta(days=plan.day, minutes=dice.randint(30, 300)))
    do(0, "use_case")
    officer = OFFICERS[len(plan.name) % len(OFFICERS)]
    if plan.fate == "unclassified":
        return steps
    if plan.answers is None:
        do(1.5, "classify", by=officer)
    else:
        do(0.8, "questionnaire")
        do(2.2, "confirm", by=officer)
    if plan.documents:
        do(2.9, "documents")
    if plan.fate == "prohibited":
        return steps
    for stage in _STAGES[: _STAGES.index(plan.until) + 1]:
        day = float(_ASKED[stage])
        if born + timedelta(days=day) > now:
            break
        if stage in (Stage.QA, Stage.PRE_PRODUCTION):
            do(day - 1, "use_case_evidence", stage=stage)
        do(day, "ask_use_case", stage=stage)
        if plan.fate == "asked":
            break
        if plan.fate == "rejected":
            do(day + 1.4, "use_case_word", stage=stage, verdict="reject", by="",
               comment="Calling at better hours is not the problem: customers cannot pay. Come back with arrears"
               " plans in scope.")  # fmt: skip
            break
        if stage is plan.until and stage is not Stage.PRODUCTION and len(plan.name) % 3 == 0:
            # It has been asked for and waits.
            break
        for place in range(1 if stage in _STAGES[:2] else 2):
            by = "" if stage in _STAGES[:2] else OFFICERS[(len(plan.name) + place + 1) % len(OFFICERS)]
            do(day + 1 + place * 1.2, "use_case_word", stage=stage, verdict="approve", by=by,
               comment=pick(APPROVALS, plan.name, stage, place))  # fmt: skip
    return steps
