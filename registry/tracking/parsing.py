"""Reading the answers of a tracking server: whatever comes is either a record or AnswerUnreadable, never a traceback.

MLflow writes int64 as numbers, but protocol buffers allow strings too; doubles that are none come as "NaN" and
"Infinity". Servers on SQL keep an infinity as the largest double there is.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from . import limits
from .errors import AnswerUnreadable
from .records import ExperimentRecord, Measured, PointRecord, RunRecord

_NO_NUMBERS = {"nan": "NaN", "infinity": "Infinity", "inf": "Infinity", "-infinity": "-Infinity", "-inf": "-Infinity"}
# Written out, larger ones come back from the database as integers: they are kept as that from the beginning.
_PLAIN = 10**16

T = TypeVar("T")


def document(body: bytes) -> dict[str, Any]:
    """Return the JSON object of an answer. Raises AnswerUnreadable."""
    try:
        found = json.loads(body.decode("utf-8"), parse_int=_integer)
    except (ValueError, RecursionError):
        raise AnswerUnreadable(
            "What answered is not an MLflow tracking server: it sent something else than JSON. Check the URL."
        ) from None
    if not isinstance(found, dict):
        raise AnswerUnreadable("The tracking server answered with JSON that is no object. Check the URL.")
    return found


def run(given: object) -> RunRecord:
    """Return a run. Raises AnswerUnreadable for what has no id or other types than MLflow's."""
    of_run = _object(given, "run")
    info, given_data = _object(of_run.get("info"), "run.info"), of_run.get("data")
    data = {} if given_data is None else _object(given_data, "run.data")
    cut: Counter[str] = Counter()
    tags = _pairs(data.get("tags"), limits.MOST_TAGS, "tags", cut, longest=limits.LONGEST_NOTE)
    params = _pairs(data.get("params"), limits.MOST_PARAMS, "params", cut)
    metrics, measured_at = _metrics(data.get("metrics"), cut)
    run_id = _text(info.get("run_id") or info.get("run_uuid"))
    if not run_id or len(run_id) > 64:
        raise AnswerUnreadable("The tracking server sent a run without an id.")
    return RunRecord(
        run_id=run_id,
        name=_text(info.get("run_name") or tags.get("mlflow.runName"))[:500],
        experiment_id=_text(info.get("experiment_id"))[:64],
        status=_text(info.get("status"))[:20],
        lifecycle_stage=_text(info.get("lifecycle_stage") or "active")[:20],
        started_at=_moment(info.get("start_time")),
        ended_at=_moment(info.get("end_time")),
        user=_text(info.get("user_id") or tags.get("mlflow.user"))[:256],
        artifact_uri=_text(info.get("artifact_uri"))[:2048],
        metrics=metrics,
        params=params,
        tags=tags,
        measured_at=measured_at,
        cut=dict(cut),
    )


def experiment(given: object) -> ExperimentRecord:
    """Return an experiment. Raises AnswerUnreadable."""
    found = _object(given, "experiment")
    identity = _text(found.get("experiment_id"))
    if not identity or len(identity) > 64:
        raise AnswerUnreadable("The tracking server sent an experiment without an id.")
    return ExperimentRecord(identity, _text(found.get("name"))[:500], _text(found.get("lifecycle_stage") or "active"))


def point(given: object) -> PointRecord:
    """Return one point of a metric's history. Raises AnswerUnreadable."""
    found = _object(given, "metric")
    step = found.get("step") or 0
    return PointRecord(
        measured(found.get("value")),
        int(step) if _is_whole(step) else 0,
        _moment(found.get("timestamp")),
    )


def listed(answer: Mapping[str, Any], name: str) -> list[Any]:
    """Return a list of an answer, empty where protocol buffers left it out. Raises AnswerUnreadable."""
    found = answer.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise AnswerUnreadable(f"The tracking server sent {name} that is no list.")
    return found


