"""What every aggregate of the sandbox's SageMaker needs: the time, the shape of a record, the account it is in."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from ..settings import now
from ..state import journal

__all__ = ["TOKEN_LIFETIME", "Aggregate", "Record", "asked", "now", "pick"]

Record = dict[str, Any]
TOKEN_LIFETIME = timedelta(days=1)


def asked(p: Record, *tokens: str) -> str:
    """What a request asks for besides its tokens, to tell a repeated one from another."""
    return json.dumps({k: v for k, v in p.items() if k not in tokens}, sort_keys=True, default=str)


def pick(record: Record, names: tuple[str, ...]) -> Record:
    """The members of a record a summary has."""
    return {n: record[n] for n in names if record.get(n) is not None}


class Aggregate:
    """A part of the backend of one account and region."""

    account_id: str
    region_name: str

    def touch(self, kind: str, name: str) -> None:
        """Have a row written with the request under way."""
        journal.touch("sagemaker", self.account_id, self.region_name, kind, name)

    def arn_of(self, kind: str, name: str) -> str:
        """The ARN of a resource of this account."""
        return f"arn:aws:sagemaker:{self.region_name}:{self.account_id}:{kind}/{name}"
