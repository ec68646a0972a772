"""EU AI Act: the questionnaire and its rules as dated data, and the pure engine that reads them; Django-free.

The portal's reading of Regulation (EU) 2024/1689: a product rule that helps people to classify, not legal advice.
"""

from .answers import UNSURE, Answers, AnswersUnusable, read_answers
from .catalogue import UnknownEdition, current, edition, editions
from .edition import Edition
from .engine import Assessment, Duty, Flag, Missing, Reason, assess
from .questionnaire import Asked, AskedSection, questionnaire

DISCLAIMER = (
    "This is a rule of the portal, not legal advice: it helps to find the class and the articles to read."
    " The text of the Regulation decides."
)

__all__ = [
    "DISCLAIMER",
    "UNSURE",
    "Answers",
    "AnswersUnusable",
    "Asked",
    "AskedSection",
    "Assessment",
    "Duty",
    "Edition",
    "Flag",
    "Missing",
    "Reason",
    "UnknownEdition",
    "assess",
    "current",
    "edition",
    "editions",
    "questionnaire",
    "read_answers",
]
