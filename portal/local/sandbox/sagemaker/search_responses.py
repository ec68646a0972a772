"""Answer Search over model packages and groups; over other resources it is stock moto's."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult

from .. import pages
from . import search
from .base_responses import BaseResponse, Written
from .common import Record
from .errors import ValidationError
from .search_plan import plan


def public(record: Record) -> Record:
    """A record as Describe shows it: without tags and what only the sandbox keeps.

    Describe names every package, a version by its group; the summaries of lists name unversioned ones only.
    """
    shown = {k: v for k, v in record.items() if v is not None and k != "Tags" and k[0].isupper()}
    if "ModelPackageVersion" in shown:
        shown["ModelPackageName"] = shown["ModelPackageGroupName"]
    return shown


class SearchResponses(BaseResponse):
    """Search over HTTP."""

    def search(self) -> ActionResult:
        p = self._checked()
        resource = p["Resource"]
        if resource not in ("ModelPackage", "ModelPackageGroup"):
            return super().search()
        search.check_expression(resource, p.get("SearchExpression"))
        if p.get("SortBy"):
            search.check_property(resource, p["SortBy"])
        crossing = p.get("CrossAccountFilterOption") == "CrossAccount"
        if resource == "ModelPackage" and not crossing and not self.registry.lag.behind("package"):
            page, token, total = self._from_index(p)
        else:
            page, token, total = self._from_rows(p, resource, crossing)
        found = [{resource: {**public(r), "Tags": r.get("Tags") or []}} for r in page]
        hits = {"Value": total, "Relation": "EqualTo"}
        return Written({"Results": found, "NextToken": token, "TotalHits": hits})

    def _from_index(self, p: Record) -> tuple[list[Record], str | None, int]:
        chosen, sorted_so = plan(self.registry.packages, p.get("SearchExpression"), p.get("SortBy"))
        descending = p.get("SortOrder") != "Ascending"
        if sorted_so:
            page, token = self._walked(chosen.walk(descending), chosen.key)
            return page, token, chosen.total
        rows = list(chosen.walk(False)(None))
        key = search.sort_key(p.get("SortBy") or "LastModifiedTime", "ModelPackageArn")
        return (*self._page(rows, key, descending), len(rows))

    def _from_rows(self, p: Record, resource: str, crossing: bool) -> tuple[list[Record], str | None, int]:
        """Look at every row: those of other accounts, and those the index has as they were before."""
        own, lag = self.registry, self.registry.lag
        if resource == "ModelPackage":
            rows = own.shared_packages() if crossing else lag.seen("package", own.packages.values(), "ModelPackageArn")
            arn, default = "ModelPackageArn", "LastModifiedTime"
        else:
            groups = own.groups.values()
            rows = own.shared_groups() if crossing else lag.seen("group", groups, "ModelPackageGroupName")
            arn, default = "ModelPackageGroupArn", "CreationTime"  # a group has no LastModifiedTime
        rows = [r for r in rows if search.matches(r, p.get("SearchExpression"))]
        key = search.sort_key(p.get("SortBy") or default, arn)
        return (*self._page(rows, key, p.get("SortOrder") != "Ascending"), len(rows))

    def _walked(self, rows: Any, key: Any) -> tuple[list[Record], str | None]:
        """A page of rows that come in order."""
        limit = int(self.params.get("MaxResults") or 100)
        try:
            return pages.walk(rows, key, limit, self.params.get("NextToken"), pages.binding(self.params))
        except pages.BadToken:
            raise ValidationError("Invalid NextToken: it was not given out for these parameters.") from None
