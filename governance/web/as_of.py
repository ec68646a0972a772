"""Pages as of a moment: a list of the past, and one use case or version as it stood."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.functional import cached_property

from portal.core.moments import AS_OF, MomentField, moment_in
from portal.core.templatetags.portal_ui import empty_state
from portal.core.templatetags.wording import absolute_words
from portal.core.views import TablePage
from registry.models import UseCase

from ..selectors import as_of
from ..selectors.names import names_of
from .panels import OfSubject
from .wording import request_url


def as_it_stood(moment: datetime) -> str:
    """Return the words above what is shown as of a moment."""
    return f"This is how it stood on {absolute_words(moment)}"


class OfThePast(TablePage):
    """A list as of the moment its address asks for, by default now; one it cannot ask for is refused by its form."""

    @cached_property
    def moment(self) -> datetime:
        return moment_in(self.request.GET) or timezone.now()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        others = self.request.GET.copy()
        others.pop(AS_OF, None)
        asked = moment_in(self.request.GET)
        return super().get_context_data(
            stood=as_it_stood(asked) if asked else "", today_query=others.urlencode(), **kwargs
        )

    def _empty_text(self, chosen: Any) -> str:
        since = as_of.kept_since()
        if since is None or self.moment < since:
            return empty_state(
                "Nothing was known then",
                f"The portal's memory begins on {since:%d %B %Y, %H:%M} UTC." if since else "It knows nothing yet.",
                icon="history",
            )
        return super()._empty_text(chosen)


class MomentForm(forms.Form):
    """The moment a page is asked for."""

    as_of = MomentField(label="As of (UTC)", required=False)


class SubjectThen(OfSubject):
    """One use case or version as of a moment: where it stood, its records, what waited, what had been decided."""

    template_name = "governance/then.html"
    fragment = ""
    part = "As it stood"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = MomentForm(self.request.GET if AS_OF in self.request.GET else None)
        moment = timezone.now()
        if form.is_bound and form.is_valid():
            moment = form.cleaned_data[AS_OF] or moment
        found = as_of.then(self.actor, self.subject, moment)
        names = names_of([*(move.actor for move in found.moves), *(record.audit_user for record in found.records)])
        return super().get_context_data(
            form=form,
            stood=as_it_stood(moment),
            is_refused=form.is_bound and not form.is_valid(),
            is_use_case=isinstance(self.subject, UseCase),
            then=found,
            records=[(record, names[record.audit_user]) for record in found.records],
            moves=[(move, names[move.actor]) for move in found.moves],
            waiting=[{"row": request, "url": request_url(request)} for request in found.waiting],
            decisions=[{"row": decision, "url": request_url(decision.request)} for decision in found.decisions],
            **kwargs,
        )
