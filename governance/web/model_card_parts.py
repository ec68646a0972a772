"""The repeating parts of a model card as rows, and rows put back into the card. Pure.

What rows do not show, such as charts and fields beyond the schema, stays where it was.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from portal.core.errors import InvalidInput

from .model_card_rows import AT, Column, Row, keyed, number_of, shown

USE_CASE = "UseCaseId"
METRIC_COLUMNS = (
    Column("name", "Name", 255, is_needed=True),
    Column("value", "Value", 63, is_needed=True, is_number=True),
    Column("notes", "Notes", 1024),
)
PARAMETER_COLUMNS = (Column("name", "Name", 255, is_needed=True), Column("value", "Value", 255))
DETAIL_COLUMNS = (Column("name", "Name", 255, is_needed=True), Column("value", "Value", 1024, is_area=True))
EVALUATION_COLUMNS = (
    Column("name", "Name", 63, is_needed=True),
    Column("evaluation_job_arn", "Evaluation job (ARN)", 256),
    Column("evaluation_observation", "Observation", 2096, is_area=True),
    Column("datasets", "Data sets, one a line", 10_300, is_area=True),
)
RESULT_COLUMNS = (
    Column("evaluation", "Evaluation", 63, is_needed=True),
    Column("group", "Group of metrics", 63, is_needed=True),
    Column("name", "Metric", 255, is_needed=True),
    Column("value", "Value", 63, is_needed=True),
    Column("notes", "Notes", 1024),
)
_SIMPLE = ("number", "string", "boolean")


def named_rows(entries: Any, columns: Sequence[Column]) -> list[Row]:
    """Return the entries of a list of {name, value, ...} as rows."""
    return [_row(key, entry, columns) for key, entry in keyed(entries) if _fits(entry, columns)]


def named_entries(before: Any, rows: Sequence[Row], columns: Sequence[Column]) -> Any:
    """Return the list that rows make of one: in their order, with what no row shows behind them."""
    known = {key: entry for key, entry in keyed(before) if _fits(entry, columns)}
    if not rows and not known:
        return before
    shown_ones = [id(entry) for entry in known.values()]
    odd = [entry for entry in before if id(entry) not in shown_ones] if isinstance(before, list) else []
    return [_entry(known.get(row[AT]), row, columns) for row in rows] + odd


def detail_rows(details: Any) -> list[Row]:
    """Return custom details as rows, without the use case, which has a field of its own."""
    if not isinstance(details, Mapping):
        return []
    return [Row({AT: key, "name": key, "value": value}) for key, value in details.items() if _is_detail(key, value)]


def details_of(before: Any, rows: Sequence[Row]) -> Any:
    """Return the custom details that rows make of what was there."""
    if not isinstance(before, Mapping):
        before = {} if rows else before
        if before is None or not isinstance(before, Mapping):
            return before
    kept = {key: value for key, value in before.items() if not _is_detail(key, value)}
    return kept | {row["name"]: _text(before.get(row[AT]), row["value"]) for row in rows}


def evaluation_rows(evaluations: Any) -> list[Row]:
    """Return the evaluations as rows, without their metrics."""
    found = []
    for key, entry in keyed(evaluations):
        row = Row({AT: key})
        for column in EVALUATION_COLUMNS:
            value = entry.get(column.key)
            row[column.key] = _lines(value) if column.key == "datasets" else shown(value) or ""
        found.append(row)
    return found


def result_rows(evaluations: Any) -> list[Row]:
    """Return the plain metrics of every evaluation as rows; charts and matrices are none."""
    return [
        Row(
            {
                AT: json.dumps([evaluation, group, metric]),
                "evaluation": entry["name"],
                "group": within["name"],
                "name": one["name"],
                "value": shown(one.get("value")) or "",
                "notes": shown(one.get("notes")) or "",
            }
        )
        for evaluation, entry in keyed(evaluations)
        for group, within in keyed(entry.get("metric_groups"))
        for metric, one in keyed(within.get("metric_data"))
        if _is_simple(one)
    ]


def evaluations_of(before: Any, rows: Sequence[Row], results: Sequence[Row] | None) -> Any:
    """Return the evaluations that rows make of what was there; without `results` their metrics stay as they are.

    Raises InvalidInput for a metric of an evaluation that is in no row.
    """
    known = dict(keyed(before))
    if not rows and not known and not results:
        return before
    shown_ones = [id(entry) for entry in known.values()]
    odd = [entry for entry in before if id(entry) not in shown_ones] if isinstance(before, list) else []
    made: dict[int, dict[str, Any]] = {}
    places: dict[str, int] = {}
    for place, row in enumerate(rows):
        entry: dict[str, Any] = dict(known.get(row[AT], {}))
        for column in EVALUATION_COLUMNS:
            text = row[column.key]
            if column.key != "datasets":
                _write(entry, column.key, text)
            elif _normal(_lines(entry.get("datasets"))) != text:
                _set(entry, "datasets", [line.strip() for line in text.split("\n") if line.strip()])
        made[place] = entry
        # A metric may name it as it is called now, or as it was called before.
        places.setdefault(row["name"], place)
        places.setdefault(name_before(row), place)
    if results is not None:
        _put_results(known, rows, results, made, places)
    return [*made.values(), *odd]


def name_before(row: Row) -> str:
    """Return what a row's entry was called when the form was made."""
    try:
        return str(json.loads(row[AT])[0])
    except (ValueError, TypeError, LookupError):
        return row["name"]


