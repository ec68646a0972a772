"""What people write when they ask, sign, reject and ask for changes."""

from __future__ import annotations

NOTES = (
    "Better on every segment than the version in use; the card has the figures.",
    "Trained anew on fresh data, nothing else changed.",
    "Needed before the autumn campaign. The bias report is attached to the model metrics.",
    "Two features less, same figures: cheaper to run and easier to explain.",
    "Please have a look at segment 4: it is small, but the gain is real.",
    "Tested side by side with the version in use for a week.",
    "The hold-out set is new: it ends last month.",
)
APPROVALS = (
    "Figures and card agree. Go ahead.",
    "Read with the team on Thursday; no objection.",
    "Good. Watch the small segments in the first weeks.",
    "Checked against the last approved version: better throughout.",
    "The oversight described is the oversight we have. Approved.",
    "Fine with me.",
    "Evidence complete, thresholds met.",
)
REJECTIONS = (
    "The hold-out set overlaps with the training period by three weeks. Please split by time.",
    "Recall drops for customers above 65, and the card does not say so.",
    "The card names last year's data sheet. Bring the one that was used.",
    "A feature is only known after the decision it is meant for.",
    "Worse than the version in use on two of five segments; the average hides it.",
    "No explanation why the learning rate was changed together with the data.",
)
CHANGES = (
    "Please add the figures per segment to the card; then I sign.",
    "The risk rating of the card does not fit the use case. Correct it, or say why.",
)
REWORKED = (
    "Split by time now, figures in the card are the new ones.",
    "Figures for customers above 65 are in the card; the threshold was moved for them.",
    "Data sheet exchanged, feature removed, trained again.",
)
RETIREMENTS = (
    "Superseded twice; nobody needs it for comparison any more.",
    "Its training data has to be deleted by the end of the quarter.",
)
FAILURES = "CreateEndpoint failed: the container did not answer the ping within 60 s."


def pick(words: tuple[str, ...], *parts: object) -> str:
    """Return the words that always go with these parts."""
    return words[sum(map(ord, "/".join(map(str, parts)))) % len(words)]
