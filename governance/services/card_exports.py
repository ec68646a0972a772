"""SageMaker's own PDF of a model card: ordered here, written by SageMaker into S3, fetched from there."""

from __future__ import annotations

import tempfile
from typing import IO

from django.db import IntegrityError, transaction

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import Forbidden, NotFound, Unavailable, WrongState
from portal.core.operations import operation
from portal.core.permissions import Act
from registry.aws import s3
from registry.aws.cards import EXPORTS
from registry.aws.errors import AwsDenied, AwsError, AwsNotFound
from registry.choices import AskedState
from registry.models import ModelCard, ModelCardExport
from registry.selectors import model_cards
from registry.services import accounts

from ..choices import OutboxKind
from . import outbox

# A card of 100,000 characters is a PDF of some hundred kilobytes.
LARGEST = 20 * 1024 * 1024


def order(*, actor: Actor, card_id: int, number: int | None = None, reason: str = "") -> ModelCardExport:
    """Have SageMaker write one version of a card, the latest without a number, as PDF into the account's first bucket.

    Raises NotFound, Forbidden, WrongState for a card AWS no longer has, an account without a bucket, or a version that
    is being exported already. Source: SageMaker CreateModelCardExportJob.
    """
    with operation(actor, reason or "export a model card"):
        card = access.for_update(ModelCard, actor, Act.EXPORT_CARD, pk=card_id)
        if actor.user_id is None:
            raise Forbidden("A model card is exported for a person.")
        if card.missing_since is not None:
            raise WrongState("AWS no longer has this card. The portal's own PDF shows what was read of it.")
        version = model_cards.card_version(card, number)
        buckets = card.account.artifact_buckets
        if not buckets:
            raise WrongState(
                f"No bucket of {card.account} is known, so SageMaker has nowhere to write. An ML admin names one on the"
                " account's page."
            )
        asked = ModelCardExport(
            card=card, number=version.number, path=f"s3://{buckets[0]}/{EXPORTS}", requested_by_id=actor.user_id
        )
        try:
            with transaction.atomic():
                asked.save()
        except IntegrityError:
            raise WrongState("SageMaker is writing this version already. Wait until it is there.") from None
        outbox.put(
            kind=OutboxKind.CARD_EXPORT,
            ordering_key=f"card-export:{asked.pk}",
            group=card.group,
            account=None if card.group else card.account,
            summary=f"Export version {asked.number} of the model card {card.name} as PDF",
            payload={
                "export": asked.pk,
                "name": card.name,
                "number": asked.number,
                "account_id": card.account.account_id,
                "region": card.region,
                "path": asked.path,
            },
        )
        return asked


def fetch(*, actor: Actor, card_id: int, export_id: int) -> tuple[ModelCardExport, IO[bytes], int]:
    """Return an export with its PDF, read from S3 into a file, and the file's size in bytes; the caller closes it.

    Raises NotFound, WrongState while there is none or when S3 no longer has it, Unavailable. Source: s3 HeadObject,
    GetObject.
    """
    card = model_cards.card(actor, card_id)
    export = model_cards.export(card, export_id)
    if export.state != AskedState.DONE or not export.url:
        raise WrongState("SageMaker has not written this PDF.")
    file = tempfile.SpooledTemporaryFile(max_size=1024 * 1024)  # noqa: SIM115 - the response closes it
    try:
        session = accounts.reach(card.account, card.region)
        found = s3.head(session, export.url)
        if found.size > LARGEST:
            raise WrongState(f"{export.url} is larger than a model card can be. Fetch it from S3.")
        for piece in s3.pieces(session, found):
            file.write(piece)
    except AwsNotFound:
        raise NotFound(f"S3 no longer has {export.url}. Export the version again.") from None
    except AwsDenied as error:
        raise WrongState(f"The portal may not read {export.url}. {error}") from error
    except (AwsError, s3.MalformedS3Url) as error:
        raise Unavailable(f"S3 could not be read: try again. {error}") from error
    file.seek(0)
    return export, file, found.size
