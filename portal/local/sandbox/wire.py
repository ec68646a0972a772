"""Write errors as each AWS protocol writes them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from uuid import uuid4
from xml.sax.saxutils import escape

from .identify import Call

# Errors of AWS's common list that a test may want, with the HTTP status the JSON protocols give them.
STATUS = {
    "ThrottlingException": 400,
    "TooManyRequestsException": 429,
    "AccessDeniedException": 400,
    "ConflictException": 400,
    "ExpiredTokenException": 400,
    "UnrecognizedClientException": 400,
    "UnknownOperationException": 400,
    "ValidationException": 400,
    "InternalFailure": 500,
    "ServiceUnavailable": 503,
    "BadGateway": 502,
    "GatewayTimeout": 504,
    "ResourceInUse": 400,
    "ResourceNotFound": 400,
    "ResourceLimitExceeded": 400,
    "SerializationException": 400,
}
# The names the XML protocols have for the same thing.
_XML_NAMES = {
    "ThrottlingException": ("Throttling", 400),
    "AccessDeniedException": ("AccessDenied", 403),
    "ExpiredTokenException": ("ExpiredToken", 400),
    "UnrecognizedClientException": ("InvalidClientTokenId", 403),
}
_S3_NAMES = {"ThrottlingException": ("SlowDown", 503), "UnrecognizedClientException": ("InvalidAccessKeyId", 403)}


@dataclass
class Answer:
    """An HTTP answer, whole."""

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def error(self) -> str | None:
        """The error code the body or headers name, for the log."""
        if self.status < 400:
            return None
        for name, value in self.headers:
            if name.lower() == "x-amzn-errortype":
                return value.split(":")[0]
        try:
            found = json.loads(self.body).get("__type")
            return str(found).rsplit("#", 1)[-1] if found else str(self.status)
        except (ValueError, AttributeError):
            start, end = self.body.find(b"<Code>"), self.body.find(b"</Code>")
            return self.body[start + 6 : end].decode() if 0 <= start < end else str(self.status)


def as_json(status: int, value: object) -> Answer:
    """An answer of the sandbox's own, as JSON."""
    return Answer(status, json.dumps(value, default=str).encode(), [("Content-Type", "application/json")])


def html(code: str) -> Answer:
    """An error as a load balancer in front of a service writes it: a page, with no word of the service."""
    status = STATUS[code]
    text = f"<html><head><title>{status} {code}</title></head><body><center><h1>{status} {code}</h1></center></body>"
    return Answer(status, (text + "</html>").encode(), [("Content-Type", "text/html")])


def error(call: Call, code: str, message: str) -> Answer:
    """An error in the words of the call's protocol: XML for S3, STS and IAM, JSON for the others."""
    request_id = str(uuid4())
    headers = [("x-amzn-RequestId", request_id)]
    if call.service == "s3":
        name, status = _S3_NAMES.get(code) or _XML_NAMES.get(code) or (code, STATUS[code])
        text = (
            f"<Error><Code>{name}</Code><Message>{escape(message)}</Message><RequestId>{request_id}</RequestId></Error>"
        )
    elif call.service in ("sts", "iam") or (call.form and call.service == "sqs"):
        name, status = _XML_NAMES.get(code, (code, STATUS[code]))
        kind = "Sender" if status < 500 else "Receiver"
        text = (
            f"<ErrorResponse><Error><Type>{kind}</Type><Code>{name}</Code><Message>{escape(message)}</Message></Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    else:
        body = json.dumps({"__type": code, "message": message}).encode()
        headers += [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", code)]
        return Answer(STATUS[code], body, headers)
    return Answer(status, b"" if call.method == "HEAD" else text.encode(), [*headers, ("Content-Type", "text/xml")])
