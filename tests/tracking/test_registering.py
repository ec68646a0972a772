"""A run named with a registration, while its server is down: kept for the version, read when the worker gets there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from governance.services import runs
from registry.models import ModelVersion, RunReading, VersionRun
from registry.services import tracking_servers
from tests.api.client import Api
from tests.aws_story import IMAGE
from tests.governance.registering import Place, place
from tests.sandbox import Sandbox

RUN = "4f1c2d3e4f1c2d3e4f1c2d3e4f1c2d3e"


@pytest.fixture(scope="module")
def world(made_database: None, django_db_blocker: Any, aws_process: Sandbox) -> Iterator[Place]:
    with django_db_blocker.unblock(), place(aws_process) as made:
        # A name of this machine, which no setting allows: nobody is asked and nobody waits.
        tracking_servers.register(actor=made.people.admin.actor, name="mlflow", url="https://localhost:5443")
        tracking_servers.register(
            actor=made.people.admin.actor, name="other", url="https://localhost:5444/mlflow", login="token", secret="t"
        )
        yield made


def register(world: Place, **values: Any) -> Any:
    body = {
        "group": world.group.name,
        "containers": [{"image": IMAGE}],
        "content_types": ["text/csv"],
        "response_types": ["text/csv"],
        **values,
    }
    return Api(world.people.scientist).call("POST", "model-versions/", body)


def test_a_run_is_named_with_the_registration(world: Place) -> None:
    answer = register(world, mlflow_run={"run": f"runs:/{RUN}/model", "server": "mlflow"}, reference="once")
    assert answer.status_code == 201, answer.json()
    shown = answer.json()["mlflow_run"]
    assert (shown["run_id"], shown["server"], shown["reading"]) == (RUN, "mlflow", None)
    assert shown["attached_by"] == world.people.scientist.username
    version = ModelVersion.objects.get(pk=answer.json()["id"])
    run = VersionRun.objects.get(version=version)
    assert run.registration is not None
    runs.read_run(run_id=run.pk)
    run.refresh_from_db()
    assert "not a public address" in run.last_error
    assert run.failing_since is not None
    assert not RunReading.objects.exists()
    # The same reference registers nothing twice, and with another run it stands for something else.
    again = register(world, mlflow_run={"run": RUN, "server": "mlflow"}, reference="once")
    assert (again.status_code, again.json()["id"]) == (201, version.pk)
    for other in (None, {"run": "f" * 32, "server": "mlflow"}, {"run": RUN, "server": "other"}):
        refused = register(world, mlflow_run=other, reference="once")
        assert (refused.status_code, list(refused.json()["errors"])) == (400, ["reference"])
    assert VersionRun.objects.count() == 1


@pytest.mark.parametrize(
    "given",
    [
        "",
        5,
        [],
        {},
        {"run": RUN, "server": "mlflow", "more": 1},
        {"server": "mlflow"},
        {"run": RUN, "server": None},
        {"run": "x" * 3000},
        {"run": "../../etc/passwd", "server": "mlflow"},
        {"run": RUN, "server": "unknown"},
        # Two servers could be meant.
        RUN,
        f"https://elsewhere.example.com/#/experiments/1/runs/{RUN}",
    ],
)
def test_what_names_no_run_registers_nothing(world: Place, given: Any) -> None:
    before = ModelVersion.objects.count()
    refused = register(world, mlflow_run=given)
    assert refused.status_code == 400
    assert {name.partition(".")[0] for name in refused.json()["errors"]} == {"mlflow_run"}
    assert ModelVersion.objects.count() == before


def test_the_address_of_a_page_tells_the_server(world: Place) -> None:
    answer = register(world, mlflow_run=f"https://localhost:5444/mlflow/#/experiments/1/runs/{RUN}")
    assert answer.json()["mlflow_run"]["server"] == "other"
