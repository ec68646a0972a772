"""Read and write SageMaker's model cards of their own: the card, its versions, and what a write to it needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from registry.aws.errors import AwsInvalid, translated
from registry.aws.limits import require_valid
from registry.aws.records import Identity
from registry.aws.session import AwsSession, pages
from registry.aws.values import plain_text, utc

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.literals import ModelCardStatusType
    from mypy_boto3_sagemaker.type_defs import UpdateModelCardRequestTypeDef

PAGE_SIZE = 100
LONGEST_CONTENT = 100_000
# Where the PDFs that SageMaker writes lie in an account's bucket; the role may write nothing else there.
EXPORTS = "model-card-exports/"


@dataclass(frozen=True, slots=True)
class CardSummary:
    """Hold what a list says of a card: enough to see that it changed."""

    arn: str
    name: str
    status: str
    created_at: datetime | None
    modified_at: datetime | None

    @classmethod
    def from_summary(cls, summary: Mapping[str, Any]) -> CardSummary:
        """Read one ModelCardSummary."""
        return cls(
            arn=plain_text(summary.get("ModelCardArn")),
            name=plain_text(summary.get("ModelCardName")),
            status=plain_text(summary.get("ModelCardStatus")),
            created_at=utc(summary.get("CreationTime")),
            modified_at=utc(summary.get("LastModifiedTime")),
        )


@dataclass(frozen=True, slots=True)
class CardVersionSummary:
    """Hold what a list says of one version of a card."""

    number: int
    status: str
    created_at: datetime | None
    modified_at: datetime | None


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """Hold how far an export of a card has come: InProgress, Completed with the PDF's S3 URL, Failed with a reason."""

    arn: str
    state: str
    url: str
    reason: str


@dataclass(frozen=True, slots=True)
class CardRecord:
    """Hold one version of a card; `content` is its JSON text exactly as AWS gives it, valid or not."""

    arn: str
    name: str
    number: int
    status: str
    content: str
    kms_key: str
    created_by: Identity | None
    last_modified_by: Identity | None
    created_at: datetime | None
    modified_at: datetime | None

    @classmethod
    def from_describe(cls, answer: Mapping[str, Any]) -> CardRecord:
        """Read a DescribeModelCard answer."""
        return cls(
            arn=plain_text(answer.get("ModelCardArn")),
            name=plain_text(answer.get("ModelCardName")),
            number=int(answer.get("ModelCardVersion") or 1),
            status=plain_text(answer.get("ModelCardStatus")),
            content=plain_text(answer.get("Content")),
            kms_key=plain_text((answer.get("SecurityConfig") or {}).get("KmsKeyId")),
            created_by=Identity.from_user_context(answer.get("CreatedBy")),
            last_modified_by=Identity.from_user_context(answer.get("LastModifiedBy")),
            created_at=utc(answer.get("CreationTime")),
            modified_at=utc(answer.get("LastModifiedTime")),
        )


def list_cards(session: AwsSession) -> Iterator[CardSummary]:
    """Yield the account's own model cards, oldest first; AWS lists no others.

    Raises AwsError of the page that failed; what was yielded before it is then incomplete. Source: ListModelCards, 100
    a page; it has no filter on the moment of a change.
    """
    request = {"MaxResults": PAGE_SIZE, "SortBy": "CreationTime", "SortOrder": "Ascending"}
    call = session.sagemaker.list_model_cards
    for page in pages(session, "sagemaker", "ListModelCards", call, request):
        for summary in page.get("ModelCardSummaries", ()):
            yield CardSummary.from_summary(summary)


def list_card_versions(session: AwsSession, name: str) -> Iterator[CardVersionSummary]:
    """Yield the versions of a card (name or ARN), oldest first. Raises AwsError. Source: ListModelCardVersions."""
    request = {"ModelCardName": name, "MaxResults": PAGE_SIZE, "SortBy": "Version", "SortOrder": "Ascending"}
    call = session.sagemaker.list_model_card_versions
    for page in pages(session, "sagemaker", "ListModelCardVersions", call, request):
        for row in page.get("ModelCardVersionSummaryList", ()):
            yield CardVersionSummary(
                int(row["ModelCardVersion"]),
                plain_text(row.get("ModelCardStatus")),
                utc(row.get("CreationTime")),
                utc(row.get("LastModifiedTime")),
            )


