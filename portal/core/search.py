"""What global search stands on: how what people type is read, which indexes find it, and how a match is shown.

PostgreSQL finds words by full text (stemmed English, the last word by its beginning) and names by trigrams, which also
forgive typos: https://www.postgresql.org/docs/current/pgtrgm.html, .../textsearch.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models.functions import Upper
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

CONFIG = "english"
# More than this is no search; what is cut off is not looked for.
LONGEST = 200
SHORTEST = 2
_MOST_WORDS = 12
_WORD = re.compile(r"\w+")
_PUBLIC_ID = re.compile(r"([A-Za-z]{2,4})-?0*([0-9]{1,18})")
_VERSION = re.compile(r"(?P<group>[A-Za-z0-9](?:-*[A-Za-z0-9]){0,62})/(?P<number>[0-9]{1,9})")
_CLOSE = 0.7


def words_vector(*fields: str) -> SearchVector:
    """Return the full text of some columns; a search uses an index only when it asks for the very same expression."""
    return SearchVector(*fields, config=CONFIG)


def words_index(name: str, *fields: str) -> GinIndex:
    """Return the index full text needs over these columns."""
    return GinIndex(words_vector(*fields), name=name)


def letters_index(name: str, field: str) -> GinIndex:
    """Return the index that finds any part of a name, whatever its case, and names that are nearly alike."""
    return GinIndex(OpClass(Upper(field), name="gin_trgm_ops"), name=name)


@dataclass(frozen=True)
class Typed:
    """What somebody typed, read for searching."""

    text: str

    @classmethod
    def read(cls, given: object) -> Typed:
        """Read what came with a request: without control characters, in one line, of a sane length."""
        text = "".join(letter if letter.isprintable() else " " for letter in str(given or "")[: LONGEST * 4])
        return cls(" ".join(text.split())[:LONGEST].strip())

    @property
    def is_enough(self) -> bool:
        """Whether there is something to look for: two letters, or any digit."""
        return len(self.text) >= SHORTEST or self.text.isdecimal()

    @cached_property
    def words(self) -> list[str]:
        return _WORD.findall(self.text)[:_MOST_WORDS]

    def number_of(self, *prefixes: str) -> int | None:
        """Return the number in a public id with one of these prefixes: 12 of "uc-0012", "UC12" and, bare, of "12"."""
        if self.text.isascii() and self.text.isdecimal() and len(self.text) <= 18:
            return int(self.text)
        match = _PUBLIC_ID.fullmatch(self.text)
        return int(match[2]) if match and match[1].upper() in prefixes else None

    @property
    def prefix(self) -> str:
        """The prefix of a public id, UC of uc-0012; "" when it is none."""
        match = _PUBLIC_ID.fullmatch(self.text)
        return match[1].upper() if match else ""

    @property
    def is_arn(self) -> bool:
        return self.text.lower().startswith("arn:")

    @property
    def version_name(self) -> tuple[str, int] | None:
        """The group and number of a version's name, credit-risk/3; None when it is none."""
        match = _VERSION.fullmatch(self.text)
        return (match["group"], int(match["number"])) if match else None

    @property
    def query(self) -> SearchQuery | None:
        """All its words, the last by its beginning; None without any. Nothing in it is an operator."""
        if not self.words:
            return None
        parts = [f"'{word}'" for word in self.words[:-1]] + [f"'{self.words[-1]}':*"]
        return SearchQuery(" & ".join(parts), config=CONFIG, search_type="raw")


def marked(text: object, typed: Typed, longest: int = 0) -> SafeString:
    """Escape a text and mark in it what was looked for; with `longest`, only the part around the first match."""
    shown = " ".join(str(text).split())
    wanted = [word.casefold() for word in typed.words]
    spans = [match.span() for match in _WORD.finditer(shown) if _is_wanted(match[0].casefold(), wanted)]
    if longest and len(shown) > longest:
        begin = max(0, (spans[0][0] if spans else 0) - longest // 3)
        begin = shown.rfind(" ", 0, begin) + 1 if begin else 0
        cut = shown[begin : begin + longest]
        spans = [(start - begin, end - begin) for start, end in spans if begin <= start and end <= begin + longest]
        before, after = "… " if begin else "", " …" if begin + longest < len(shown) else ""
    else:
        cut, before, after = shown, "", ""
    pieces, done = [conditional_escape(before)], 0
    for start, end in spans:
        pieces += [conditional_escape(cut[done:start]), format_html("<mark>{}</mark>", cut[start:end])]
        done = end
    return mark_safe("".join([*pieces, conditional_escape(cut[done:]), after]))  # noqa: S308 - each piece is escaped


def _is_wanted(word: str, wanted: list[str]) -> bool:
    """Whether a word of a text is one that was typed: it holds it, or is nearly alike."""
    for other in wanted:
        if other in word:
            return True
        if min(len(word), len(other)) < 4 or word[0] != other[0]:
            continue
        if SequenceMatcher(None, word, other).ratio() >= _CLOSE:
            return True
    return False
