"""What changes: a version against the last approved one of its group, versions beside each other, a use case against
its last request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.core.actors import Actor
from portal.core.errors import InvalidInput, NotFound
from portal.core.vocabulary import Stage
from registry.models import ModelVersion, UseCase

from ..models import ApprovalRequest, AuditEvent, StageRecord
from ..policies.facts import MetricRule
from ..policies.measures import Direction, best_of, delta_words, direction_of, verdict_words
from .policy import STANDING, in_force, rules_of
from .version_sheet import CHANGING, Sheet, Title, metrics_of, sheets_of
from .words import field_words, value_words

__all__ = [
    "FEWEST", "MOST", "Comparison", "Predecessor", "SideBySide", "changed_since_last_request", "chosen", "compare",
    "edits_since", "metrics_of", "predecessor", "side_by_side",
]  # fmt: skip

# As many columns as a page can show beside each other.
FEWEST, MOST = 2, 4


@dataclass(frozen=True)
class Comparison:
    """One group of differences: rows of {field, before, after, note}."""

    title: str
    rows: list[dict[str, Any]]
    compared: int


@dataclass(frozen=True)
class Cell:
    """One version's value in words (None: not reported), by how much it differs from the first version's, and whether
    it is the best of them."""

    text: str | None
    delta: str = ""
    is_best: bool = False


@dataclass(frozen=True)
class Line:
    """One field of several versions; `direction` says in words which way is better."""

    field: str
    cells: tuple[Cell, ...]
    differs: bool
    direction: str = ""


@dataclass(frozen=True)
class SideBySide:
    """One section of several versions beside each other; `same` counts the lines in which all agree."""

    title: str
    lines: tuple[Line, ...]
    same: int


@dataclass(frozen=True)
class Predecessor:
    """The version a decision compares with, and where it was approved."""

    version: ModelVersion
    stage: Stage


def predecessor(version: ModelVersion, stage: Stage) -> Predecessor | None:
    """Return the version of the group last approved at this stage, or else at any; None when there is none."""
    approved = (
        StageRecord.objects.filter(version__group_id=version.group_id, status__in=STANDING)
        .exclude(version=version)
        .select_related("version__group")
        .order_by("-audit_at", "-pk")
    )
    found = approved.filter(stage=stage).first() or approved.first()
    return Predecessor(found.version, Stage(found.stage)) if found is not None else None


def chosen(actor: Actor, asked: Sequence[str]) -> list[ModelVersion]:
    """Return the versions asked for by their ids, in that order.

    Raises NotFound for one the actor may not see or that is no id, InvalidInput for fewer than two, more than four or
    the same twice.
    """
    ids = [int(given) for given in asked if given.isascii() and given.isdigit() and len(given) < 19]
    if len(ids) < len(asked):
        raise NotFound("There is no such model version.")
    if len(set(ids)) < len(ids):
        raise InvalidInput("The same version was chosen twice. Choose different ones.")
    if len(ids) > MOST:
        raise InvalidInput(f"{len(ids)} versions are chosen; at most {MOST} fit beside each other. Leave some out.")
    rows = ModelVersion.objects.visible_to(actor).select_related(
        "group__account", "group__project", "group__owner", "registered_by"
    )
    found = {version.pk: version for version in rows.filter(pk__in=ids)}
    if len(found) < len(ids):
        raise NotFound("There is no such model version, or you may not see it.")
    if len(ids) < FEWEST:
        raise InvalidInput(
            "Nothing is chosen yet. Choose two to four versions."
            if not ids
            else "Only one version is chosen. Choose at least one more."
        )
    return [found[pk] for pk in ids]


def side_by_side(actor: Actor, versions: Sequence[ModelVersion]) -> list[SideBySide]:
    """Return everything several versions have beside each other, by section; numbers with their differences."""
    sheets = sheets_of(actor, versions)
    rules = _metric_rules()
    return [_beside(title, [sheet[title] for sheet in sheets], rules) for title in Title]


def compare(actor: Actor, before: ModelVersion, after: ModelVersion) -> list[Comparison]:
    """Return what differs between two versions, in groups; a group that agrees has no rows."""
    old, new = sheets_of(actor, [before, after])
    rules = _metric_rules()
    return [_compared(title, old, new, rules) for title in CHANGING]


def _metric_rules() -> list[MetricRule]:
    return [metric for rule in rules_of(in_force()) for metric in rule.metrics]


def _beside(title: Title, parts: Sequence[Mapping[str, Any]], rules: Sequence[MetricRule]) -> SideBySide:
    lines = []
    for name in dict.fromkeys(name for part in parts for name in part):
        values = [part.get(name) for part in parts]
        direction = direction_of(name, rules) if title.has_better else Direction.UNKNOWN
        best = best_of(values, direction)
        cells = tuple(
            Cell(
                value_words(value),
                delta_words(values[0], value) if index and title.is_measured else "",
                best[index],
            )
            for index, value in enumerate(values)
        )
        differs = any(_is_other(value, values[0]) for value in values[1:])
        lines.append(Line(name, cells, differs, direction.value if differs else ""))
    return SideBySide(title.value, tuple(lines), sum(1 for line in lines if not line.differs))


def _compared(title: Title, old: Sheet, new: Sheet, rules: Sequence[MetricRule]) -> Comparison:
    before, after = old[title], new[title]
    names = list(dict.fromkeys([*after, *before]))
    rows = [
        {
            "field": name,
            "before": value_words(before.get(name)),
            "after": value_words(after.get(name)),
            "note": _note_of(title, name, before.get(name), after.get(name), rules) if title.is_measured else "",
        }
        for name in names
        if _is_other(before.get(name), after.get(name))
    ]
    return Comparison(title.value, rows, len(names))


def _is_other(one: Any, other: Any) -> bool:
    # To Python yes is 1 and no is 0; whoever reads them sees two words.
    return isinstance(one, bool) is not isinstance(other, bool) or bool(one != other)


def _note_of(title: Title, name: str, before: Any, after: Any, rules: Sequence[MetricRule]) -> str:
    """Say how a number changed: "+0.02, better"."""
    verdict = verdict_words(before, after, direction_of(name, rules) if title.has_better else Direction.UNKNOWN)
    return ", ".join(part for part in (delta_words(before, after), verdict) if part)


def changed_since_last_request(request: ApprovalRequest) -> tuple[ApprovalRequest | None, list[dict[str, Any]]]:
    """Return the request before this one about the same use case, and what was edited since it was closed."""
    use_case = request.use_case
    if use_case is None:
        return None, []
    earlier = (
        ApprovalRequest.objects.about(use_case).filter(pk__lt=request.pk, closed_at__isnull=False).order_by("-pk")
    ).first()
    if earlier is None:
        return None, []
    return earlier, edits_since(use_case, earlier.closed_at)


def edits_since(use_case: UseCase, moment: Any) -> list[dict[str, Any]]:
    """Return what was edited in a use case and its documents since a moment: the first and the last value."""
    documents = dict(use_case.documents.values_list("pk", "kind"))
    chains = [f"registry_usecase:{use_case.pk}", *(f"registry_usecasedocument:{pk}" for pk in documents)]
    events = AuditEvent.objects.filter(chain__in=chains, at__gt=moment).order_by("sequence")
    changes: dict[str, list[Any]] = {}
    for event in events:
        if event.table == "registry_usecasedocument":
            name = documents[int(event.object_id)]
            pair = event.changes.get("text") if event.action == "update" else [None, event.changes.get("text")]
            _note(changes, name, pair)
            continue
        if event.action == "update":
            for name, pair in event.changes.items():
                if name in _TOLD:
                    _note(changes, name, pair)
    return [
        {"field": field_words(name), "before": value_words(before), "after": value_words(after)}
        for name, (before, after) in changes.items()
        if before != after
    ]


_TOLD = ("name", "intended_purpose", "description", "business_owner", "risk_class", "risk_reason", "next_review_on")


def _note(changes: dict[str, list[Any]], name: str, pair: Any) -> None:
    if not isinstance(pair, list) or len(pair) != 2:
        return
    if name in changes:
        changes[name][1] = pair[1]
    else:
        changes[name] = list(pair)
