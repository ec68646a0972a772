"""Asking a tracking server. Source: MLflow REST API 2.0.

`Fetch` is how a server is reached: a path below its URL, parameters or a body in, the HTTP status and the bytes of the
answer out; it raises TrackingError for what never became an answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, Protocol

from . import limits, parsing
from .errors import AnswerUnreadable, ExperimentUnknown, LoginRefused, QuestionRefused, RunUnknown, ServerUnreachable
from .records import ExperimentRecord, Found, PointRecord, RunRecord

_API = "/api/2.0/mlflow/"
_MISSING = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "NOT_FOUND")


class Fetch(Protocol):
    """One question to one server."""

    def __call__(
        self, path: str, *, query: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
    ) -> tuple[int, bytes]: ...


def get_run(fetch: Fetch, run_id: str) -> RunRecord:
    """Return one run with its latest metrics, parameters and tags.

    Raises RunUnknown, and every other TrackingError. Source: GET runs/get.
    """
    status, body = fetch(f"{_API}runs/get", query={"run_id": run_id})
    if status != 200:
        _refuse(status, body, RunUnknown, f"The tracking server has no run {run_id}.")
    found = parsing.run(parsing.document(body).get("run"))
    if found.run_id != run_id:
        raise AnswerUnreadable("The tracking server answered with another run than the one that was asked for.")
    return found


def metric_history(fetch: Fetch, run_id: str, metric: str) -> tuple[PointRecord, ...]:
    """Return the logged values of a metric, oldest first, at most limits.MOST_POINTS of them.

    Raises RunUnknown, and every other TrackingError. Source: GET metrics/get-history.
    """
    query = {"run_id": run_id, "metric_key": metric, "max_results": str(limits.MOST_POINTS)}
    status, body = fetch(f"{_API}metrics/get-history", query=query)
    if status != 200:
        _refuse(status, body, RunUnknown, f"The tracking server has no run {run_id}.")
    points = parsing.listed(parsing.document(body), "metrics")
    return tuple(map(parsing.point, points[: limits.MOST_POINTS]))


def experiment_named(fetch: Fetch, name: str) -> ExperimentRecord:
    """Return an experiment by its name, or by its id where no experiment has that name.

    Raises ExperimentUnknown, and every other TrackingError. Source: GET experiments/get-by-name, experiments/get.
    """
    status, body = fetch(f"{_API}experiments/get-by-name", query={"experiment_name": name})
    if status != 200 and name.isdecimal() and name.isascii() and status in (400, 404):
        return experiment_by_id(fetch, name)
    if status != 200:
        _refuse(status, body, ExperimentUnknown, f"The tracking server has no experiment called {name[:200]!r}.")
    return parsing.experiment(parsing.document(body).get("experiment"))


def experiment_by_id(fetch: Fetch, experiment_id: str) -> ExperimentRecord:
    """Return an experiment by its id. Raises ExperimentUnknown, and every other TrackingError."""
    status, body = fetch(f"{_API}experiments/get", query={"experiment_id": experiment_id})
    if status != 200:
        _refuse(status, body, ExperimentUnknown, f"The tracking server has no experiment {experiment_id[:200]!r}.")
    return parsing.experiment(parsing.document(body).get("experiment"))


def experiments(fetch: Fetch) -> tuple[ExperimentRecord, ...]:
    """Return the active experiments, those changed last first, at most limits.MOST_EXPERIMENTS.

    Raises TrackingError. Source: POST experiments/search.
    """
    asked = {"max_results": limits.MOST_EXPERIMENTS, "order_by": ["last_update_time DESC"], "view_type": "ACTIVE_ONLY"}
    status, body = fetch(f"{_API}experiments/search", body=asked)
    if status != 200:
        _refuse(status, body, ExperimentUnknown, "The tracking server shows no experiments.")
    found = parsing.listed(parsing.document(body), "experiments")
    return tuple(map(parsing.experiment, found[: limits.MOST_EXPERIMENTS]))


def search_runs(
    fetch: Fetch, *, experiment_id: str, order_by: Sequence[str], filter_string: str = "", most: int = 10
) -> Found:
    """Return the active runs of an experiment in an order, such as `metrics.auc DESC`: the first is the best.

    `filter_string` is MLflow's search syntax, such as `params.depth = '8' and metrics.auc > 0.7`. Raises
    QuestionRefused with the server's own words, and every other TrackingError. Source: POST runs/search.
    """
    asked = {
        "experiment_ids": [experiment_id],
        "order_by": list(order_by),
        "filter": filter_string,
        "max_results": min(most, limits.MOST_RUNS),
        "run_view_type": "ACTIVE_ONLY",
    }
    status, body = fetch(f"{_API}runs/search", body=asked)
    if status != 200:
        _refuse(status, body, ExperimentUnknown, "The tracking server has no such experiment.")
    answer = parsing.document(body)
    runs = parsing.listed(answer, "runs")[: limits.MOST_RUNS]
    return Found(tuple(map(parsing.run, runs)), bool(answer.get("next_page_token")))


def _refuse(status: int, body: bytes, missing: type[RunUnknown | ExperimentUnknown], words: str) -> NoReturn:
    """Name what an answer other than 200 means."""
    if status in (401, 403):
        raise LoginRefused(
            f"The tracking server answered {status}: it does not let the portal in. Check the token or password."
        )
    code, said = _error(body)
    if code == "RESOURCE_DOES_NOT_EXIST":
        raise missing(words)
    if status == 400 or code in _MISSING:
        raise QuestionRefused(f"The tracking server refused the question: {said or code or status}")
    if status == 404:
        raise AnswerUnreadable("Nothing answers as an MLflow tracking server there (404). Check the URL.")
    if 300 <= status < 400:
        raise AnswerUnreadable(f"The server redirects ({status}); redirects are not followed. Give the final URL.")
    if status == 429 or status >= 500:
        raise ServerUnreachable(f"The tracking server answered {status}{f': {said}' if said else '.'}")
    raise QuestionRefused(f"The tracking server answered {status}{f': {said}' if said else '.'}")


def _error(body: bytes) -> tuple[str, str]:
    """Return MLflow's error code and message, "" where the answer is none of its own."""
    try:
        found = parsing.document(body)
    except AnswerUnreadable:
        return "", ""
    message = found.get("message")
    text = " ".join(message.split())[:300] if isinstance(message, str) else ""
    return str(found.get("error_code") or "")[:60], "".join(sign if sign.isprintable() else " " for sign in text)
