"""Reading one version anew from AWS, out of turn."""

from __future__ import annotations

import logging

from registry.aws.errors import AwsError
from registry.models import ModelVersion
from registry.services import accounts
from registry.sync import run

from .sync import ACTOR, LISTENERS

logger = logging.getLogger(__name__)


def take_in_version(*, version_id: int) -> None:
    """Describe a version and take in what AWS says of it.

    An AWS that does not answer is left to the next event or pass, and what it does not have to the next full one.
    """
    version = ModelVersion.objects.select_related("group__account").filter(pk=version_id).first()
    if version is None or not version.group.account.is_enabled:
        return
    account = version.group.account
    try:
        session = accounts.reach(account, version.group.region)
        run.take_in_version(actor=ACTOR, account=account, session=session, arn=version.arn, listeners=LISTENERS)
    except AwsError as error:
        logger.warning("Version %s was not read anew: %s", version.arn, error)
