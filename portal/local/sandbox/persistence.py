"""Turn the backends' contents into rows and back."""

from __future__ import annotations

import pickle
from typing import Any

from moto.s3.models import FakeBucket, s3_backends
from moto.s3.utils import _VersionedKeyStore

from .install import SERVICES, backends
from .organization import relink
from .state import Journal, Key, StateError, StateFile

# Parents before children: a bucket before its objects, a queue before its messages.
_KINDS = (
    "backend",
    "settings",
    "session",
    "bucket",
    "object",
    "tags",
    "queue",
    "message",
    "permission",
    "share",
    "group",
    "package",
    "token",
    "pipeline",
    "execution",
    "made",
    "monitor",
    "monitor_execution",
    "lineage",
    "association",
    "card",
    "card_export",
)
# What of a backend is kept in rows of its own, or refers back to the backend.
_APART = {
    "iam": {"access_keys", "account_summary", "aws_managed_policies"},
    "sagemaker": {
        "monitor_records",
        "monitor_execution_records",
        "groups",
        "packages",
        "tokens",
        "pipeline_records",
        "execution_records",
        "made_records",
        "lineage_records",
        "association_records",
        "card_records",
        "card_exports",
    },
    "organizations": set(),
    "events": set(),
    "cloudwatch": set(),
}
# Kinds of row that are one entry of one of their backend's dicts.
_ENTRIES = {
    ("sagemaker", "group"): "groups",
    ("sagemaker", "package"): "packages",
    ("sagemaker", "token"): "tokens",
    ("sagemaker", "pipeline"): "pipeline_records",
    ("sagemaker", "execution"): "execution_records",
    ("sagemaker", "made"): "made_records",
    ("sagemaker", "lineage"): "lineage_records",
    ("sagemaker", "association"): "association_records",
    ("sagemaker", "card"): "card_records",
    ("sagemaker", "card_export"): "card_exports",
    ("sagemaker", "monitor"): "monitor_records",
    ("sagemaker", "monitor_execution"): "monitor_execution_records",
    ("ram", "share"): "shares",
    ("ram", "permission"): "permissions",
}


def _value(key: Key) -> Any:
    """What belongs in a row now; None when it is gone."""
    backend = backends(key.service)[key.account][key.region]
    if member := _ENTRIES.get((key.service, key.kind)):
        return getattr(backend, member).get(key.name)
    match key.service, key.kind:
        case "sts", "session":
            return backend.sessions.get(key.name)
        case "ram", "settings":
            return {"organization_sharing": backend.organization_sharing}
        case "sqs", "queue":
            return backend.queues.get(key.name)
        case "sqs", "message":
            queue_name, _, message_id = key.name.partition("/")
            return backend.queues[queue_name].find(message_id) if queue_name in backend.queues else None
        case "s3", kind:
            return _s3(kind, key.name, backend)
        case service, "backend":
            return _stock(service, backend)
    raise AssertionError(f"no rule for {key}")


def _s3(kind: str, name: str, backend: Any) -> Any:
    """A bucket without its objects, an object in all its versions, or the tags of either."""
    if kind == "tags":
        return backend.tagger.tags.get(name) or None
    bucket_name, _, object_name = name.partition("/")
    bucket = backend.buckets.get(bucket_name)
    if bucket is None:
        return None
    if kind == "object":
        return bucket.keys.getlist(object_name) or None
    return {k: v for k, v in bucket.__dict__.items() if k != "keys"}


def _stock(service: str, backend: Any) -> dict[str, Any]:
    """What a stock backend holds, without what has rows of its own."""
    state = {k: v for k, v in backend.__dict__.items() if k not in _APART[service]}
    if service == "iam":
        # Session keys are kept with their sessions; what remains are users' own.
        state["access_keys"] = {k: v for k, v in backend.access_keys.items() if v.user_name}
    return state


def _restore(key: Key, value: Any) -> None:
    backend = backends(key.service)[key.account][key.region]
    if member := _ENTRIES.get((key.service, key.kind)):
        getattr(backend, member)[key.name] = value
        return
    match key.service, key.kind:
        case "sts", "session":
            backend.keep(value)
        case "sqs", "queue":
            backend.queues[key.name] = value
        case "sqs", "message":
            backend.queues[key.name.partition("/")[0]].put_back(value)
        case "s3", "bucket":
            bucket = FakeBucket.__new__(FakeBucket)
            bucket.__dict__.update(value, keys=_VersionedKeyStore())
            backend.buckets[key.name] = bucket
            s3_backends.bucket_accounts[key.name] = (key.region, key.account)
        case "s3", "object":
            bucket_name, _, name = key.name.partition("/")
            backend.buckets[bucket_name].keys.setlist(name, value)
        case "s3", "tags":
            backend.tagger.tags[key.name] = value
        case "s3", "backend":  # written before tags had rows of their own
            backend.tagger.tags.update(value["tagger"].tags)
        case _:
            backend.__dict__.update(value)


def _link_queues() -> None:
    for _, _, backend in backends("sqs").iter_backends():
        for queue in backend.queues.values():
            queue.sort()
            if queue.redrive_policy:
                wanted = queue.redrive_policy["deadLetterTargetArn"]
                queue.dead_letter_queue = next((q for q in backend.queues.values() if q.queue_arn == wanted), None)


def load(state: StateFile) -> int:
    """Fill the backends from the file and return how many rows there were. Raises StateError naming the file."""
    rows = sorted(state.rows(), key=lambda row: (SERVICES.index(row[0].service), _KINDS.index(row[0].kind)))
    sessions: list[tuple[Key, Any]] = []
    for key, raw in rows:
        try:
            value = pickle.loads(raw)  # our own file, in a directory of its owner
            if key.kind == "session":
                sessions.append((key, value))
            else:
                _restore(key, value)
        except StateError:
            raise
        except Exception as error:
            raise state.unreadable(key, error) from error
    for key, session in sorted(sessions, key=lambda row: row[1].expiration):
        _restore(key, session)
    _link_queues()
    relink()
    return len(rows)


def save(state: StateFile, journal: Journal) -> None:
    """Write what the journal has, durably. On an error it stays in the journal for the next request."""
    keys = journal.touched
    if not keys:
        return
    rows = []
    for key in keys:
        value = _value(key)
        rows.append((key, None if value is None else pickle.dumps(value, protocol=5)))
    state.write(rows)
    journal.settle(keys)