def describe_card(session: AwsSession, name: str, number: int | None = None) -> CardRecord:
    """Read a card (name or ARN) in one version, the latest without a number.

    A card under a customer key needs kms:Decrypt. Raises AwsNotFound, AwsDenied. Source: DescribeModelCard.
    """
    with translated(session, "sagemaker", "DescribeModelCard"):
        if number is None:
            return CardRecord.from_describe(session.sagemaker.describe_model_card(ModelCardName=name))
        answer = session.sagemaker.describe_model_card(ModelCardName=name, ModelCardVersion=number)
    return CardRecord.from_describe(answer)


def create_card(session: AwsSession, *, name: str, content: str, status: ModelCardStatusType = "Draft") -> str:
    """Make a model card and return its ARN. `content` is JSON text of at most 100000 characters.

    Raises AwsInvalid for a name or content AWS does not take, AwsConflict when a card has the name. Source:
    CreateModelCard, which knows no ClientToken: look before a second attempt.
    """
    request: Any = {"ModelCardName": name, "Content": content, "ModelCardStatus": status}
    require_valid(session, "sagemaker", "CreateModelCard", request)
    with translated(session, "sagemaker", "CreateModelCard"):
        return session.sagemaker.create_model_card(**request)["ModelCardArn"]


def update_card(
    session: AwsSession, name: str, *, content: str | None = None, status: ModelCardStatusType | None = None
) -> None:
    """Change a card (name or ARN): a new content makes its next version, a status alone does not.

    Raises AwsInvalid when nothing is to be written or AWS does not take it, AwsConflict for the content of an archived
    card, AwsNotFound. Source: UpdateModelCard, which has no expected-version parameter: describe it before.
    """
    request: UpdateModelCardRequestTypeDef = {"ModelCardName": name}
    if content is not None:
        request["Content"] = content
    if status is not None:
        request["ModelCardStatus"] = status
    if len(request) == 1:
        raise AwsInvalid(
            service="sagemaker",
            operation="UpdateModelCard",
            account_id=session.account.account_id,
            code="NothingToWrite",
            message=f"neither content nor status of {name} was given",
        )
    require_valid(session, "sagemaker", "UpdateModelCard", request)
    with translated(session, "sagemaker", "UpdateModelCard"):
        session.sagemaker.update_model_card(**request)


def export_card(session: AwsSession, *, name: str, number: int, job: str, path: str) -> str:
    """Have SageMaker write one version of a card as PDF below an S3 path, and return the ARN of the export job.

    SageMaker writes in the caller's name: the role needs s3:PutObject there. Raises AwsConflict when a job has the
    name, AwsNotFound, AwsInvalid. Source: CreateModelCardExportJob, which knows no ClientToken.
    """
    request: Any = {
        "ModelCardName": name,
        "ModelCardVersion": number,
        "ModelCardExportJobName": job,
        "OutputConfig": {"S3OutputPath": path},
    }
    require_valid(session, "sagemaker", "CreateModelCardExportJob", request)
    with translated(session, "sagemaker", "CreateModelCardExportJob"):
        return session.sagemaker.create_model_card_export_job(**request)["ModelCardExportJobArn"]


def describe_export(session: AwsSession, arn: str) -> ExportRecord:
    """Read how far an export has come. Raises AwsNotFound, AwsDenied. Source: DescribeModelCardExportJob."""
    with translated(session, "sagemaker", "DescribeModelCardExportJob"):
        answer = session.sagemaker.describe_model_card_export_job(ModelCardExportJobArn=arn)
    return ExportRecord(
        arn=plain_text(answer.get("ModelCardExportJobArn")),
        state=plain_text(answer.get("Status")),
        url=plain_text(answer.get("ExportArtifacts", {}).get("S3ExportArtifacts")),
        reason=plain_text(answer.get("FailureReason")),
    )
