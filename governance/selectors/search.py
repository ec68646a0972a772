"""Global search: use cases, groups, versions, requests, findings, evidence and accounts, in a query each.

What somebody may not see is not found, also not through the name of something he may see. An id or an ARN is looked
up, and words are only looked for when it is none. A version, a request or a finding is found by the name of its use
case or group too; a name written wrongly finds something where nothing is found otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db import connection, transaction
from django.db.models import Case, FloatField, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Upper

from portal.core.actors import Actor
from portal.core.search import Typed, words_vector
from registry.models import AwsAccount, ModelGroup, ModelVersion, UseCase, User

from ..models import ApprovalRequest, Evidence, Finding

# No more rows than this are read of a kind: its count then says "100+", and the list behind it has all.
MOST = 100
# Names found through which further kinds are looked for.
_THROUGH = 50
# How much of a misspelt word must be found in a name, from 0 to 1.
_ALIKE = 0.34
_EXACT, _NAMED, _MEANT, _ALIKE_RANK = 3, 2, 1, 0


class Kind(StrEnum):
    """What is searched, in the order in which it is shown."""

    USE_CASE = "use_case"
    GROUP = "group"
    VERSION = "version"
    REQUEST = "request"
    FINDING = "finding"
    EVIDENCE = "evidence"
    ACCOUNT = "account"


_NOTHING = Q(pk__in=[])
_NAMED_BY_ARN = (Kind.GROUP, Kind.VERSION)
_NAMED_BY_PREFIX = {
    "UC": (Kind.USE_CASE,),
    "AR": (Kind.REQUEST,),
    "FND": (Kind.FINDING,),
    "EV": (Kind.EVIDENCE,),
}


def _of(path: str, fields: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{path}__{field}" for field in fields)


_PERSON = ("username", "display_name", "first_name", "last_name")
_GROUP = ("name", "project")
_VERSION = (
    *("arn", "number", "description", "purpose", "owner_name", "stage", "status", "risk_rating", "aws_created_at"),
    *_of("group", _GROUP),
)
_REQUEST = (
    *("kind", "stage", "to_stage", "state", "note", "created_at"),
    *_of("use_case", ("number", "name", "project")),
    *("version__number", *_of("version__group", _GROUP)),
    *_of("requester", _PERSON),
)


@dataclass(frozen=True)
class Matches:
    """What was found of one kind, the best first; `is_more` when there is more than was read.

    Versions, requests and findings come without their documents: of each, what names it and says how it stands.
    """

    kind: Kind
    rows: Sequence[Any]
    count: int
    is_more: bool
    is_exact: bool


def search(actor: Actor, typed: Typed, kinds: Sequence[Kind] = tuple(Kind)) -> list[Matches]:
    """Return what this actor may see of what was typed, by kind; what was named by its id or ARN comes first.

    Kinds of which nothing is found are left out. Asks one query a kind and two around them, for an id or an ARN one or
    two in all.
    """
    if not typed.is_enough:
        return []
    named = _NAMED_BY_ARN if typed.is_arn else _NAMED_BY_PREFIX.get(typed.prefix, ())
    with transaction.atomic():
        found = _Looking(actor, typed, exactly=True).of(kind for kind in named if kind in kinds)
        if not found and not typed.is_arn:
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)", [str(_ALIKE)])
            found = _Looking(actor, typed, exactly=False).of(kinds)
    return sorted(found, key=lambda one: not one.is_exact)


class _Looking:
    """One search: names of use cases and groups lead to what belongs to them, so those are looked for once."""

    def __init__(self, actor: Actor, typed: Typed, *, exactly: bool) -> None:
        self.actor, self.typed = actor, typed
        self.query = None if exactly else typed.query
        self._found: dict[Kind, list[Any]] = {}
        self._people: list[int] | None = None

    def of(self, kinds: Iterable[Kind]) -> list[Matches]:
        """Return what is found of these kinds, those with nothing left out."""
        found = []
        for kind in kinds:
            if rows := self.rows(kind):
                is_exact = rows[0].rank == _EXACT
                found.append(Matches(kind, rows[:MOST], min(len(rows), MOST), len(rows) > MOST, is_exact))
        return found

    def rows(self, kind: Kind) -> list[Any]:
        if kind not in self._found:
            readers: dict[Kind, Callable[[], list[Any]]] = {
                Kind.USE_CASE: self.use_cases,
                Kind.GROUP: self.groups,
                Kind.VERSION: self.versions,
                Kind.REQUEST: self.requests,
                Kind.FINDING: self.findings,
                Kind.EVIDENCE: self.evidence,
                Kind.ACCOUNT: self.accounts,
            }
            self._found[kind] = _as_typed(readers[kind]())
        return self._found[kind]

    # Kinds with names of their own

    def use_cases(self) -> list[Any]:
        number = self.typed.number_of("UC")
        rows = UseCase.objects.visible_to(self.actor)
        words = words_vector("name", "description", "intended_purpose", "business_owner")
        found = self._named(rows, Q(number=number), words, Q(model_owner__in=self.people()))
        return list(found.select_related("project", "model_owner").order_by("-rank", "-alike", "number")[: MOST + 1])

    def groups(self) -> list[Any]:
        rows = ModelGroup.objects.visible_to(self.actor)
        exact = Q(arn=self.typed.text) if self.typed.is_arn else Q(name__iexact=self.typed.text)
        found = self._named(rows, exact, words_vector("name", "description"), Q(owner__in=self.people()))
        return list(found.select_related("account", "project").order_by("-rank", "-alike", "name", "pk")[: MOST + 1])

    def evidence(self) -> list[Any]:
        number = self.typed.number_of("EV")
        rows = Evidence.objects.visible_to(self.actor)
        exact = Q(pk=number) if len(self.typed.text) != 64 else Q(sha256=self.typed.text.lower())
        found = self._named(rows, exact, words_vector("title", "note", "filename"), _NOTHING, name="title")
        return list(found.select_related("use_case", "version__group").order_by("-rank", "-alike", "-pk")[: MOST + 1])

    def accounts(self) -> list[Any]:
        text = self.typed.text
        alike = Q(alike__gte=_ALIKE) | Q(alias__icontains=text)
        begins = Q(account_id__startswith=text) if text.isdecimal() and len(text) > 3 else _NOTHING
        rows = AwsAccount.objects.visible_to(self.actor).annotate(alike=TrigramWordSimilarity(text, "alias"))
        ranked = rows.filter(alike | begins).annotate(rank=_rank(Q(account_id=text), begins, Q(alias__icontains=text)))
        return list(ranked.order_by("-rank", "-alike", "alias")[: MOST + 1])

    # Kinds that are called by the name of something else

    def versions(self) -> list[Any]:
        rows = ModelVersion.objects.visible_to(self.actor)
        exact = _NOTHING
        if self.typed.is_arn:
            exact = Q(arn=self.typed.text)
        elif self.typed.version_name is not None:
            group, number = self.typed.version_name
            exact = Q(group__in=rows_called(ModelGroup.objects.visible_to(self.actor), group), number=number)
        through = [Q(group__in=self.through(Kind.GROUP))]
        words = words_vector("description", "purpose", "owner_name")
        found = self._called(rows, exact, through, words, "-aws_created_at")
        related = found.select_related("group").only(*_VERSION)
        return list(related.order_by("-rank", "-aws_created_at", "-pk")[: MOST + 1])

    def requests(self) -> list[Any]:
        rows = ApprovalRequest.objects.visible_to(self.actor)
        through = [
            Q(use_case__in=self.through(Kind.USE_CASE)),
            Q(version__group__in=self.through(Kind.GROUP)),
            Q(requester__in=self.people()),
        ]
        found = self._called(rows, Q(pk=self.typed.number_of("AR")), through, words_vector("note"), "-pk")
        related = found.select_related("use_case", "version__group", "requester").only(*_REQUEST)
        return list(related.order_by("-rank", "-pk")[: MOST + 1])

    def findings(self) -> list[Any]:
        rows = Finding.objects.visible_to(self.actor)
        through = [
            Q(use_case__in=self.through(Kind.USE_CASE)),
            Q(group__in=self.through(Kind.GROUP)),
            Q(version__group__in=self.through(Kind.GROUP)),
            Q(owner__in=self.people()),
        ]
        found = self._called(rows, Q(pk=self.typed.number_of("FND")), through, words_vector("summary"), "-pk")
        related = found.select_related("owner").only("kind", "severity", "state", "summary", *_of("owner", _PERSON))
        return list(related.order_by("-rank", "-pk")[: MOST + 1])

    # How

    def people(self) -> list[int]:
        """Return who is meant by name: what they own and asked for is found."""
        if self._people is None:
            self._people = []
            if self.query is not None and not self.typed.text.isdecimal():
                called = Q(display_name__icontains=self.typed.text) | Q(username__icontains=self.typed.text)
                self._people = list(User.objects.filter(called).values_list("pk", flat=True)[:_THROUGH])
        return self._people

    def through(self, kind: Kind) -> list[int]:
        """Return the use cases or groups whose names were found, and by which others are called."""
        if self.query is None:
            return []
        return [row.pk for row in self.rows(kind) if row.rank != _MEANT][:_THROUGH]

    def _named(self, rows: QuerySet[Any], exact: Q, words: Any, also: Q, *, name: str = "name") -> QuerySet[Any]:
        """Return rows found by id, by any part of their name, by their words, or, with none of these, nearly so."""
        if self.query is None:
            found = rows.filter(exact)
            return found.annotate(rank=Value(_EXACT), alike=Value(0.0, output_field=FloatField()))
        loud = rows.alias(loud=Upper(name))
        holds = loud.filter(loud__contains=self.typed.text.upper())
        meant = rows.alias(words=words).filter(words=self.query)
        alike = loud.filter(loud__trigram_word_similar=self.typed.text)
        found = _any_of(rows, rows.filter(exact), rows.filter(also), holds, meant, alike)
        return found.annotate(
            rank=_rank(exact, Q(**{f"{name}__icontains": self.typed.text}), also | Q(pk__in=meant.values("pk"))),
            alike=TrigramWordSimilarity(self.typed.text, name),
        )

    def _called(self, rows: QuerySet[Any], exact: Q, through: list[Q], words: Any, newest: str) -> QuerySet[Any]:
        """Return rows found by id, by the name of what they are about, or by their own words.

        Of each way the newest are read; a word that stands in thousands of rows brings some of them, newest or not.
        """
        if self.query is None:
            return rows.filter(exact).annotate(rank=Value(_EXACT))
        ways = [rows.filter(way).order_by(newest) for way in through]
        meant = rows.alias(words=words).filter(words=self.query)
        found = _any_of(rows, rows.filter(exact), *ways, meant)
        named = Q(*through, _connector=Q.OR)
        return found.annotate(rank=_rank(exact, named, default=_MEANT))


def rows_called(groups: QuerySet[Any], name: str) -> QuerySet[Any]:
    """Return the groups of this name, whatever its case."""
    return groups.alias(loud=Upper("name")).filter(loud=name.upper()).values("pk")


def _any_of(rows: QuerySet[Any], *ways: QuerySet[Any]) -> QuerySet[Any]:
    """Return the rows found in any of these ways, some hundreds of each: each asks its own index, which OR does not."""
    first, *others = [way.values("pk")[: MOST * 5] for way in ways]
    return rows.filter(pk__in=first.union(*others))


def _rank(exact: Q, named: Q, meant: Q | None = None, default: int = _ALIKE_RANK) -> Case:
    whens = [When(exact, then=Value(_EXACT)), When(named, then=Value(_NAMED))]
    if meant is not None:
        whens.append(When(meant, then=Value(_MEANT)))
    return Case(*whens, default=Value(default), output_field=IntegerField())


def _as_typed(rows: list[Any]) -> list[Any]:
    """Leave out what is only nearly alike when something was found as it was typed."""
    return [row for row in rows if row.rank != _ALIKE_RANK] or rows
