"""Carrying an artifact from a spoke's bucket to the hub's."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic
from typing import Any

from django.db import transaction

from registry.aws import s3_copy
from registry.aws.errors import AwsError
from registry.models import AwsAccount, ModelVersion
from registry.services import versions

from ...choices import OutboxState
from ...models import OutboxMessage
from .. import artifacts
from .carrier import ACTOR, Carrier, NotYet, remember, session_of

# One turn's share of a long copy: a worker's task lasts longer, and what comes behind is not kept waiting for ever.
SECONDS = 240
# How often a long copy says how far it is; each time is a row written.
_TELL_EVERY = 2.0


def carry(message: OutboxMessage) -> dict[str, Any]:
    """Copy the artifact byte for byte and prove it; one that is there already is left.

    How far it is stands in the message's progress under `copy`: whoever takes the message up goes on from there, and a
    copy that takes longer than one turn goes on in the next. A URL that ends in a slash is copied with all that lies
    under it. Raises AwsError, NotYet.
    """
    payload = message.payload
    told = _Telling(message)
    method = s3_copy.copy_prefix if payload["source_url"].endswith("/") else s3_copy.copy
    try:
        result = method(
            session_of(payload["source_account_id"], payload["region"]),
            session_of(payload["target_account_id"], payload["region"]),
            payload["source_url"],
            payload["target_url"],
            seconds=SECONDS,
            known=message.progress.get("copy") or None,
            tell=told.tell,
        )
    except s3_copy.GoesOn as unfinished:
        told.flush()
        raise NotYet(
            f"the rest of the copy: {_size(unfinished.done)} of {_size(unfinished.total)} are there", seconds=1
        ) from None
    except AwsError:
        told.flush()
        raise
    return {"url": result.url, "sha256": result.sha256}


def delivered(message: OutboxMessage, result: dict[str, Any]) -> None:
    """Write down where the hub keeps the artifact now, unless the version has another one by now."""
    version = message.version
    if version is not None and version.artifact_url == message.payload["source_url"]:
        versions.record_artifact_copy(actor=ACTOR, version=version, url=result["url"], sha256=result["sha256"])


def given_up(message: OutboxMessage, error: str) -> None:
    """Abort what was begun once this is written down: its parts are invisible and billed for ever."""
    known = message.progress.get("copy")
    if known:
        transaction.on_commit(lambda: _abandon(message), robust=True)


def _abandon(message: OutboxMessage) -> None:
    try:
        session = session_of(message.payload["target_account_id"], message.payload["region"])
    except (AwsError, AwsAccount.DoesNotExist):
        return
    s3_copy.abandon(session, message.payload["target_url"], message.progress["copy"])


def url_for_deployment(version: ModelVersion) -> str:
    """Return the artifact a deployment order names: the hub's copy where there is to be one.

    Raises NotYet while the copy is under way or given up, for an order must not lead to a spoke's bucket meanwhile.
    """
    last = artifacts.latest_copy(version)
    if last is not None and last.payload.get("source_url") == version.artifact_url:
        if last.state == OutboxState.FAILED:
            raise NotYet("the copy of the artifact, which was given up and has to be retried", seconds=60)
        if last.state != OutboxState.DELIVERED:
            raise NotYet("the copy of the artifact in the hub", seconds=10)
    fresh = ModelVersion.objects.only("hub_artifact_url", "artifact_url").get(pk=version.pk)
    return fresh.hub_artifact_url or fresh.artifact_url


class _Telling:
    """Keeps what a copy tells: at once where it begins or changes hands, every few seconds while it only grows."""

    def __init__(self, message: OutboxMessage) -> None:
        self._message = message
        self._upload: Any = (message.progress.get("copy") or {}).get("upload_id")
        self._last = 0.0
        self._unkept: dict[str, Any] | None = None

    def tell(self, progress: dict[str, Any]) -> None:
        self._unkept = progress
        is_new = progress.get("upload_id") != self._upload or bool(progress.get("sha256"))
        if is_new or monotonic() - self._last >= _TELL_EVERY:
            self.flush()

    def flush(self) -> None:
        """Keep what was told last."""
        if self._unkept is None:
            return
        self._upload, self._last = self._unkept.get("upload_id"), monotonic()
        remember(self._message, copy=self._unkept)
        self._unkept = None


def _size(count: int) -> str:
    return f"{count / 1024 / 1024:,.0f} MiB"


# A terabyte takes its time; each turn of it waits for the next.
CARRIER = Carrier(carry, delivered, given_up, patience=timedelta(days=7))
