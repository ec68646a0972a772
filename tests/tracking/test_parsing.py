"""Whatever a tracking server sends becomes a record or a named error, and what is kept is what the database gives back."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from registry.tracking import limits, naming, parsing, server
from registry.tracking.errors import (
    AnswerUnreadable,
    ExperimentUnknown,
    LoginRefused,
    QuestionRefused,
    RunUnknown,
    ServerUnreachable,
    TrackingError,
)

ID = "e959f6a34f4d42df92ba06f35631f741"
INFO = {"run_id": ID, "experiment_id": "1", "status": "FINISHED", "lifecycle_stage": "active"}


def run(**data: Any) -> Any:
    return parsing.run({"info": INFO, "data": data})


def metric(value: Any, key: str = "auc") -> Any:
    return run(metrics=[{"key": key, "value": value, "timestamp": 1, "step": 0}]).metrics[key]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (0.81, 0.81),
        (1, 1.0),
        ("0.5", 0.5),
        (-0.0, 0.0),
        ("NaN", "NaN"),
        (float("nan"), "NaN"),
        ("Infinity", "Infinity"),
        ("-inf", "-Infinity"),
        (float("inf"), "Infinity"),
        # SQL stores keep an infinity as the largest double.
        (1.7976931348623157e308, "Infinity"),
        (-1.7976931348623157e308, "-Infinity"),
        (1e22, 10**22),
        (1e16, 10**16),
        (5e-324, 5e-324),
        (10**400, "Infinity"),
        (-(10**400), "-Infinity"),
    ],
)
def test_a_metric_is_kept_as_the_database_writes_it(sent: Any, kept: Any) -> None:
    found = metric(sent)
    assert found == kept
    assert type(found) is type(kept)
    # Digests are made of what was sent and of what was stored: both must be one text.
    assert str(found) == str(kept)


@pytest.mark.parametrize("sent", [None, True, "high", [], {}])
def test_what_is_no_number_is_no_metric(sent: Any) -> None:
    with pytest.raises(AnswerUnreadable):
        metric(sent)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"<html>Sign in</html>",
        b"[]",
        b"null",
        b"1" * 5000,
        b"[" * 100_000,
        b'{"run": ',
    ],
)
def test_garbage_is_named(body: bytes) -> None:
    with pytest.raises(AnswerUnreadable):
        server.get_run(lambda path, **_: (200, body), ID)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"run": None},
        {"run": []},
        {"run": {}},
        {"run": {"info": {}}},
        {"run": {"info": {"run_id": "x" * 65}}},
        {"run": {"info": {"run_id": {"a": 1}}}},
        {"run": {"info": {**INFO, "run_id": "another"}}},
        {"run": {"info": INFO, "data": []}},
        {"run": {"info": INFO, "data": {"metrics": {}}}},
        {"run": {"info": INFO, "data": {"params": ["x"]}}},
        {"run": {"info": INFO, "data": {"tags": "x"}}},
        {"run": {"info": INFO, "data": {"metrics": [{"key": "auc"}]}}},
    ],
)
def test_another_shape_is_named(answer: Any) -> None:
    with pytest.raises(AnswerUnreadable):
        server.get_run(lambda path, **_: (200, json.dumps(answer).encode()), ID)


def test_what_is_too_much_is_left_out_and_counted() -> None:
    names = [f"m{number:04}" for number in range(limits.MOST_METRICS + 7)]
    found = run(
        metrics=[{"key": name, "value": 1, "timestamp": 5000} for name in reversed(names)],
        params=[{"key": "p", "value": "x" * 5000}, {"key": "k" * 300, "value": "v"}],
        tags=[{"key": "nul", "value": "a\x00b"}, {"key": "half", "value": "\ud800"}],
    )
    assert sorted(found.metrics) == names[: limits.MOST_METRICS]
    assert found.cut == {"metrics": 7, "texts": 2}
    assert found.params["p"].startswith("x" * limits.LONGEST_VALUE + "… (5000 characters, sha256 ")
    assert found.tags == {"nul": "a\ufffdb", "half": "\ufffd"}
    assert found.measured_at is not None
    assert found.measured_at.timestamp() == 5


def test_texts_that_differ_behind_the_cut_stay_different() -> None:
    one, other = (run(params=[{"key": "p", "value": "x" * 6000 + end}]).params["p"] for end in "ab")
    assert one != other


@pytest.mark.parametrize("time", [0, -1, None, True, "soon", 10**30, "99999999999999999", {}, 1.5])
def test_times_nobody_can_read_are_nobodys_word(time: Any) -> None:
    assert parsing.run({"info": {**INFO, "end_time": time}}).ended_at is None


def test_protocol_buffers_may_write_whole_numbers_as_text() -> None:
    found = parsing.run({"info": {**INFO, "start_time": "1700000000000"}})
    assert found.started_at is not None
    assert found.started_at.year == 2023


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Run not found"}, RunUnknown),
        (400, {"error_code": "INVALID_PARAMETER_VALUE", "message": "Invalid run"}, QuestionRefused),
        (401, {}, LoginRefused),
        (403, {}, LoginRefused),
        (404, {}, AnswerUnreadable),
        (301, {}, AnswerUnreadable),
        (429, {}, ServerUnreachable),
        (500, {"error_code": "INTERNAL_ERROR", "message": "down"}, ServerUnreachable),
        (503, {}, ServerUnreachable),
        (418, {}, QuestionRefused),
    ],
)
def test_refusals_have_names(status: int, body: Any, error: type[TrackingError]) -> None:
    with pytest.raises(error) as caught:
        server.get_run(lambda path, **_: (status, json.dumps(body).encode()), ID)
    assert pickle.loads(pickle.dumps(caught.value)).message == caught.value.message


def test_an_experiment_is_found_by_name_or_id() -> None:
    asked: list[str] = []

    def fetch(path: str, **question: Any) -> tuple[int, bytes]:
        asked.append(path.rsplit("/", 1)[-1])
        if "get-by-name" in path:
            return 404, b'{"error_code": "RESOURCE_DOES_NOT_EXIST"}'
        return 200, b'{"experiment": {"experiment_id": "12", "name": "credit"}}'

    assert server.experiment_named(fetch, "12").name == "credit"
    assert asked == ["get-by-name", "get"]
    with pytest.raises(ExperimentUnknown):
        server.experiment_named(fetch, "credit")


@pytest.mark.parametrize(
    ("text", "run_id", "url"),
    [
        (ID, ID, ""),
        (f"  {ID} ", ID, ""),
        (f"runs:/{ID}", ID, ""),
        (f"runs:/{ID}/model", ID, ""),
        (f"https://mlflow.example.com/#/experiments/1/runs/{ID}", ID, "https://mlflow.example.com"),
        (f"https://mlflow.example.com/#/experiments/1/runs/{ID}/artifacts", ID, "https://mlflow.example.com"),
        (f"https://Example.com/mlflow/#/experiments/1/runs/{ID}?x=1", ID, "https://example.com/mlflow"),
        (f"http://127.0.0.1:5000/experiments/1/runs/{ID}", ID, "http://127.0.0.1:5000"),
    ],
)
def test_a_run_is_named_in_several_ways(text: str, run_id: str, url: str) -> None:
    assert naming.read(text) == naming.NamedRun(run_id, url)


@pytest.mark.parametrize(
    "text",
    ["", " ", "runs:/", "../../etc", "a b", "https://example.com/", "ftp://x/experiments/1/runs/a", "x" * 65, "a\x00b"],
)
def test_other_texts_name_none(text: str) -> None:
    with pytest.raises(naming.NotARun):
        naming.read(text)
