"""The content digest: what a decision about a version is bound to."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ..aws.records import VersionRecord

# The edition of the recipe below; a change of it is a new edition, so old digests stay comparable to themselves.
EDITION = "v1"


def canonical(value: Any) -> bytes:
    """Return JSON with sorted keys and no white space: the same content is always the same bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(value: Any) -> str:
    """Return `v1:<sha256>` of a JSON-safe value."""
    return f"{EDITION}:{hashlib.sha256(canonical(value)).hexdigest()}"


def content(record: VersionRecord) -> dict[str, Any]:
    """Return what the digest of a version covers: containers, metrics, baselines, metadata and card content.

    Approval status, descriptions and lifecycle are left out: the portal's own write-back changes those.
    """
    return {
        "containers": [
            {
                "image": container.image,
                "image_digest": container.image_digest,
                "model_data_url": container.model_data_url,
                "model_data_etag": container.model_data_etag,
            }
            for container in record.containers
        ],
        "metrics": record.metrics,
        "drift_baselines": record.drift_baselines,
        "metadata": record.metadata,
        "card": record.card_content,
        "source_uri": record.source_uri,
    }