def measured(value: object) -> Measured:
    """Return a metric's value as JSON and PostgreSQL hold it, in the one way both write it.

    Raises AnswerUnreadable for what is neither a number nor the name of what is none.
    """
    if isinstance(value, str):
        named = _NO_NUMBERS.get(value.strip().lower())
        if named is not None:
            return named
        try:
            value = float(value)
        except ValueError:
            raise AnswerUnreadable("The tracking server sent a metric that is no number.") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise AnswerUnreadable("The tracking server sent a metric that is no number.")
    try:
        number = float(value)
    except OverflowError:
        return "Infinity" if value > 0 else "-Infinity"
    if math.isnan(number):
        return "NaN"
    if abs(number) >= sys.float_info.max:
        return "Infinity" if number > 0 else "-Infinity"
    if abs(number) >= _PLAIN:
        return int(number)
    # There is no negative zero in the database.
    return number or 0.0


def _integer(text: str) -> int | float:
    """JSON knows no limit, and Python refuses to read thousands of digits."""
    return int(text) if len(text) <= 400 else float(text)


def _object(given: object, name: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise AnswerUnreadable(f"The tracking server sent no {name}. Check that the URL is an MLflow server's.")
    return given


def _metrics(given: object, cut: Counter[str]) -> tuple[dict[str, Measured], datetime | None]:
    moments: list[datetime] = []

    def of(entry: dict[str, Any]) -> Measured:
        value = measured(entry.get("value"))
        moment = _moment(entry.get("timestamp"))
        if moment is not None:
            moments.append(moment)
        return value

    found = _entries(given, limits.MOST_METRICS, "metrics", cut, of)
    return found, max(moments, default=None)


def _pairs(
    given: object, most: int, name: str, cut: Counter[str], longest: int = limits.LONGEST_VALUE
) -> dict[str, str]:
    return _entries(given, most, name, cut, lambda entry: _bounded(_text(entry.get("value")), longest, cut))


def _entries(given: object, most: int, name: str, cut: Counter[str], of: Callable[[dict[str, Any]], T]) -> dict[str, T]:
    """Return entries by name, in the order of their names, so that the same ones are kept whatever the order sent."""
    if given is None:
        return {}
    if not isinstance(given, list):
        raise AnswerUnreadable(f"The tracking server sent {name} that are no list.")
    by_name: dict[str, dict[str, Any]] = {}
    for entry in given:
        if not isinstance(entry, dict):
            raise AnswerUnreadable(f"The tracking server sent {name} that have no names.")
        by_name[_text(entry.get("key"))] = entry
    names = sorted(by_name)
    if len(names) > most:
        cut[name] += len(names) - most
    return {_bounded(each, limits.LONGEST_NAME, cut): of(by_name[each]) for each in names[:most]}


def _bounded(text: str, longest: int, cut: Counter[str]) -> str:
    """Cut a long text; what stays still differs when what was cut differs."""
    if len(text) <= longest:
        return text
    cut["texts"] += 1
    return f"{text[:longest]}… ({len(text)} characters, sha256 {hashlib.sha256(text.encode()).hexdigest()[:16]})"


def _text(value: object) -> str:
    """Return text that UTF-8 and PostgreSQL can hold; anything but text and numbers is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(value)
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\x00", "\ufffd")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) or (
        isinstance(value, str) and value.removeprefix("-").isdecimal() and len(value) < 19
    )


def _moment(milliseconds: object) -> datetime | None:
    """Return a moment MLflow gives in milliseconds since 1970; 0 and what is no time are nobody's word."""
    if isinstance(milliseconds, bool) or not _is_whole(milliseconds):
        return None
    try:
        number = int(milliseconds)  # type: ignore[call-overload]  # text of digits, or a number
        return datetime.fromtimestamp(number / 1000, tz=UTC) if number > 0 else None
    except (OverflowError, ValueError, OSError):
        return None
