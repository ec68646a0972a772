"""S3: objects by the URLs SageMaker knows them by."""

from __future__ import annotations

import pytest

from registry.aws.s3 import MalformedS3Url, S3Location, parse_s3_url


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("s3://bucket/a/b c.tar.gz", S3Location("bucket", "a/b c.tar.gz")),
        ("s3://bucket/prefix/", S3Location("bucket", "prefix/")),
        ("https://bucket.s3.eu-west-1.amazonaws.com/a/b", S3Location("bucket", "a/b")),
        ("https://my.bucket.s3.amazonaws.com/a", S3Location("my.bucket", "a")),
        ("https://s3.eu-west-1.amazonaws.com/bucket/a/b", S3Location("bucket", "a/b")),
        ("https://s3.cn-north-1.amazonaws.com.cn/bucket/a", S3Location("bucket", "a")),
    ],
)
def test_urls_are_taken_apart(url: str, location: S3Location) -> None:
    assert parse_s3_url(url) == location
    assert parse_s3_url(location.url) == location


@pytest.mark.parametrize("url", ["", "s3://", "s3://bucket", "s3://bucket/", "bucket/key", "https://example.org/b/k"])
def test_what_is_no_object_url_is_refused_by_name(url: str) -> None:
    with pytest.raises(MalformedS3Url, match="should look like s3://bucket/key"):
        parse_s3_url(url)
