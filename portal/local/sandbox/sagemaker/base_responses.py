"""What the responses of every aggregate share: who calls, checked parameters, pages."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from moto.core.responses import ActionContext, ActionResult
from moto.sagemaker.responses import SageMakerResponse
from moto.utilities.aws_headers import gen_amzn_requestid_long

from ..caller import Caller, caller_of
from ..pages import BadToken, binding, cut
from . import search
from .common import Record
from .constraints import check
from .errors import ValidationError
from .models import SandboxSageMakerBackend, registry


def _stamp(value: Any) -> float:
    """A moment as the JSON protocol writes it: seconds since 1970."""
    if isinstance(value, datetime):
        return round(value.timestamp(), 3)
    raise TypeError(f"{value!r} cannot be in an answer")


class Written(ActionResult):
    """An answer that has no member but those of its shape, and is written as it is.

    moto walks the shape of every member of every row, which takes a list of a hundred packages longer than all else.
    """

    def __init__(self, result: Record) -> None:
        super().__init__(result)
        self._record = result

    def execute_result(self, context: ActionContext) -> tuple[int, dict[str, str], str]:
        """The status, headers and body."""
        text = json.dumps({k: v for k, v in self._record.items() if v is not None}, default=_stamp)
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, text


class BaseResponse(SageMakerResponse):
    """SageMaker over HTTP, before any operation of the sandbox's own."""

    @property
    def registry(self) -> SandboxSageMakerBackend:
        """SageMaker of the caller's account and region."""
        return registry(self.current_account, self.region)

    @property
    def caller(self) -> Caller:
        """Who calls."""
        return caller_of(self.access_key, self.current_account, self.region)

    @staticmethod
    def _enrich_response(headers: dict[str, str], body: Any) -> tuple[dict[str, str], Any]:
        # moto's looks for XML in the body, which in a page of packages it does not find slowly.
        if "status" in headers:
            headers["status"] = str(headers["status"])
        gen_amzn_requestid_long(headers)
        return headers, body

    def _checked(self) -> Record:
        check(self._get_action(), self.params)
        return dict(self.params)

    def _page(self, rows: list[Record], key: Any, descending: bool) -> tuple[list[Record], str | None]:
        limit = int(self.params.get("MaxResults") or 100)
        try:
            return cut(rows, key, limit, self.params.get("NextToken"), binding(self.params), descending)
        except BadToken:
            raise ValidationError("Invalid NextToken: it was not given out for these parameters.") from None

    @staticmethod
    def _between(rows: list[Record], p: Record, after: str, before: str) -> list[Record]:
        """The rows created within the moments asked for."""
        earliest, latest = search.aware(p.get(after)), search.aware(p.get(before))
        return [
            r
            for r in rows
            if (not earliest or r["CreationTime"] > earliest) and (not latest or r["CreationTime"] < latest)
        ]
