"""A model card as PDF, set as the documents of audit packs are: the same card is the same bytes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from registry.choices import CardStatus, RiskRating
from registry.models import ModelCard, ModelCardVersion
from registry.selectors.card_sheet import Bars, Evaluation, Grid, Line, Section, sheet
from registry.services import cards

from .audit_pack.typeset import Part, code, heading, listing, pairs, typeset, words

_DISCLAIMER = (
    "This is a reading of the model card as SageMaker had it at the moment named above. What SageMaker holds counts."
)
_MOST_POINTS = 200


def pdf_of(card: ModelCard, shown: ModelCardVersion) -> bytes:
    """Return one version of a card as PDF. Raises NotTypeset."""
    kept = shown.text if shown.content is None else json.dumps(shown.content, sort_keys=True, ensure_ascii=False)
    facts = cards.facts_of(shown.content or {})
    moment = f"{shown.read_at:%Y-%m-%d %H:%M} UTC"
    chapters = [{"title": section.title, "parts": _section(section)} for section in sheet(shown.content)]
    if shown.problems:
        rows = [[str(problem)] for problem in shown.problems]
        problems = {"title": "What is wrong with it", "parts": [listing([("Problem", 1)], rows, "Nothing.")]}
        chapters.insert(0, problems)
    if shown.content is None:
        chapters.append({"title": "As AWS gave it", "parts": [words(shown.text[:20_000] or "Nothing.", "quote")]})
    document = {
        "title": f"Model card {card.name}",
        "scope": card.model_name or (card.group.name if card.group else card.name),
        "portal": "Model Governance Portal",
        "as_of": f"Version {shown.number}, read {moment}",
        "data_sha256": hashlib.sha256(kept.encode()).hexdigest(),
        "cover": [
            ["Version", str(shown.number)],
            ["Status", CardStatus(shown.status).label],
            ["Risk rating", "" if facts.risk_rating == RiskRating.UNKNOWN else facts.risk_rating.label],
            ["Owner", facts.owner_name],
            ["Line of business", facts.line_of_business],
            ["Use case", facts.use_case_id],
            ["Account", f"{card.account}, {card.region}"],
            ["ARN", {"code": card.arn}],
            ["Read", moment],
        ],
        "state": _state(shown),
        "disclaimer": _DISCLAIMER,
        "chapters": chapters or [{"title": "Content", "parts": [words("The card says nothing.")]}],
    }
    return typeset(document, shown.read_at)


def _state(shown: ModelCardVersion) -> dict[str, str]:
    if shown.problems:
        text = f"{len(shown.problems)} of its fields are not what SageMaker's schema asks for."
        return {"tone": "warn", "title": "Its content has problems", "text": text}
    return {
        "tone": "good",
        "title": "Its content is valid",
        "text": "Checked against SageMaker's schema of model cards.",
    }


def _section(section: Section) -> list[Part]:
    parts: list[Part] = []
    if section.fields:
        parts.append(pairs(*((field.label, "\n".join(field.lines)) for field in section.fields)))
    for grid in section.grids:
        parts += _grid(grid)
    for evaluation in section.evaluations:
        parts += _evaluation(evaluation)
    for label, value in section.rest:
        parts += [heading(label, 3), code(json.dumps(value, ensure_ascii=False)[:4000])]
    return parts


def _evaluation(evaluation: Evaluation) -> list[Part]:
    parts: list[Part] = [heading(evaluation.name)]
    if evaluation.fields:
        parts.append(pairs(*((field.label, "\n".join(field.lines)) for field in evaluation.fields)))
    for group in evaluation.groups:
        parts.append(heading(group.name, 3))
        if group.simple:
            columns = [("Metric", 1.0), ("Value", 0.7), ("Notes", 1.4)]
            parts.append(listing(columns, [list(row) for row in group.simple], "None."))
        for chart in group.charts:
            parts += _chart(chart)
    return parts


def _chart(chart: Grid | Line | Bars) -> list[Part]:
    if isinstance(chart, Line):
        return _grid(chart.grid)
    if isinstance(chart, Bars):
        rows = tuple((name, value) for name, value, _ in chart.bars)
        return _grid(Grid(chart.title, ("Name", "Value"), rows, chart.notes))
    return _grid(chart)


def _grid(grid: Grid) -> list[Part]:
    rows: list[list[Any]] = [list(row) for row in grid.rows[:_MOST_POINTS]]
    parts = [words(grid.title), listing([(head, 1.0) for head in grid.heads], rows, "Nothing.")]
    if len(grid.rows) > _MOST_POINTS:
        parts.append(words(f"And {len(grid.rows) - _MOST_POINTS} more rows.", "quiet"))
    if grid.notes:
        parts.append(words(grid.notes, "quiet"))
    return parts
