"""What the responses of every aggregate share: who calls, checked parameters, pages."""

from __future__ import annotations

from typing import Any

from moto.sagemaker.responses import SageMakerResponse

from ..caller import Caller, caller_of
from ..pages import BadToken, binding, cut
from . import search
from .common import Record
from .constraints import check
from .errors import ValidationError
from .models import SandboxSageMakerBackend, registry


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
