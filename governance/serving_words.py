"""Vocabulary of what serves: how it stands to its approval, what is known of it, whether a monitor watches."""

from __future__ import annotations

from portal.core.vocabulary import Word

__all__ = ["Presence", "Serves", "Watched"]


class Serves(Word):
    """How a model that AWS shows to be serving stands to the portal's word: `selectors.served` judges."""

    APPROVED = "approved"
    TRIAL = "trial"
    FREE = "no_approval_needed"
    UNAPPROVED = "unapproved"
    REJECTED = "rejected_or_retired"
    UNKNOWN = "unknown_model"
    UNREADABLE = "unreadable"
    NOT_SERVING = "not_serving"

    @property
    def label(self) -> str:
        return _SERVES_LABELS[self.value]


_SERVES_LABELS = {
    "approved": "Approved to run there",
    "trial": "On trial before its approval",
    "no_approval_needed": "Needs no approval there",
    "unapproved": "Not approved there",
    "rejected_or_retired": "Rejected or retired",
    "unknown_model": "Model nobody registered",
    "unreadable": "Could not be read",
    "not_serving": "Not serving",
}


class Presence(Word):
    """What is known of a version in an account where it is, or should be."""

    LIVE = "live"
    REPORTED = "reported_only"
    NOT_THERE = "not_there"
    NOT_READ = "not_read"

    @property
    def label(self) -> str:
        return {
            "live": "Seen serving",
            "reported_only": "Reported, not seen",
            "not_there": "Not serving there",
            "not_read": "Endpoints not read yet",
        }[self.value]


class Watched(Word):
    """Whether a monitor looks at what serves a version in an account."""

    WATCHED = "watched"
    MISSING = "no_monitor"
    UNKNOWN = "not_known"
    NOT_LIVE = "not_live"

    @property
    def label(self) -> str:
        return {
            "watched": "Has a monitor",
            "no_monitor": "No monitor",
            "not_known": "Monitors not read yet",
            "not_live": "Nothing to monitor",
        }[self.value]
