"""Work for the Celery worker: ids only, one service call each."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from portal.core.actors import Actor
from portal.core.operations import correlated

from .services import preflight


@shared_task(name="registry.check_permissions")
def check_permissions(**_: Any) -> None:
    """Find out what the portal's roles may do in every enabled account."""
    with correlated():
        preflight.check_all(actor=Actor.system("preflight"))
