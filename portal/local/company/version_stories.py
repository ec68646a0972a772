"""How each version of each group came along: registered, asked for, signed, sent back, deployed, replaced. Pure."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from portal.core.vocabulary import Stage

from . import models as fates
from .models import GroupPlan
from .packages import is_left
from .people import OFFICERS, project_of
from .steps import Step, worked, working
from .words import APPROVALS, CHANGES, FAILURES, NOTES, REJECTIONS, RETIREMENTS, REWORKED, pick

DEV, QA, PRE, PROD = Stage.DEVELOPMENT, Stage.QA, Stage.PRE_PRODUCTION, Stage.PRODUCTION
_WALK = (DEV, QA, PRE, PROD)
_REACH = {"none": 0, "dev": 1, "qa": 2, "pre": 3, "live": 4}
# For each fate how many stages are signed before its last word, in days how long that takes.
_SIGNED = {
    fates.IDLE: 0, fates.DEV_OPEN: 0, fates.REJECTED: 0, fates.REWORKED: 0, fates.QA_OPEN: 1, fates.QA_HALF: 1,
    fates.QA_BLOCKED: 1, fates.CHANGES: 1, fates.PRE_OPEN: 2, fates.PROD_OPEN: 3, fates.PROD_HALF: 3,
    fates.ORDERED: 4, fates.LIVE: 4,
}  # fmt: skip
_DAYS_A_STAGE = 3.4
# Running versions whose inputs have begun to drift: how much their stability index gains a week.
DRIFTS = {"damage-cost": 0.034, "churn-business": 0.004, "cash-demand": 0.006}
ROLLED_BACK = "churn-business"


class GroupStory:
    """Tells the versions of one group up to `now`."""

    def __init__(self, group: GroupPlan, begin: datetime, now: datetime) -> None:
        """Keep the group and the span of the story."""
        self.group, self.begin, self.now = group, begin, now
        self.steps: list[Step] = []
        self._registered = begin
        self.live: list[tuple[int, datetime]] = []
        self._dice = random.Random(f"{group.name}/story")

    def tell(self) -> list[Step]:
        """Return what happened, not yet in order."""
        group = self.group
        born = working(self.begin + timedelta(days=group.day, minutes=self._dice.randint(20, 400)))
        self._do(born, "group", number=0)
        heads = group.heads if group.project else ()
        first_head = group.versions - len(heads) + 1
        # Who asks early and waits long registered before who asked yesterday.
        begun = sorted((working(self._start_of_head(*head)), head[0]) for head in heads)
        starts = [start for start, _ in begun]
        until = min([*starts, self.now - timedelta(days=3)])
        room = max(until - born - timedelta(days=2), timedelta(days=3))
        for number in range(1, first_head):
            at = born + timedelta(hours=3) + room * ((number - 1) / max(1, first_head - 1))
            self._past(number, working(at + timedelta(minutes=self._dice.randint(0, 500))))
        for number, (start, fate) in enumerate(begun, first_head):
            self._walk(number, start, fate)
        self._watch()
        return self.steps

    def _do(self, at: datetime, verb: str, **about: object) -> datetime:
        self.steps.append(Step(at, verb, {"group": self.group.name, **about}))
        return at

    def _start_of_head(self, fate: str, age: int) -> datetime:
        days = 0.7 + _DAYS_A_STAGE * _SIGNED[fate] + (5 if fate in (fates.REWORKED, fates.CHANGES) else 0)
        return worked(self.now) - timedelta(days=age + days * 1.35, minutes=self._dice.randint(0, 240))

    def _past(self, number: int, at: datetime) -> None:
        """Tell an earlier version: some went all the way, some were sent back, some were tried and left."""
        reach = _REACH[self.group.reach]
        turn = number % 6
        far = number == 4 and self.group.versions >= 8
        if is_left(self.group, number) or reach == 0:
            self._walk(number, at, fates.IDLE)
        elif turn == 3:
            self._walk(number, at, fates.REJECTED)
        elif turn == 0 and reach > 1:
            self._walk(number, at, "qa_rejected")
        elif far or (number == 1 and self.group.early):
            self._walk(number, at, fates.LIVE if reach == 4 else "stays", signed=reach)
        else:
            self._walk(number, at, "stays", signed=1)

    def _register(self, number: int, at: datetime) -> datetime:
        # SageMaker numbers versions in the order in which they come.
        self._registered = max(at, self._registered + timedelta(minutes=1))
        return self._do(self._registered, "version", number=number)

    def _walk(self, number: int, at: datetime, fate: str, signed: int | None = None) -> None:
        count = _SIGNED.get(fate, 1) if signed is None else signed
        at = self._register(number, at)
        if fate == fates.IDLE:
            return
        at = self._later(at, 0.1, 0.6)
        for stage in _WALK[:count]:
            at = self._ready(number, stage, at)
            at = self._ask(number, at, stage)
            at = self._sign(number, stage, at)
        following = _WALK[count] if count < 4 else None
        if fate == "stays":
            return
        if fate in (fates.LIVE, fates.ORDERED):
            self._go_live(number, at, ordered_only=fate == fates.ORDERED)
            return
        assert following is not None
        at = self._ready(number, following, at)
        at = self._ask(number, at, following)
        self._end(number, following, at, fate)

    def _end(self, number: int, stage: Stage, at: datetime, fate: str) -> None:
        if fate in (fates.REJECTED, fates.REWORKED, "qa_rejected"):
            at = self._later(at, 0.6, 2.0)
            self._word(number, stage, at, "reject", pick(REJECTIONS, self.group.name, number))
            if stage is not DEV:
                self._do(self._later(at, 0.1, 0.4), "removed", number=number, stage=stage)
            if fate == fates.REWORKED:
                at = self._later(at, 2.0, 3.2)
                self._do(at, "ask", number=number, note=pick(REWORKED, self.group.name, number))
        elif fate == fates.CHANGES:
            self._word(number, stage, self._later(at, 0.8, 2.0), "request_changes", pick(CHANGES, number))
        elif fate in (fates.QA_HALF, fates.PROD_HALF):
            # The two officers of the demo are left to sign.
            self._word(number, stage, self._later(at, 0.4, 1.2), "approve", pick(APPROVALS, number), by=OFFICERS[2])

    def _ready(self, number: int, stage: Stage, at: datetime) -> datetime:
        """Do what comes before asking: it runs on trial, its results are reported, evidence is attached."""
        group = self.group
        if stage is not DEV:
            at = self._later(at, 0.2, 0.9)
            self._do(at, "deployed", number=number, stage=stage)
            at = self._later(at, 0.3, 1.0)
            self._do(at, "tested", number=number, stage=stage)
            if stage is PROD:
                self._do(at + timedelta(minutes=9), "monitored", number=number, stage=PRE, week=0, drift=0.0)
        if (number + len(group.name)) % 5 == 0 and stage in (DEV, QA):
            self._do(at + timedelta(minutes=4), "evidence", number=number, stage=stage)
        return at + timedelta(minutes=15)

    def _ask(self, number: int, at: datetime, stage: Stage) -> datetime:
        at = working(at + timedelta(minutes=self._dice.randint(5, 90)))
        return self._do(at, "ask", number=number, note=pick(NOTES, self.group.name, number, stage))

    def _sign(self, number: int, stage: Stage, at: datetime) -> datetime:
        """Have everybody sign who must: of a second signature nobody waits for nothing comes."""
        turn = (number + len(self.group.name)) % len(OFFICERS)
        for place in range(1 if stage is DEV else 2):
            at = self._later(at, 0.3, 1.4)
            by = "" if stage is DEV else OFFICERS[(turn + place) % len(OFFICERS)]
            self._word(number, stage, at, "approve", pick(APPROVALS, self.group.name, number, place), by=by)
        return at

    def _word(self, number: int, stage: Stage, at: datetime, verdict: str, comment: str, by: str = "") -> None:
        by = by or (OFFICERS[(number + len(self.group.name)) % 4] if stage is not DEV else "")
        self._do(at, "word", number=number, stage=stage, verdict=verdict, comment=comment, by=by)

    def _go_live(self, number: int, at: datetime, *, ordered_only: bool) -> None:
        if ordered_only:
            return
        at = self._later(at, 0.2, 0.8)
        if (number + len(self.group.name)) % 7 == 0:
            self._do(at, "deploy_failed", number=number, stage=PROD, detail=FAILURES)
            at = self._later(at, 0.2, 0.5)
        self._do(at, "deployed", number=number, stage=PROD)
        self.live.append((number, at))

    def _watch(self) -> None:
        """Report the monitoring of what ran, retire what was replaced for long, roll one back."""
        drift = DRIFTS.get(self.group.name, 0.0015)
        if not self.live:
            return
        self.live.sort(key=lambda one: one[1])
        ends = [at for _, at in self.live[1:]] + [self.now]
        for (number, since), until in zip(self.live, ends, strict=True):
            week = 1
            while (at := since + timedelta(days=7 * week, minutes=11)) < until:
                at = at.replace(hour=6, minute=(number * 7) % 60)
                self._do(at, "monitored", number=number, stage=PROD, week=week, drift=drift)
                week += 1
        for (number, _), replaced in zip(self.live[:-1], ends, strict=False):
            if self.group.name == ROLLED_BACK:
                break
            self._do(working(replaced + timedelta(days=11, minutes=number)), "retire", number=number,
                     reason=pick(RETIREMENTS, self.group.name, number))  # fmt: skip
        if self.group.name == ROLLED_BACK and len(self.live) > 1:
            at = self._later(self.live[-1][1], 2.0, 3.0)
            self._do(at, "rollback", number=self.live[-2][0], stage=PROD,
                     reason="Complaints about wrong scores for sole traders; back to the version before.")  # fmt: skip
            self._do(self._later(at, 0.05, 0.2), "deployed", number=self.live[-2][0], stage=PROD)

    def _later(self, at: datetime, least: float, most: float) -> datetime:
        return working(at + timedelta(days=self._dice.uniform(least, most)))


def scientist_of(group: GroupPlan, number: int) -> str:
    """Return who trained a version: the scientists of the project take turns."""
    if group.project is None:
        return "noah.adler"
    names = project_of(group.project).scientists
    return names[(number + len(group.name)) % len(names)]
