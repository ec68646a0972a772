"""Playing the story: each step at its moment, under its own correlation id, by which a later load sees it is done."""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils import timezone

from governance.choices import AuditCheckScope
from governance.models import AuditEvent
from governance.services import audit_checks
from portal.core.errors import DomainError
from portal.core.operations import correlated
from registry.models import User

from ..demo_clock import Clock
from . import deeds_of_company, deeds_on_models, deeds_on_use_cases
from .plan import plan
from .scene import ACTOR, Scene
from .steps import Step, begun

logger = logging.getLogger(__name__)

_MARK = re.compile(r"demo-(\d{12})-(\d{5})")
_END = 99_999
Deed = Callable[..., None]

DEEDS: dict[str, Deed] = {
    "company": deeds_of_company.company,
    "attributes": deeds_of_company.attributes,
    "draft_policy": deeds_of_company.draft_policy,
    "publish_policy": deeds_of_company.publish_policy,
    "delegate": deeds_of_company.delegate,
    "break_glass": deeds_of_company.break_glass,
    "share": deeds_of_company.share,
    "stray_share": deeds_of_company.stray_share,
    "changed_in_sagemaker": deeds_of_company.changed_in_sagemaker,
    "approved_in_sagemaker": deeds_of_company.approved_in_sagemaker,
    "deleted_in_sagemaker": deeds_of_company.deleted_in_sagemaker,
    "given_up": deeds_of_company.given_up,
    "findings": deeds_of_company.findings_worked_on,
    "deadlines": deeds_of_company.watch_deadlines,
    "review": deeds_of_company.review_findings,
    "read_aws": deeds_of_company.read_aws,
    "group": deeds_on_models.group,
    "version": deeds_on_models.version,
    "ask": deeds_on_models.ask,
    "word": deeds_on_models.word,
    "tested": deeds_on_models.tested,
    "monitored": deeds_on_models.monitored,
    "evidence": deeds_on_models.evidence,
    "deployed": deeds_on_models.deployed,
    "deploying": deeds_on_models.deploying,
    "removed": deeds_on_models.removed,
    "deploy_failed": deeds_on_models.deploy_failed,
    "retire": deeds_on_models.retire,
    "rollback": deeds_on_models.rollback,
    "use_case": deeds_on_use_cases.use_case,
    "questionnaire": deeds_on_use_cases.questionnaire,
    "confirm": deeds_on_use_cases.confirm,
    "classify": deeds_on_use_cases.classify,
    "documents": deeds_on_use_cases.documents,
    "use_case_evidence": deeds_on_use_cases.use_case_evidence,
    "ask_use_case": deeds_on_use_cases.ask_use_case,
    "use_case_word": deeds_on_use_cases.use_case_word,
}


@dataclass(frozen=True)
class Progress:
    """Which story is told, by the moment it was begun at, and the last step of it that is done; -1 for none."""

    told_at: datetime
    last: int

    @classmethod
    def found(cls) -> Progress:
        """Read the trail for an earlier load, whole or broken; without one the story is told as of now."""
        rows = AuditEvent.objects.filter(correlation__startswith="demo-2").values_list("correlation", flat=True)
        marks = [match for row in rows.distinct() if row and (match := _MARK.fullmatch(row))]
        if not marks:
            return cls(timezone.now().replace(second=0, microsecond=0), -1)
        told_at = datetime.strptime(marks[0][1], "%Y%m%d%H%M").replace(tzinfo=UTC)
        return cls(told_at, max(int(match[2]) for match in marks))

    @property
    def is_begun(self) -> bool:
        """Whether any step of the story is done."""
        return self.last >= 0

    @property
    def is_ended(self) -> bool:
        """Whether the story was played to its end."""
        return self.last == _END

    @property
    def begin(self) -> datetime:
        """Return the first morning of the story."""
        return begun(self.told_at.date())

    def mark(self, index: int) -> str:
        """Return the correlation id that a step's changes are known by."""
        return f"demo-{self.told_at:%Y%m%d%H%M}-{index:05d}"


def play(clock: Clock, progress: Progress, say: Callable[[str], None]) -> Counter[str]:
    """Play what is missing of the story, and return what the services refused, by verb and reason.

    A story that was begun on another day goes on as it was planned then.
    """
    scene = Scene(clock, progress.told_at, progress.begin)
    refused: Counter[str] = Counter()
    spent: Counter[str] = Counter()
    reported = time.monotonic()
    for index, step in enumerate(plan(scene.now)):
        if index <= progress.last:
            continue
        clock.go_to(step.at)
        began = time.process_time()
        with correlated(progress.mark(index)):
            _do(scene, step, refused)
        spent[step.verb] += round((time.process_time() - began) * 1000)
        if time.monotonic() - reported > 5:
            reported = time.monotonic()
            say(f"three months of work: {step.at.day} {step.at:%B}")
    logger.info("Spent on the story, in ms: %s", spent.most_common())
    return refused


def end(progress: Progress) -> None:
    """Have the auditor verify the whole trail: the last entry of the story says that it is told to its end.

    Raises RuntimeError when the trail is not sound.
    """
    auditor = User.objects.get(username="thandi.nkosi")
    with correlated(progress.mark(_END)):
        asked = audit_checks.request(actor=auditor.actor, scope=AuditCheckScope.ALL)
        done = audit_checks.run(actor=ACTOR, check_id=asked.pk)
    if done is not None and done.problem:
        raise RuntimeError(f"The trail of the demo is not sound: {done.problem}")


def _do(scene: Scene, step: Step, refused: Counter[str]) -> None:
    try:
        DEEDS[step.verb](scene, **step.about)
    except DomainError as refusal:
        # Services refuse in life too: what cannot be done as it was planned is left.
        refused[f"{step.verb}: {refusal.detail}"] += 1
        logger.info("%s %s was refused: %s %s", step.verb, step.about, refusal.detail, refusal.errors)
