"""Tell the journal which resource's tags changed; all else of S3 is stock moto's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import moto.s3.urls
from moto.s3.models import S3Backend
from moto.utilities.tagging_service import TaggingService

from ..state import journal


class _Tagger(TaggingService):
    """The tags of an account's buckets and objects; says whose changed."""

    def __init__(self, changed: Callable[[str], None]) -> None:
        super().__init__()
        self._changed = changed

    def tag_resource(self, arn: str, tags: list[dict[str, str]] | None) -> None:
        super().tag_resource(arn, tags)
        self._changed(arn)

    def delete_all_tags_for_resource(self, arn: str) -> None:
        super().delete_all_tags_for_resource(arn)
        self._changed(arn)

    def untag_resource_using_names(self, arn: str, tag_names: list[str]) -> None:
        super().untag_resource_using_names(arn, tag_names)
        self._changed(arn)


class SandboxS3Backend(S3Backend):
    """S3 of one account."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.tagger = _Tagger(lambda arn: journal.touch("s3", account_id, region_name, "tags", arn))

    @property
    def _url_module(self) -> Any:
        return moto.s3.urls
