"""Looking around on a tracking server: its experiments, and the best of their runs. Nothing is kept of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, WrongState

from ..models import TrackingServer
from ..tracking import limits, server
from ..tracking.errors import ExperimentUnknown, QuestionRefused, TrackingError
from ..tracking.records import ExperimentRecord, Found
from ..tracking.server import Fetch
from . import tracking_servers

MOST = limits.MOST_RUNS
USUAL = 10
_DIRECTION = re.compile(r"\s(ASC|DESC)$", re.IGNORECASE)
_WHERE = re.compile(r"(metric|metrics|param|params|parameter|parameters|tag|tags|attr|attribute|attributes|run)\.")
# What a run has beside its metrics, parameters and tags.
_OWN = frozenset({"start_time", "end_time", "status", "artifact_uri", "run_id", "run_name", "created", "user_id"})

T = TypeVar("T")


class TrackingFailed(WrongState):
    """A tracking server did not say what was asked now; what it said instead is in the detail."""

    code = "tracking-server-failed"
    title = "The tracking server did not answer as asked"


def experiments(*, actor: Actor, server_id: int) -> tuple[ExperimentRecord, ...]:
    """Return a server's active experiments, those changed last first. Raises NotFound, WrongState, TrackingFailed."""
    return _asked(actor, server_id, server.experiments)


def best_runs(
    *,
    actor: Actor,
    server_id: int,
    experiment: str,
    order_by: Sequence[str],
    filter_string: str = "",
    most: int = USUAL,
) -> Found:
    """Return the runs of an experiment, given by name or id, in an order such as `metrics.auc DESC`: the best first.

    A bare name in the order is a metric's, and without a direction the largest comes first; `filter_string` is MLflow's
    search syntax. Raises NotFound, WrongState for a server that is switched off, TrackingFailed, InvalidInput naming
    `experiment`, `order_by` or `filter` with the server's own words. Source: MLflow, runs/search.
    """
    errors: dict[str, list[str]] = {}
    if not experiment.strip() or len(experiment) > 500 or not experiment.isprintable():
        errors["experiment"] = ["Give the name or the id of an experiment."]
    if not order_by or len(order_by) > limits.MOST_ORDERS or not all(map(_is_order, order_by)):
        errors["order_by"] = [f"Give one to {limits.MOST_ORDERS} orders such as metrics.auc DESC."]
    if len(filter_string) > limits.LONGEST_FILTER or not _is_plain(filter_string):
        errors["filter"] = [f"At most {limits.LONGEST_FILTER} characters such as metrics.auc > 0.7."]
    if not 1 <= most <= MOST:
        errors["most"] = [f"Give 1 to {MOST}."]
    if errors:
        raise InvalidInput("This cannot be looked for.", errors=errors)

    def search(fetch: Fetch) -> Found:
        try:
            found = server.experiment_named(fetch, experiment.strip())
        except (ExperimentUnknown, QuestionRefused) as error:
            raise InvalidInput("There is no such experiment.", errors={"experiment": [str(error)]}) from error
        try:
            return server.search_runs(
                fetch,
                experiment_id=found.experiment_id,
                order_by=[ordered(order) for order in order_by],
                filter_string=filter_string.strip(),
                most=most,
            )
        except QuestionRefused as error:
            named = "filter" if filter_string.strip() else "order_by"
            raise InvalidInput("The tracking server refused this.", errors={named: [str(error)]}) from error

    return _asked(actor, server_id, search)


def ordered(text: str) -> str:
    """Return an order as MLflow takes it: `auc` reads metrics.`auc` DESC, `metrics.auc ASC` stays."""
    text = text.strip()
    match = _DIRECTION.search(text)
    name, direction = (text[: match.start()].strip(), match[1].upper()) if match else (text, "DESC")
    if name not in _OWN and not _WHERE.match(name):
        name = f"metrics.`{name}`"
    return f"{name} {direction}"


def _asked(actor: Actor, server_id: int, question: Callable[[Fetch], T]) -> T:
    found = access.get(TrackingServer, actor, pk=server_id)
    try:
        return question(tracking_servers.asking(found))
    except TrackingError as error:
        raise TrackingFailed(str(error)) from error


def _is_order(text: str) -> bool:
    return bool(text.strip()) and len(text) <= 300 and text.isprintable() and text.count("`") in (0, 2)


def _is_plain(text: str) -> bool:
    return all(sign.isprintable() or sign in "\r\n\t" for sign in text)
