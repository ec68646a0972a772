"""What each bias metric of Clarify means in plain words, which way it leans, and the limits people usually set.

Clarify gives the formula of each metric and the value that means no bias, and no limits: those below are conventions,
each named with whose it is. What an organisation holds its models to are the metric rules of its policy. "This group"
is the part of the facet that Clarify names (its facet d), "the others" are everybody else (facet a). Source of names,
formulas and ideal values: SageMaker Developer Guide, "Measure Pre-training Bias", "Measure Post-training Data and Model
Bias" and the page of each metric.
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


class Convention(Word):
    """Whose custom a usual limit is; none of them is SageMaker's or the law of this portal."""

    FOUR_FIFTHS = "four_fifths"
    TOOLKITS = "toolkits"
    PORTAL = "portal"

    @property
    def short(self) -> str:
        """Whose it is, in a word or two: "four-fifths rule"."""
        return {"four_fifths": "four-fifths rule", "toolkits": "fairness toolkits", "portal": "this portal"}[self.value]

    @property
    def words(self) -> str:
        """Where it comes from, as a sentence for people."""
        return _CONVENTIONS[self]


_CONVENTIONS = {
    Convention.FOUR_FIFTHS: (
        "The four-fifths rule of US employment law (29 CFR 1607.4 D): at least 0.8. Its reciprocal, 1.25, is the "
        "upper end that fairness toolkits add."
    ),
    Convention.TOOLKITS: (
        "The band of 0.1 either way in which fairness toolkits such as AI Fairness 360 call such a difference fair."
    ),
    Convention.PORTAL: "No published limit: this portal marks what lies further away, so that somebody looks at it.",
}


@dataclass(frozen=True, slots=True)
class Meaning:
    """A metric's name, what it says, what a value on either side of the ideal says, and the usual limits.

    Both ends of the limits are allowed. `above` and `below` are "" where a side says nothing of who fares worse.
    """

    name: str
    words: str
    above: str
    below: str
    ideal: Number
    low: Number
    high: Number
    convention: Convention

    @property
    def usual(self) -> str:
        """The usual limits in words: "-0.1 to 0.1", "at most 0.1"."""
        return f"at most {self.high}" if self.low == self.ideal == 0 else f"{self.low} to {self.high}"

    def leaning(self, value: Number | None) -> str:
        """Say which way a value leans, "" for none and for the ideal one."""
        if value is None or value == self.ideal:
            return ""
        return self.above if value > self.ideal else self.below


def _difference(
    name: str, words: str, above: str, below: str, limit: Number = 0.1, convention: Convention = Convention.TOOLKITS
) -> Meaning:
    return Meaning(name, words, above, below, 0, -limit, limit, convention)


def _distance(name: str, words: str) -> Meaning:
    return Meaning(name, f"{words} It does not say who fares worse.", "", "", 0, 0, 0.1, Convention.PORTAL)


