"""What can be found: one observation of a disagreement, and what a rule that looks for one kind has to say."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import models

from portal.core.vocabulary import Stage
from registry.models import AwsAccount, ModelGroup, ModelVersion, UseCase

from ..choices import Severity

Subject = UseCase | ModelVersion | ModelGroup | AwsAccount


@dataclass(frozen=True)
class Observation:
    """One disagreement as it is seen now. `evidence` is plain JSON.

    `stage` and `account` say where, for kinds that stand once per place; `mark` tells apart what else may stand side
    by side, such as two overrides of one subject. `severity` is given where it is not the kind's own.
    """

    subject: Subject
    summary: str
    evidence: dict[str, Any] = field(default_factory=dict)
    stage: Stage | None = None
    account: AwsAccount | None = None
    mark: str = ""
    severity: Severity | None = None

    @property
    def key(self) -> str:
        """What de-duplicates it: `modelversion:7`, `modelversion:7/production/3`."""
        return key_of(self.subject, stage=self.stage, account=self.account, mark=self.mark)

    @property
    def links(self) -> dict[str, models.Model | None]:
        """The columns of a finding that lead to its subject, and the account it is about."""
        if isinstance(self.subject, UseCase):
            return {"use_case": self.subject, "account": self.account}
        if isinstance(self.subject, ModelVersion):
            return {"version": self.subject, "account": self.account or self.subject.group.account}
        if isinstance(self.subject, ModelGroup):
            return {"group": self.subject, "account": self.account or self.subject.account}
        return {"account": self.subject}


@dataclass(frozen=True)
class Seen:
    """What a rule found: what holds now, and the keys it cannot judge now, which stay as they are.

    What an event tells better than the rule can is not told anew (`retell` is False), only seen again.
    """

    holds: tuple[Observation, ...] = ()
    unsure: frozenset[str] = frozenset()
    retell: bool = True


# Looks for one kind as of a moment, among all subjects or only these versions.
Rule = Callable[[datetime, Collection[int] | None], Seen]


def key_of(subject: Subject, *, stage: Stage | None = None, account: AwsAccount | None = None, mark: str = "") -> str:
    """Return the key under which findings about a subject (at a stage, in an account) are one."""
    parts = [f"{subject._meta.model_name}:{subject.pk}"]
    if stage is not None or account is not None:
        parts += [stage.value if stage else "", str(account.pk) if account else ""]
    return "/".join([*parts, *([mark] if mark else [])])
