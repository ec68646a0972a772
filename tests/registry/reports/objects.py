"""A bucket that remembers what was asked of it, in place of S3."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError

from registry.aws.records import AccountRef

WRITTEN = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Bucket:
    """Answers HeadObject and GetObject as S3 does; `read` counts the bytes that left it."""

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        self.objects = dict(objects or {})
        self.sizes: dict[str, int] = {}
        self.refusals: dict[str, str] = {}
        self.calls: list[str] = []
        self.read = 0
        self.account = AccountRef("111111111111", "us-east-1")

    @property
    def s3(self) -> Bucket:
        return self

    def head_object(self, **which: str) -> dict[str, Any]:
        self.calls.append("HeadObject")
        key = which["Key"]
        data = self._find("HeadObject", key)
        return {
            "ContentLength": self.sizes.get(key, len(data)),
            "ETag": f'"{hashlib.md5(data).hexdigest()}"',
            "VersionId": "v1",
            "LastModified": WRITTEN,
        }

    def get_object(self, **which: str) -> dict[str, Any]:
        self.calls.append("GetObject")
        data = self._find("GetObject", which["Key"])
        assert which["IfMatch"] == f'"{hashlib.md5(data).hexdigest()}"'
        return {"Body": _Counted(data, self)}

    def _find(self, operation: str, key: str) -> bytes:
        code = self.refusals.get(key)
        if code == "unreachable":
            raise EndpointConnectionError(endpoint_url="https://s3.example")
        if code:
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, operation)
        if key not in self.objects:
            raise ClientError({"Error": {"Code": "404", "Message": "Not Found"}}, operation)
        return self.objects[key]


class _Counted(io.BytesIO):
    def __init__(self, data: bytes, bucket: Bucket) -> None:
        super().__init__(data)
        self.bucket = bucket

    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(size)
        self.bucket.read += len(piece)
        return piece
