"""Evidence in S3: django-storages with the gateway's patience, for a bucket of the portal's own account."""

from __future__ import annotations

from typing import Any

from storages.backends.s3 import S3Storage

from registry.aws.session import client_config


class EvidenceBucket(S3Storage):
    """A private bucket. Credentials come from the process (its task role), as for the registry's accounts.

    Slow or absent S3 is given up after the gateway's timeouts and attempts, not django-storages' several minutes.
    """

    def get_default_settings(self) -> dict[str, Any]:
        return {**super().get_default_settings(), "client_config": client_config("s3")}

    @property
    def bucket(self) -> Any:
        # django-storages keeps the first thread's for all threads, and boto3's resources belong to one.
        return self.connection.Bucket(self.bucket_name)
