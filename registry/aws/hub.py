"""Read SageMaker's hubs: where a JumpStart model comes from, and under which licence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from registry.aws.errors import translated
from registry.aws.session import AwsSession, pages
from registry.aws.values import plain_text

PUBLIC_HUB = "SageMakerPublicHub"
PAGE_SIZE = 100
_CONTENT = re.compile(
    r"arn:aws[a-z-]*:sagemaker:(?P<region>[a-z0-9-]+):(?P<owner>aws|\d{12}):hub-content/"
    r"(?P<hub>[A-Za-z0-9-]{1,63})/(?P<kind>Model|ModelReference)/(?P<name>[A-Za-z0-9._-]{1,63})"
    r"(?:/(?P<version>[0-9A-Za-z.+*-]{1,14}))?"
)


@dataclass(frozen=True, slots=True)
class HubContentArn:
    """Hold the parts of hub content's ARN; `owner` is an account or "aws", `version` "" where it names none."""

    region: str
    owner: str
    hub: str
    kind: str
    name: str
    version: str

    @property
    def hub_key(self) -> str:
        """What DescribeHubContent takes for the hub: its name, or its ARN where another account owns it."""
        return self.hub if self.owner == "aws" else f"arn:aws:sagemaker:{self.region}:{self.owner}:hub/{self.hub}"


@dataclass(frozen=True, slots=True)
class HubContentRecord:
    """Hold what a hub says of a model; `licence`, `provider` and `eula_uri` stand in its document, or are "".

    `problem` says why the document could not be read. Source: DescribeHubContent.
    """

    arn: str
    hub: str
    name: str
    version: str
    kind: str
    title: str = ""
    description: str = ""
    support: str = ""
    public_arn: str = ""
    licence: str = ""
    provider: str = ""
    eula_uri: str = ""
    problem: str = ""

    @classmethod
    def from_describe(cls, answer: Mapping[str, Any]) -> HubContentRecord:
        """Read a DescribeHubContent answer or one summary of a list; a document that is no JSON is a problem."""
        document, problem = _document(answer.get("HubContentDocument"))
        keywords = answer.get("HubContentSearchKeywords")
        words = _keywords(keywords if isinstance(keywords, list) else [])
        return cls(
            arn=plain_text(answer.get("HubContentArn")),
            hub=plain_text(answer.get("HubName")),
            name=plain_text(answer.get("HubContentName")),
            version=plain_text(answer.get("HubContentVersion")),
            kind=plain_text(answer.get("HubContentType")),
            title=plain_text(answer.get("HubContentDisplayName")),
            description=plain_text(answer.get("HubContentDescription")),
            support=plain_text(answer.get("SupportStatus")),
            public_arn=plain_text(answer.get("SageMakerPublicHubContentArn")),
            licence=document.get("license", "") or words.get("license", ""),
            provider=document.get("provider", "") or words.get("provider", ""),
            eula_uri=document.get("hostingeulauri", "") or document.get("hostingeulakey", ""),
            problem=problem,
        )


def parse_content_arn(text: str) -> HubContentArn | None:
    """Take hub content's ARN apart; None for anything else."""
    found = _CONTENT.fullmatch(text)
    if not found:
        return None
    return HubContentArn(
        found["region"], found["owner"], found["hub"], found["kind"], found["name"], found["version"] or ""
    )


def list_hubs(session: AwsSession) -> Iterator[str]:
    """Yield the names of the account's private hubs. Source: ListHubs, 100 a page, without a paginator."""
    call = session.sagemaker.list_hubs
    for page in pages(session, "sagemaker", "ListHubs", call, {"MaxResults": PAGE_SIZE}):
        for summary in page.get("HubSummaries", ()):
            yield plain_text(summary.get("HubName"))


def list_hub_contents(session: AwsSession, hub: str, kind: str, *, name: str = "") -> Iterator[HubContentRecord]:
    """Yield what a hub offers of a kind ("Model", "ModelReference"), only names containing `name` if given.

    Source: ListHubContents, 100 a page, without a paginator; summaries have no document, so no licence.
    """
    request: dict[str, Any] = {"HubName": hub, "HubContentType": kind, "MaxResults": PAGE_SIZE}
    if name:
        request["NameContains"] = name
    call = session.sagemaker.list_hub_contents
    for page in pages(session, "sagemaker", "ListHubContents", call, request):
        for summary in page.get("HubContentSummaries", ()):
            yield HubContentRecord.from_describe({**summary, "HubName": hub})


def describe_hub_content(
    session: AwsSession, *, hub: str, name: str, kind: str = "Model", version: str = ""
) -> HubContentRecord:
    """Read one piece of a hub's content, its newest version unless one is named.

    `hub` is a name, or an ARN of another account's. Raises AwsNotFound, AwsDenied. Source: DescribeHubContent.
    """
    request: dict[str, Any] = {"HubName": hub, "HubContentType": kind, "HubContentName": name}
    if version:
        request["HubContentVersion"] = version
    with translated(session, "sagemaker", "DescribeHubContent"):
        answer = session.sagemaker.describe_hub_content(**request)
    return HubContentRecord.from_describe(answer)


def _document(text: Any) -> tuple[dict[str, str], str]:
    """The texts of a document by lower-cased name, and what is wrong with it."""
    if text in (None, ""):
        return {}, ""
    try:
        document = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return {}, "The hub's document of the model is not JSON, so its licence is not known."
    if not isinstance(document, dict):
        return {}, "The hub's document of the model is no JSON object, so its licence is not known."
    return {key.lower(): plain_text(value)[:500] for key, value in document.items() if isinstance(value, str)}, ""


def _keywords(keywords: list[Any]) -> dict[str, str]:
    """What search keywords such as "@license:Apache-2.0" say."""
    told = (plain_text(one).lstrip("@").partition(":") for one in keywords)
    return {name.lower(): value for name, colon, value in told if colon}
