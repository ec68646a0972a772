"""Reading a report of S3: what is broken, absent or too large has a name, and memory stays bounded."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from typing import Any

import pytest
from botocore.exceptions import ClientError

from registry.reports.document import MOST_NAMED, MOST_PARTS, ReportProblem
from registry.services import report_files
from tests.registry.reports.objects import Bucket


def read(bucket: Bucket, key: str = "analysis.json", **options: Any) -> report_files.ReportFile:
    return report_files.read(bucket, f"s3://reports/{key}", **options)  # type: ignore[arg-type]


def test_a_report_comes_with_what_identifies_it() -> None:
    data = json.dumps({"version": "1.0", "explanations": {}}).encode()
    found = read(Bucket({"analysis.json": data}))
    assert found.problem is None
    assert found.content == {"version": "1.0", "explanations": {}}
    assert (found.size, found.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert (found.etag, found.version_id) == (hashlib.md5(data).hexdigest(), "v1")


def test_one_that_is_known_is_not_read_again() -> None:
    bucket = Bucket({"analysis.json": b"{}"})
    first = read(bucket)
    again = read(bucket, unless_etag=first.etag)
    assert again.is_unchanged
    assert bucket.calls == ["HeadObject", "GetObject", "HeadObject"]


BROKEN = [
    (b"", "truncated", "empty"),
    (b"  \n", "truncated", "empty"),
    (b'{"version": "1.0", "explanations": {"kernel', "truncated", "breaks off"),
    (b'{"version": "1.0",', "truncated", "breaks off"),
    (b"Internal Server Error", "not_json", "line 1"),
    (b'{"a": 1} trailing', "not_json", "Extra data"),
    (b'{"a": 1, "a": 2}', "not_json", "'a' twice"),
    (b'{"a": \xff}', "not_json", "UTF-8"),
    (b'{"a":' * 500 + b"1" + b"}" * 500, "not_json", "deeper"),
    (b"[" * 200_000 + b"]" * 200_000, "not_json", "deeper"),
    (b"[1, 2]", "wrong_type", "a list"),
    (b'"text"', "wrong_type", "text"),
    (b"17", "wrong_type", "a single value"),
    (b"%PDF-1.7 report", "wrong_type", "a PDF file"),
    (b"\n<!DOCTYPE HTML><html>", "wrong_type", "an HTML page"),
    (b"\x1f\x8b\x08\x00", "wrong_type", "gzip"),
    (b"[" + b"1," * (MOST_PARTS + 1) + b"1]", "too_large", "parts"),
    (b"{" + b'"a":1,' * (MOST_NAMED + 1) + b"}", "too_large", "named values"),
    (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "not_json", "deeper"),
    (b'\xff\xfe{\x00"', "not_json", "UTF-16"),
    (b'{"a\\u0000": 1, "a\\ufffd": 2}', "not_json", "twice"),
]


@pytest.mark.parametrize(("data", "problem", "words"), BROKEN)
def test_what_is_broken_has_a_name_and_a_sentence(data: bytes, problem: str, words: str) -> None:
    found = read(Bucket({"analysis.json": data}))
    assert found.problem == ReportProblem(problem)
    assert words in found.sentence
    assert found.content == {}
    assert found.size == len(data)


def test_what_json_does_not_know_is_kept_as_text() -> None:
    data = (
        b'{"a": NaN, "b": -Infinity, "c": 1e999, "d": -1e999, "e": "x\\u0000\\ud800y", "f": '
        + b"9" * 5000
        + b', "g\\u0000": 12345678901234567890}'
    )
    found = read(Bucket({"analysis.json": data}))
    assert found.content == {
        "a": "NaN", "b": "-Infinity", "c": "Infinity", "d": "-Infinity", "e": "x\ufffd\ufffdy", "f": "Infinity",
        "g\ufffd": 12345678901234567890,
    }  # fmt: skip
    json.dumps(found.content, allow_nan=False)


def test_utf_16_and_a_byte_order_mark_are_read() -> None:
    for text in ('{"a": 1}'.encode("utf-16"), '{"a": 1}'.encode("utf-8-sig")):
        assert read(Bucket({"analysis.json": text})).content == {"a": 1}


def test_two_hundred_megabytes_are_refused_by_their_size_alone() -> None:
    bucket = Bucket({"analysis.json": b"{}"})
    bucket.sizes["analysis.json"] = 200 * 1024 * 1024
    found = read(bucket)
    assert (found.problem, found.sentence) == (
        ReportProblem.TOO_LARGE, "It has 200 MB; at most 20 MB are read of a report."
    )  # fmt: skip
    assert (bucket.calls, bucket.read) == (["HeadObject"], 0)


def test_memory_stays_bounded_by_the_largest_report() -> None:
    data = b'{"a": "' + b"x" * (4 * 1024 * 1024) + b'"}'
    bucket = Bucket({"analysis.json": data})
    tracemalloc.start()
    try:
        assert read(bucket).problem is None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert bucket.read == len(data)
    assert peak < 6 * len(data)


def test_no_more_is_read_than_the_bound_whatever_the_object_grew_to() -> None:
    bucket = Bucket({"analysis.json": b'{"a": "' + b"x" * 9000 + b'"}'})
    assert read(bucket, largest=1000).problem is ReportProblem.TOO_LARGE
    assert bucket.read == 0
    # Its size is what S3 says before it is read; more than that is never taken.
    bucket.sizes["analysis.json"] = 1000
    assert read(bucket, largest=1000).problem is ReportProblem.TRUNCATED
    assert bucket.read == 1000


def test_a_report_replaced_between_two_reads_is_neither_and_read_next_time() -> None:
    bucket = Bucket({"analysis.json": b'{"a": 1}'})
    asked = bucket.get_object

    def replaced(**which: str) -> Any:
        assert which["IfMatch"]
        raise ClientError({"Error": {"Code": "PreconditionFailed", "Message": "changed"}}, "GetObject")

    bucket.get_object = replaced  # type: ignore[method-assign]
    found = read(bucket)
    assert (found.problem, found.content) == (ReportProblem.UNREACHABLE, {})
    assert "It was replaced while it was being read" in found.sentence
    bucket.get_object = asked  # type: ignore[method-assign]
    bucket.objects["analysis.json"] = b'{"a": 2}'
    assert read(bucket).content == {"a": 2}


def test_a_body_that_ends_early_is_truncated() -> None:
    bucket = Bucket({"analysis.json": b'{"a": 1}'})
    bucket.sizes["analysis.json"] = 100
    found = read(bucket)
    assert found.problem is ReportProblem.TRUNCATED
    assert "after 8 bytes" in found.sentence


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("404", "missing"), ("NoSuchBucket", "missing"), ("AccessDenied", "denied"), ("403", "denied"),
        ("SlowDown", "unreachable"), ("InternalError", "unreachable"), ("unreachable", "unreachable"),
        ("PreconditionFailed", "unreachable"),
    ],
)  # fmt: skip
def test_what_s3_refuses_has_a_name(code: str, problem: str) -> None:
    bucket = Bucket({"analysis.json": b"{}"})
    bucket.refusals["analysis.json"] = code
    found = read(bucket)
    assert found.problem == ReportProblem(problem)
    assert found.sentence


@pytest.mark.parametrize("uri", ["", "nowhere", "s3://bucket", "https://example.org/x", "s3://b/\x00" + "k" * 5000])
def test_what_is_no_address_is_missing(uri: str) -> None:
    found = report_files.read(Bucket(), uri)  # type: ignore[arg-type]
    assert found.problem is ReportProblem.MISSING
    assert found.sentence
