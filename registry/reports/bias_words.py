"""What each bias metric of Clarify means in plain words, and the limits people usually set.

Clarify itself gives ranges and the value that means no bias, and no limits: those below are conventions. DI follows
the four-fifths rule (29 CFR 1607.4 D; 0.8 to 1.25 is its two-sided form); differences follow the band of 0.1 either
way that fairness toolkits use. What an organisation holds its models to are the metric rules of its policy. Source of
names, ranges and ideal values: SageMaker Developer Guide, "Pre-training bias metrics", "Post-training data and model
bias metrics".
"""

from __future__ import annotations

from dataclasses import dataclass

from portal.core.vocabulary import Word

from .values import Number


class Verdict(Word):
    """How a value stands against what is usual; nobody can say it of a value that is not there."""

    WITHIN = "within"
    OUTSIDE = "outside"
    UNKNOWN = "unknown"
    NOT_REPORTED = "not_reported"


@dataclass(frozen=True, slots=True)
class Meaning:
    """A metric's name, what it says, the value that means no bias, and the usual limits, both ends allowed."""

    name: str
    words: str
    ideal: Number
    low: Number
    high: Number

    @property
    def usual(self) -> str:
        """The usual limits in words: "-0.1 to 0.1", "at most 0.1"."""
        return f"at most {self.high}" if self.low == self.ideal == 0 else f"{self.low} to {self.high}"


def _difference(name: str, words: str, limit: Number = 0.1) -> Meaning:
    return Meaning(name, words, 0, -limit, limit)


def _distance(name: str, words: str, limit: Number = 0.1) -> Meaning:
    return Meaning(name, words, 0, 0, limit)


MEANINGS: dict[str, Meaning] = {
    "CI": _difference("Class imbalance", "How much smaller one group is than the rest in the data.", 0.2),
    "DPL": _difference(
        "Difference in proportions of labels", "How much more often one group has the favourable outcome in the data."
    ),
    "KL": _distance("Kullback-Leibler divergence", "How far the outcomes of the groups lie apart, as surprise."),
    "JS": _distance("Jensen-Shannon divergence", "How far the outcomes of the groups lie apart, the same both ways."),
    "LP": _distance("Lp norm", "How far the outcomes of the groups lie apart, as a distance."),
    "TVD": _distance("Total variation distance", "Half the sum of the differences between the groups' outcomes."),
    "KS": _distance("Kolmogorov-Smirnov", "The largest difference between the groups in any one outcome."),
    "CDDL": _difference(
        "Conditional demographic disparity in labels",
        "Whether a group has more of the rejections than of the acceptances in the data, also within subgroups.",
    ),
    "DPPL": _difference(
        "Difference in positive proportions in predicted labels",
        "How much more often the model gives one group the favourable outcome.",
    ),
    "DI": Meaning(
        "Disparate impact",
        "The share of favourable outcomes of one group divided by that of the other; 1 means the same.",
        1, 0.8, 1.25,
    ),
    "DCAcc": _difference(
        "Difference in conditional acceptance",
        "Whether the model accepts one group more often than the data say it should, compared with the other.",
    ),
    "DCR": _difference(
        "Difference in conditional rejection",
        "Whether the model rejects one group more often than the data say it should, compared with the other.",
    ),
    "DAR": _difference(
        "Difference in acceptance rates", "How much more often an acceptance by the model is right for one group."
    ),
    "DRR": _difference(
        "Difference in rejection rates", "How much more often a rejection by the model is right for one group."
    ),
    "RD": _difference("Recall difference", "How much more often the model finds the favourable cases of one group."),
    "AD": _difference("Accuracy difference", "How much more often the model is right about one group."),
    "SD": _difference("Specificity difference", "How much more often the model finds the unfavourable cases of one."),
    "CDDPL": _difference(
        "Conditional demographic disparity in predicted labels",
        "Whether the model gives a group more of its rejections than of its acceptances, also within subgroups.",
    ),
    "TE": _difference("Treatment equality", "Whether wrong rejections and acceptances are shared out alike.", 0.2),
    "FT": _difference("Counterfactual fliptest", "Whether similar people of the other group get another outcome."),
    "GE": _distance("Generalized entropy", "How unevenly the benefit of the predictions is spread over people."),
}  # fmt: skip
_ALSO_CALLED = {"DCA": "DCAcc", "DCACC": "DCAcc"}


def meaning_of(code: str) -> Meaning | None:
    """Return what a metric means by the code Clarify writes, None for one that is not known here."""
    return MEANINGS.get(code) or MEANINGS.get(_ALSO_CALLED.get(code.upper(), code.upper()))


def verdict_of(code: str, value: Number | None) -> Verdict:
    """Return how a value stands against what is usual for its metric."""
    meaning = meaning_of(code)
    if value is None:
        return Verdict.NOT_REPORTED
    if meaning is None:
        return Verdict.UNKNOWN
    return Verdict.WITHIN if meaning.low <= value <= meaning.high else Verdict.OUTSIDE
