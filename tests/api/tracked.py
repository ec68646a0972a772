"""A tracking server that nobody reaches, and a version that comes from a run read there before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.utils import timezone

from portal.core.operations import operation
from registry.models import ModelVersion, TrackingServer
from registry.services import runs, tracking_servers
from registry.tracking.records import RunRecord
from tests.factories import Cast
from tests.factories.people import SYSTEM

RUN = "4f1c2d3e4f1c2d3e4f1c2d3e4f1c2d3e"
# A name of this machine: judged without asking any network, and refused.
UNREACHED = "https://localhost:5443"


def tracked(people: Cast, version: ModelVersion) -> TrackingServer:
    """Register the server, and let the version come from a run that it told of an hour ago."""
    server = tracking_servers.register(actor=people.admin.actor, name="mlflow", url=UNREACHED)
    began = datetime(2026, 3, 1, 8, tzinfo=UTC)
    record = RunRecord(
        run_id=RUN,
        name="loud-fox-12",
        experiment_id="1",
        status="FINISHED",
        lifecycle_stage="active",
        started_at=began,
        ended_at=began + timedelta(hours=1),
        user="ana",
        artifact_uri=f"mlflow-artifacts:/1/{RUN}/artifacts",
        metrics={"roc_auc": 0.81, "loss": "NaN"},
        params={"max_depth": "8", "learning_rate": "0.05"},
        tags={"team": "credit", "mlflow.source.name": "train.py", "mlflow.source.git.commit": "4f1c2d3"},
        measured_at=began,
    )
    with operation(SYSTEM):
        named = runs.NamedRun(server, RUN)
        run = runs.create(actor=people.scientist.actor, run=named, version=version)
        said = runs.Said(record, "credit risk", timezone.now() - timedelta(hours=1))
        reading = runs.keep(run=run, said=said, by=people.scientist.username)
        version.run_reading = reading
        version.save(update_fields=["run_reading"])
    return server
