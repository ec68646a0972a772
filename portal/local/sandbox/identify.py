"""Tell from an HTTP request which AWS operation it is, of which account."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote
from xml.etree import ElementTree as ET

from moto.core.utils import get_service_model
from moto.iam.models import get_account_id_from

from .accounts import REGION

_SCOPE = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_BUCKET_HOST = re.compile(r"([a-z0-9-]+)\.localhost(?::\d+)?")  # boto3 puts the bucket before a host name
_READS = re.compile(r"(Get|List|Describe|BatchGet|BatchDescribe|Search|Head|Query|Receive|Simulate|Test)")
_ALIASES = {"eventbridge": "events", "monitoring": "cloudwatch"}
_JSON_SERVICES = ("sagemaker", "events", "sqs", "organizations", "cloudwatch")


@dataclass
class Call:
    """One request, as AWS would name it."""

    service: str
    operation: str
    account: str
    region: str
    access_key: str
    parameters: dict[str, Any] = field(default_factory=dict)
    bucket: str = ""
    key: str = ""
    method: str = "POST"
    form: bool = False
    garbled: bool = False

    @property
    def client_token(self) -> str | None:
        return self.parameters.get("ClientToken") or self.parameters.get("clientToken")

    @property
    def mutating(self) -> bool:
        """Whether the operation may change state. Waiting for messages does not."""
        if self.service == "s3":
            return self.method not in ("GET", "HEAD", "OPTIONS")
        return not _READS.match(self.operation)

    @property
    def lists(self) -> bool:
        """Whether the operation gives its answer in pages; RAM names some of those "Get"."""
        return bool(re.match(r"(List|Search|Query|Get\w+s$)", self.operation))

    @property
    def known(self) -> bool:
        """Whether the service has the operation; of the services that name it in a path or a form, moto knows."""
        return self.form or self.service not in _JSON_SERVICES or self.operation in _operations(self.service)

    @property
    def waits(self) -> bool:
        """Whether the operation may block, and so takes the lock itself."""
        return self.service == "sqs" and self.operation == "ReceiveMessage"


@functools.cache
def _operations(service: str) -> frozenset[str]:
    return frozenset(str(n) for n in get_service_model(service).operation_names)


@functools.cache
def _ram_operations() -> dict[str, str]:
    model = get_service_model("ram")
    return {model.operation_model(n).http["requestUri"]: str(n) for n in model.operation_names}


def _s3_operation(method: str, bucket: str, key: str, query: dict[str, list[str]], copies: bool) -> str:
    place = "Object" if key else "Bucket" if bucket else "Service"
    if method == "POST" and "delete" in query:
        return "DeleteObjects"
    if "uploads" in query or "uploadId" in query:
        if method == "GET":
            return "ListMultipartUploads" if "uploads" in query else "ListParts"
        names = {"PUT": "UploadPartCopy" if copies else "UploadPart", "DELETE": "AbortMultipartUpload"}
        created = "CreateMultipartUpload" if "uploads" in query else "CompleteMultipartUpload"
        return created if method == "POST" else names.get(method, method.title())
    if method == "GET" and place != "Object":
        sub = next((q for q in query if q in ("versioning", "policy", "tagging", "encryption", "acl")), None)
        return f"GetBucket{sub.title()}" if sub else "ListBuckets" if not bucket else "ListObjects"
    verb = {"GET": "Get", "PUT": "Put", "DELETE": "Delete", "HEAD": "Head"}.get(method, method.title())
    sub = next((q for q in query if q in ("versioning", "policy", "tagging", "encryption", "acl")), "")
    if verb == "Put" and place == "Bucket" and not sub:
        return "CreateBucket"
    return f"{verb}{place}{sub.title()}"


def _keys_to_delete(body: bytes) -> list[str]:
    try:
        elements = ET.fromstring(body).iter()
    except ET.ParseError:
        return []  # S3 will say what is wrong with it
    return [e.text for e in elements if e.tag.endswith("Key") and e.text]


def identify(environ: dict[str, Any], body: bytes) -> Call:
    """Read service, operation, account and parameters from a WSGI request.

    The service is the one the request was signed for; an unsigned one is taken for S3, as moto takes it.
    """
    path = unquote(environ.get("PATH_INFO", "/"))
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    signature = environ.get("HTTP_AUTHORIZATION") or "Credential=" + (query.get("X-Amz-Credential") or [""])[0]
    scope = _SCOPE.search(signature)
    access_key, region, service = scope.groups() if scope else ("", REGION, "s3")
    service = _ALIASES.get(service, service)
    call = Call(
        service=service,
        operation="",
        account=environ.get("HTTP_X_MOTO_ACCOUNT_ID") or get_account_id_from(access_key),
        region=region,
        access_key=access_key,
        method=environ["REQUEST_METHOD"],
        form=environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"),
    )
    if service == "s3":
        host = _BUCKET_HOST.fullmatch(environ.get("HTTP_HOST", ""))
        call.bucket, _, call.key = f"{host[1]}{path}".partition("/") if host else path.lstrip("/").partition("/")
        source, _, source_version = unquote(environ.get("HTTP_X_AMZ_COPY_SOURCE", "")).partition("?versionId=")
        call.operation = _s3_operation(call.method, call.bucket, call.key, query, bool(source))
        given = {
            "Bucket": call.bucket,
            "Key": call.key,
            "VersionId": (query.get("versionId") or [""])[0],
            "CopySource": source.lstrip("/"),
            "CopySourceVersionId": source_version,
        }
        call.parameters = {name: value for name, value in given.items() if value}
        if call.operation == "DeleteObjects":
            call.parameters["Keys"] = _keys_to_delete(body)
        return call
    if service == "ram":
        call.operation = _ram_operations().get(path, path.strip("/"))
        call.parameters = {k: v[0] for k, v in query.items()}
    elif environ.get("HTTP_X_AMZ_TARGET"):
        call.operation = environ["HTTP_X_AMZ_TARGET"].rsplit(".", 1)[-1]
    elif call.form:
        form = {k: v[0] for k, v in parse_qs(body.decode("utf-8", "replace")).items()}
        call.operation = form.pop("Action", "")
        call.parameters = form
        return call
    if body:
        try:
            call.parameters.update(json.loads(body))
        except (ValueError, TypeError):
            call.garbled = True
    return call
