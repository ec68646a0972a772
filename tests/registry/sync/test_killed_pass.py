"""A worker killed with -9 in the middle of a pass: the next one takes the same pass up, and nothing is half there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from django.db import connection

from governance.models import StageEvent, StageRecord
from governance.selectors.audit import verify
from registry.models import ModelVersion, SyncRun
from tests import aws_story
from tests.aws_story import HUB
from tests.factories.walk import all_accounts
from tests.sandbox import ROOT, Sandbox

CHILD = f"""
import django
django.setup()
from governance.services import sync
sync.sync_account(account_id="{HUB}", requested_by="killed")
"""


def test_a_killed_pass_is_taken_up_and_every_version_is_there_once(
    committed_db: str, aws: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.core.jobs._send", lambda *args, **kwargs: None)
    all_accounts()
    groups = [aws_story.new_group() for _ in range(6)]
    arns = [aws_story.register(group) for group in groups for _ in range(2)]
    aws.fault(service="sagemaker", operation="ListModelPackages", error="latency", seconds=0.25, times=None)
    environ = {**os.environ, "DATABASE_URL": committed_db, "DJANGO_SETTINGS_MODULE": "portal.settings.test"}
    environ["PORTAL_AWS_READS_AT_ONCE"] = "1"
    child = subprocess.Popen([sys.executable, "-c", CHILD], cwd=ROOT, env=environ, start_new_session=True)
    deadline = time.monotonic() + 60
    while not ModelVersion.objects.filter(arn__in=arns).exists():
        assert child.poll() is None, "it ended before it was killed"
        assert time.monotonic() < deadline, "it took nothing in"
        time.sleep(0.02)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait(10)
    here = ModelVersion.objects.filter(arn__in=arns).count()
    assert 0 < here < len(arns), "it was killed in the middle"
    assert StageRecord.objects.filter(version__arn__in=arns).count() == here, "no version without its record"
    assert StageEvent.objects.filter(version__arn__in=arns).count() == here, "no version without its ledger"
    killed = SyncRun.objects.get(requested_by="killed")
    assert killed.state == "running"
    aws.forget()
    deadline = time.monotonic() + 20
    # The server notices a moment later that a killed worker's connection, and with it its lock, is gone.
    while True:
        try:
            run = aws_story.synced()
            break
        except ValueError:
            assert time.monotonic() < deadline, "the killed worker's lock is still held"
            time.sleep(0.1)
    assert (run.pk, run.state, run.resumed) == (killed.pk, "succeeded", 1)
    versions = ModelVersion.objects.filter(arn__in=arns)
    assert versions.count() == len(arns)
    assert StageRecord.objects.filter(version__in=versions).count() == len(arns)
    assert StageEvent.objects.filter(version__in=versions).count() == len(arns)
    assert verify().is_intact
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        assert cursor.fetchone() == (0,)