MEANINGS: dict[str, Meaning] = {
    # Before training: of the data alone.
    "CI": _difference(
        "Class imbalance",
        "Whether this group is smaller or larger in the data than the others, as (others - group) / all.",
        "This group has fewer rows than the others.",
        "This group has more rows than the others.",
        0.2, Convention.PORTAL,
    ),
    "DPL": _difference(
        "Difference in proportions of labels",
        "The share of favourable outcomes among the others less that among this group, in the data.",
        "The others have the favourable outcome more often.",
        "This group has the favourable outcome more often.",
    ),
    "KL": _distance(
        "Kullback-Leibler divergence", "How far the outcomes of the two groups lie apart, as surprise; 0 is alike."
    ),
    "JS": _distance(
        "Jensen-Shannon divergence", "How far the outcomes of the two groups lie apart, the same both ways; 0 is alike."
    ),
    "LP": _distance("Lp norm", "How far the outcomes of the two groups lie apart, as a distance; 0 is alike."),
    "TVD": _distance(
        "Total variation distance", "Half the sum of the differences between the two groups' outcomes; 0 is alike."
    ),
    "KS": _distance("Kolmogorov-Smirnov", "The largest difference between the two groups in any one outcome."),
    "CDDL": _difference(
        "Conditional demographic disparity in labels",
        "This group's share of the rejections less its share of the acceptances in the data, averaged over subgroups.",
        "This group has more of the rejections than of the acceptances.",
        "This group has more of the acceptances than of the rejections.",
        0.1, Convention.PORTAL,
    ),
    # After training: of what the model makes of the data.
    "DPPL": _difference(
        "Difference in positive proportions in predicted labels",
        "The share of favourable predictions among the others less that among this group.",
        "The model favours the others.",
        "The model favours this group.",
    ),
    "DI": Meaning(
        "Disparate impact",
        "The share of favourable predictions in this group divided by that among the others; 1 means the same.",
        "The model gives this group the favourable outcome more often.",
        "The model gives this group the favourable outcome less often.",
        1, 0.8, 1.25, Convention.FOUR_FIFTHS,
    ),
    "DCAcc": _difference(
        "Difference in conditional acceptance",
        "Observed acceptances per predicted one, among the others less in this group.",
        "The model accepts this group more readily than the data do: the data may hold it back.",
        "The model accepts this group less readily than the data do.",
        0.1, Convention.PORTAL,
    ),
    "DCR": _difference(
        "Difference in conditional rejection",
        "Observed rejections per predicted one, in this group less among the others.",
        "The model rejects this group less readily than the data do.",
        "The model rejects this group more readily than the data do.",
        0.1, Convention.PORTAL,
    ),
    "DAR": _difference(
        "Difference in acceptance rates",
        "How often an acceptance by the model is right (precision), among the others less in this group.",
        "Acceptances of this group are right less often.",
        "Acceptances of this group are right more often.",
        0.1, Convention.PORTAL,
    ),
    "DRR": _difference(
        "Difference in rejection rates",
        "How often a rejection by the model is right, in this group less among the others.",
        "Rejections of this group are right more often.",
        "Rejections of this group are right less often.",
        0.1, Convention.PORTAL,
    ),
    "RD": _difference(
        "Recall difference",
        "The share of favourable cases the model finds (recall), among the others less in this group.",
        "The model overlooks more of this group's favourable cases.",
        "The model overlooks more of the others' favourable cases.",
    ),
    "AD": _difference(
        "Accuracy difference",
        "How often the model is right, about the others less about this group.",
        "The model is right less often about this group.",
        "The model is right more often about this group.",
        0.1, Convention.PORTAL,
    ),
    "SD": _difference(
        "Specificity difference",
        "The share of unfavourable cases the model finds (specificity), in this group less among the others.",
        "The others are wrongly accepted more often than this group.",
        "This group is wrongly accepted more often than the others.",
    ),
    "CDDPL": _difference(
        "Conditional demographic disparity in predicted labels",
        "This group's share of the model's rejections less its share of the acceptances, averaged over subgroups.",
        "The model gives this group more of its rejections than of its acceptances.",
        "The model gives this group more of its acceptances than of its rejections.",
        0.1, Convention.PORTAL,
    ),
    "TE": _difference(
        "Treatment equality",
        "Wrong acceptances per wrong rejection, among the others less in this group.",
        "Errors about this group are wrong rejections more often.",
        "Errors about this group are wrong acceptances more often.",
        0.2, Convention.PORTAL,
    ),
    "FT": _difference(
        "Counterfactual fliptest",
        "Whether people of this group would get another outcome if they were the most similar of the others.",
        "More of this group would fare better as one of the others than would fare worse.",
        "More of this group would fare worse as one of the others than would fare better.",
        0.1, Convention.PORTAL,
    ),
    "GE": Meaning(
        "Generalized entropy",
        "How unevenly the benefit of the predictions is spread; 0 means evenly. It does not say who fares worse.",
        "",
        "",
        0, 0, 0.1, Convention.PORTAL,
    ),
}  # fmt: skip
# What older Clarify containers and the guide itself write.
_ALSO_CALLED = {"DCA": "DCAcc", "DCACC": "DCAcc", "CDD": "CDDL"}


def names_of(code: str) -> tuple[str, ...]:
    """Return every name a metric is known by, that of the report first: ("DCA", "DCAcc")."""
    ours = _ALSO_CALLED.get(code.upper(), code.upper())
    others = [ours, *(other for other, name in _ALSO_CALLED.items() if name == ours and other != "DCACC")]
    return tuple(dict.fromkeys((code, *(others if ours in MEANINGS else ()))))


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
