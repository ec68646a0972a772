"""How people write a run: its id, `runs:/<id>/model`, or the address of its page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

# MLflow makes 32 hexadecimal digits; other stores make ids of their own.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_IN_PAGE = re.compile(r"/experiments/[^/?#]+/runs/([A-Za-z0-9][A-Za-z0-9_-]{0,63})(?:[/?#]|$)")
_IN_URI = re.compile(r"runs:/+([A-Za-z0-9][A-Za-z0-9_-]{0,63})(?:/|$)")


class NotARun(ValueError):
    """This text does not name a run."""


@dataclass(frozen=True, slots=True)
class NamedRun:
    """A run somebody named; `url` is the server's, "" when the text does not say which."""

    run_id: str
    url: str = ""


def read(text: str) -> NamedRun:
    """Return the run a text names. Raises NotARun.

    Understood are an id, `runs:/<id>` with or without a path, and the address of a run's page in MLflow's UI.
    """
    text = text.strip()
    if _ID.fullmatch(text):
        return NamedRun(text)
    if match := _IN_URI.match(text):
        return NamedRun(match[1])
    if text.startswith(("http://", "https://")) and len(text) <= 2048 and (match := _IN_PAGE.search(text)):
        return NamedRun(match[1], base_of(text))
    raise NotARun(
        "Give the id of the run, runs:/ and its id, or the address of its page in MLflow"
        " (https://mlflow.example.com/#/experiments/1/runs/…)."
    )


def base_of(url: str) -> str:
    """Return the address of the server behind a page's: everything before its own path, without a slash at the end."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    path = re.split(r"/(?:experiments/|ajax-api/|api/)", parts.path)[0]
    return f"{parts.scheme}://{parts.netloc}{path}".rstrip("/").lower()


def page_of(url: str, experiment_id: str, run_id: str) -> str:
    """Return the address of a run's page in the server's UI."""
    return f"{url}/#/experiments/{experiment_id}/runs/{run_id}"


def host_of(url: str) -> str:
    """Return scheme, host and port of an address, "" for what is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.netloc else ""
