"""The whole story in order: the same for the same day, so that a broken load goes on where it stopped. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from portal.core.vocabulary import Stage

from . import use_case_stories
from .models import GROUPS
from .steps import Step, begun, worked, working
from .use_cases import USE_CASES
from .version_stories import GroupStory

# What nobody gets to on the day the story is told.
_LEAST_AGE = timedelta(minutes=20)


def plan(now: datetime) -> list[Step]:
    """Return every step of the company's last three months up to `now`, in order; the first makes the company."""
    begin = begun(now.date())
    steps: list[Step] = [Step(begin, "company")]
    for use_case in USE_CASES:
        steps += use_case_stories.tell(use_case, begin, now)
    for group in GROUPS:
        steps += GroupStory(group, begin, now).tell()
    steps += _company(begin, now)
    steps += _routine(begin, now)
    told = [step for step in steps if begin <= step.at <= now - _LEAST_AGE]
    # What happens at the same moment happens in the order it was told in: sorting is stable.
    return sorted(told, key=lambda step: step.at)


def told_on(now: datetime) -> date:
    """Return the day a story is kept under."""
    return now.date()


def _company(begin: datetime, now: datetime) -> list[Step]:
    """What concerns nobody's model alone: policy, delegations, shares, an exception, and what went wrong of late."""

    def day(number: float) -> datetime:
        return working(begin + timedelta(days=number))

    def ago(days: float) -> datetime:
        return worked(now - timedelta(days=days))

    return [
        Step(day(1.1), "attributes"),
        Step(day(21), "share", {"name": "card-fraud with development", "groups": ("card-fraud-online",)}),
        Step(day(23), "share", {"name": "affordability with development", "groups": ("affordability-instalment",)}),
        Step(day(37), "share", {"name": "churn with test", "groups": ("churn-retail",), "account": "333333333333"}),
        Step(day(33.2), "draft_policy"),
        Step(day(36.1), "publish_policy"),
        Step(day(50), "delegate", {"delegator": "freya.lindholm", "to": "olena.shevchuk", "project": "motor-claims",
                                   "role": "model_owner", "days": 12, "reason": "Parental leave, first part."}),
        Step(ago(2.2), "delegate", {"delegator": "second.officer", "to": "rajiv.menon", "project": None,
                                    "role": "governance_officer", "days": 9, "reason": "On holiday until next week."}),
        Step(ago(1.4), "delegate", {"delegator": "model.owner", "to": "governance.officer", "project": "card-fraud",
                                    "role": "model_owner", "days": 5, "reason": "Off-site of the fraud team."}),
        Step(ago(3.1), "break_glass", {"group": "card-fraud-terminal", "number": 8, "stage": Stage.QA,
                                       "by": "olena.shevchuk",
                                       "reason": "The card service of the pipeline was down when this was registered;"
                                       " the fraud wave at fuel stations does not wait. The card follows."}),
        Step(ago(9.3), "changed_in_sagemaker", {"group": "aml-alert-triage", "number": 6}),
        Step(ago(6.3), "approved_in_sagemaker", {"group": "merchant-risk", "number": 2}),
        Step(ago(5.4), "deleted_in_sagemaker", {"group": "legacy-scorecard", "number": 2}),
        Step(ago(0.8), "deploying", {"group": "card-fraud-withdrawal", "number": 5}),
        Step(ago(4.6), "stray_share"),
        Step(ago(1.9), "draft_policy", {"note": "Draft for the risk committee: stability also asked for at low risk.",
                                        "stays": True}),
        Step(ago(1.1), "given_up", {"group": "assistant-answers"}),
        Step(ago(0.6), "findings"),
    ]  # fmt: skip


def _routine(begin: datetime, now: datetime) -> list[Step]:
    """What the portal's own schedule does: deadlines daily, AWS and everything found looked at every other week."""
    steps: list[Step] = []
    days = (now - begin).days
    for number in range(1, days + 1):
        at = (begin + timedelta(days=number)).replace(hour=5, minute=0)
        if number > 10:
            steps.append(Step(at, "deadlines"))
        if number % 14 == 7 or number >= days - 2:
            steps.append(Step(at.replace(hour=4), "read_aws"))
            steps.append(Step(at.replace(minute=20), "review"))
    return steps
