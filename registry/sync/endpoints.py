"""Reading what serves requests in an account and region: what changed is described, what a listing lacks is marked."""

from __future__ import annotations

from typing import Protocol

from django.conf import settings
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.operations import operation

from ..aws import endpoints as aws
from ..aws.endpoints import EndpointRecord, EndpointSummary
from ..aws.errors import AwsError, AwsNotFound
from ..aws.session import AwsSession
from ..models import AwsAccount
from ..services import endpoints
from .reading import in_order

_REASON = "read endpoints"


class Counting(Protocol):
    """What a pass counts, and the sentences about what it could not read."""

    created: int
    updated: int
    unchanged: int
    missing: int
    problems: list[str]


def read(actor: Actor, account: AwsAccount, session: AwsSession, tally: Counting) -> None:
    """Take in what serves in a region; only what changed since is described.

    An endpoint that cannot be read is a problem of its own and stays as it is known. Raises AwsError when the listing
    fails, or AWS throttles or does not answer: nothing is marked then, and what was taken in stays.
    Source: ListEndpoints, and what `aws.endpoints.Serving` calls.
    """
    region, begun = session.account.region, timezone.now()
    listed = list(aws.list_endpoints(session))
    known = endpoints.settled(account, region, listed)
    serving = aws.Serving(session)

    def describe(summary: EndpointSummary) -> EndpointRecord | AwsError:
        try:
            return serving.endpoint(summary.name)
        except AwsError as error:
            return error

    changed = [summary for summary in listed if summary.name not in known]
    present = {summary.name for summary in listed}
    for summary, found in in_order(changed, describe, at_once=settings.PORTAL_AWS_READS_AT_ONCE):
        if isinstance(found, AwsNotFound):
            present.discard(summary.name)
        elif isinstance(found, AwsError):
            if found.retryable:
                raise found
            tally.problems.append(f"Endpoint {summary.name} could not be read. {found}")
        else:
            with operation(actor, _REASON):
                outcome = endpoints.take_in(actor=actor, account=account, region=region, record=found, now=begun)
            setattr(tally, outcome, getattr(tally, outcome) + 1)
            tally.problems += [
                f"Model {one.model_name} of endpoint {summary.name} could not be read. {one.model.problem}"
                for one in found.served
                if one.model.problem
            ]
    with operation(actor, _REASON):
        endpoints.confirm(actor=actor, endpoints=list(known.values()), now=begun)
        endpoints.link(actor=actor, account=account, region=region)
        tally.unchanged += len(known)
        tally.missing += endpoints.mark_missing(actor=actor, account=account, region=region, present=present, now=begun)
