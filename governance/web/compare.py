"""Two to four versions beside each other."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode

from portal.core.errors import InvalidInput
from portal.core.views import Page
from registry.models import ModelVersion
from registry.selectors import catalogue

from ..selectors import comparison

# Of a group's versions, those a person picks from; the list of all versions has the rest.
_OFFERED = 30


class Compare(Page):
    """The versions the address names (`v`, two to four times) by section; `only=differences` leaves out what agrees.

    With fewer, it offers the others of the group to choose from; too many or one twice is said with 400.
    """

    template_name = "governance/compare.html"
    fragment = "comparison"

    @cached_property
    def asked(self) -> list[str]:
        query = self.request.GET
        # Rows marked in a list come as key and stamp; versions are compared as they are now.
        marked = (row.partition(".")[0] for row in query.getlist("row"))
        return [given for given in (*query.getlist("v"), *marked) if given]

    @cached_property
    def only_differences(self) -> bool:
        return self.request.GET.get("only") == "differences"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            versions = comparison.chosen(self.actor, self.asked)
        except InvalidInput as refusal:
            return self._choose(refusal)
        return self.render_to_response(self.get_context_data(**self._compared(versions)))

    def _compared(self, versions: list[ModelVersion]) -> dict[str, Any]:
        keys = [version.pk for version in versions]
        sections = []
        for section in comparison.side_by_side(self.actor, versions):
            lines = [line for line in section.lines if line.differs or not self.only_differences]
            sections.append({"title": section.title, "lines": lines, "same": section.same, "any": bool(section.lines)})
        return {
            "columns": [
                {"version": version, "without": self._address([key for key in keys if key != version.pk])}
                for version in versions
            ],
            "keys": keys,
            "width": len(versions) + 1,
            "sections": sections,
            "only_differences": self.only_differences,
            "may_drop": len(versions) > comparison.FEWEST,
            "add_url": self._address(keys, choose="1") if len(versions) < comparison.MOST else "",
            "choosing": False,
        } | (self._offer(keys) if self.request.GET.get("choose") and len(versions) < comparison.MOST else {})

    def _choose(self, refusal: InvalidInput) -> HttpResponse:
        keys = list(dict.fromkeys(int(given) for given in self.asked))
        context = self.get_context_data(refusal=refusal.detail if len(self.asked) > 1 else "", **self._offer(keys))
        # To have chosen one so far is no mistake.
        return self.render_to_response(context, status=refusal.status if len(self.asked) > 1 else 200)

    def _offer(self, keys: list[int]) -> dict[str, Any]:
        chosen = list(catalogue.versions(self.actor).filter(pk__in=keys))
        groups = dict.fromkeys(version.group_id for version in chosen)
        others = catalogue.versions(self.actor).filter(group__in=groups).exclude(pk__in=keys).order_by("-number", "-pk")
        offered = list(others[: _OFFERED + 1])
        return {
            "choosing": True,
            "chosen": sorted(chosen, key=lambda version: keys.index(version.pk)),
            "others": offered[:_OFFERED],
            "there_are_more": len(offered) > _OFFERED,
            "most": comparison.MOST,
        }

    @staticmethod
    def _address(keys: list[int], **more: str) -> str:
        return f"{reverse('governance:version_compare')}?{urlencode([*(('v', key) for key in keys), *more.items()])}"

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [{"label": "Model versions", "url": reverse("registry:version_list")}, {"label": "Compare", "url": ""}]