def _put_results(
    known: Mapping[str, Mapping[str, Any]],
    rows: Sequence[Row],
    results: Sequence[Row],
    made: Mapping[int, dict[str, Any]],
    places: Mapping[str, int],
) -> None:
    place_of = {row[AT]: place for place, row in enumerate(rows) if row[AT] in known}
    wanted: dict[tuple[int, str], list[tuple[Mapping[str, Any] | None, Row]]] = {}
    for row in results:
        evaluation, old = _origin(known, row[AT])
        # Of two evaluations of one name a metric stays in its own.
        same = evaluation in place_of and row["evaluation"] in (
            known[evaluation]["name"],
            rows[place_of[evaluation]]["name"],
        )
        place = place_of[evaluation] if same else places.get(row["evaluation"])
        if place is None:
            said = f"There is no evaluation {row['evaluation']} above."
            raise InvalidInput("A metric names an evaluation that is not there.", errors={"results": [said]})
        wanted.setdefault((place, row["group"]), []).append((old, row))
    for place, entry in made.items():
        groups = entry.get("metric_groups")
        kept: list[Any] = []
        for group in groups if isinstance(groups, list) else ():
            kept += _kept_group(group, wanted.pop((place, str(group.get("name"))), []) if _is_group(group) else None)
        for place_and_name in [one for one in wanted if one[0] == place]:
            data = [_result(old, row) for old, row in wanted.pop(place_and_name)]
            kept.append({"name": place_and_name[1], "metric_data": data})
        if kept or isinstance(groups, list):
            entry["metric_groups"] = kept


def _kept_group(group: Any, asked: Sequence[tuple[Mapping[str, Any] | None, Row]] | None) -> list[Any]:
    if asked is None:
        return [group]
    data = group["metric_data"]
    rows = {id(old): row for old, row in asked if old is not None}
    kept: list[Any] = []
    for one in data:
        if not (isinstance(one, Mapping) and one.get("name") and _is_simple(one)):
            kept.append(one)
        elif id(one) in rows:
            kept.append(_result(one, rows[id(one)]))
    here = {id(one) for one in data}
    kept += [_result(old, row) for old, row in asked if id(old) not in here]
    # A group that had only metrics which are all gone goes with them.
    return [{**group, "metric_data": kept}] if kept or not data else []


def _origin(known: Mapping[str, Mapping[str, Any]], at: str) -> tuple[str, Mapping[str, Any] | None]:
    try:
        evaluation, group, metric = json.loads(at)
        within = dict(keyed(known[evaluation].get("metric_groups")))[group]
        return evaluation, dict(keyed(within.get("metric_data")))[metric]
    except (ValueError, TypeError, KeyError):
        return "", None


def _result(old: Mapping[str, Any] | None, row: Row) -> dict[str, Any]:
    made = dict(old or {})
    made["name"] = row["name"]
    if old is None or _normal(shown(old.get("value")) or "") != row["value"]:
        kind, value = _guessed(row["value"], made.get("type"))
        made |= {"type": kind, "value": value}
    _write(made, "notes", row["notes"])
    return made


def _guessed(text: str, kind: Any) -> tuple[str, Any]:
    if kind == "string":
        return "string", text
    number = number_of(text)
    if number is not None:
        return "number", number
    if kind == "boolean" and text.casefold() in ("yes", "no"):
        return "boolean", text.casefold() == "yes"
    return "string", text


def _row(key: str, entry: Mapping[str, Any], columns: Sequence[Column]) -> Row:
    return Row({AT: key} | {column.key: shown(entry.get(column.key)) or "" for column in columns})


def _entry(old: Mapping[str, Any] | None, row: Row, columns: Sequence[Column]) -> dict[str, Any]:
    made = dict(old or {})
    for column in columns:
        text = row[column.key]
        if old is not None and _normal(shown(old.get(column.key)) or "") == text:
            continue
        _set(made, column.key, number_of(text) if column.is_number else text)
    return made


def _fits(entry: Mapping[str, Any], columns: Sequence[Column]) -> bool:
    return all(shown(entry.get(column.key)) is not None for column in columns)


def _is_simple(metric: Mapping[str, Any]) -> bool:
    return metric.get("type") in _SIMPLE and shown(metric.get("value")) is not None


def _is_group(group: Any) -> bool:
    return isinstance(group, Mapping) and bool(group.get("name")) and isinstance(group.get("metric_data"), list)


def _is_detail(key: Any, value: Any) -> bool:
    return key != USE_CASE and isinstance(value, str)


def _lines(value: Any) -> str:
    return "\n".join(item for item in value if isinstance(item, str)) if isinstance(value, list) else ""


def _text(before: Any, text: str) -> Any:
    return before if _normal(shown(before) or "") == text else text


def _normal(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _write(entry: dict[str, Any], key: str, text: str) -> None:
    if _normal(shown(entry.get(key)) or "") != text:
        _set(entry, key, text)


def _set(entry: dict[str, Any], key: str, value: Any) -> None:
    if value in (None, "", []):
        entry.pop(key, None)
    else:
        entry[key] = value
