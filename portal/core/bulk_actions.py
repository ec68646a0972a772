"""Actions on several rows of a list: chosen, looked over, carried out row by row, and told row by row.

Each row goes through the one service that a single one goes through, in a transaction of its own. What is refused for
one row says why and keeps nothing from the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from .actors import Actor
from .errors import DomainError, Forbidden, InvalidInput
from .permissions import ROLES, Act, may_anywhere
from .tables import PortalTable
from .views import UNUSABLE, TablePage

# As many as a page of a list shows at most.
MOST_ROWS = 100
_CONFIRMED = "confirmed"
_ACTION, _ROW = "action", "row"
GONE = "It is no longer there, or you may not see it."
STALE = "It changed since the list was shown. Look at it again."


@dataclass(frozen=True)
class BulkAction:
    """One thing that can be done with several rows.

    `carry_out(actor, row, given)` calls the service and returns what to say of the row, "" for nothing more than that
    it is done; `refusal(actor, row)` says beforehand why a row will be refused, "" when it may be tried. `form`, made
    as `form(data, actor=actor)`, asks once for what holds for all of them. `act` is the right it takes somewhere;
    without one, the page says whom it is offered to. No more than `most` rows are taken at once.
    """

    name: str
    label: str
    title: str
    carry_out: Callable[[Actor, Any, Mapping[str, Any]], str]
    icon: str = "check"
    effects: tuple[str, ...] = ()
    act: Act | None = None
    form: Callable[..., forms.Form] | None = None
    refusal: Callable[[Actor, Any], str] | None = None
    most: int = MOST_ROWS


@dataclass(frozen=True)
class Marked:
    """A row that was marked: `value` as it was sent, the row if it is still there, and why it is not tried."""

    value: str
    name: str
    row: Any
    refusal: str


@dataclass(frozen=True)
class Outcome:
    """What became of one row."""

    name: str
    is_done: bool
    said: str


class BulkTablePage(TablePage):
    """A list with actions on several rows. A POST shows what will be done first, and with `confirmed` does it."""

    http_method_names = ["get", "head", "post", "options"]
    bulk_template: ClassVar[str] = "components/bulk.html"
    bulk: ClassVar[tuple[BulkAction, ...]] = ()

    def bulk_actions(self) -> list[BulkAction]:
        """Return the actions this actor may carry out on something."""
        return [action for action in self.bulk if action.act is None or may_anywhere(self.actor, action.act)]

    def table_of(self, rows: Any) -> PortalTable:
        table = super().table_of(rows)
        table.selectable = bool(self.bulk_actions())
        return table

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**{"bulk": self.bulk_actions(), **kwargs})

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        action = self._action()
        marked = self._marked(action)
        ready = [one for one in marked if not one.refusal]
        is_confirmed = _CONFIRMED in request.POST
        form = action.form(request.POST if is_confirmed else None, actor=self.actor) if action.form else None
        if is_confirmed and (form is None or form.is_valid()):
            given = form.cleaned_data if form is not None else {}
            outcomes = [Outcome(one.name, False, one.refusal) for one in marked if one.refusal]
            outcomes += [self._one(action, one, given) for one in ready]
            tell(request, action, outcomes)
            return HttpResponseRedirect(request.get_full_path())
        context = {
            "action": action,
            "form": form,
            "ready": ready,
            "refused": [one for one in marked if one.refusal],
            "back_url": request.get_full_path(),
            "list_label": self.table_class.label,
            "actor": self.actor,
        }
        status = UNUSABLE if is_confirmed else 200
        return self.response_class(request, [self.bulk_template], context, using=self.template_engine, status=status)

    def _action(self) -> BulkAction:
        allowed = self.bulk_actions()
        name = self.request.POST.get(_ACTION, "")
        wanted = next((action for action in self.bulk if action.name == name), None)
        if not allowed or (wanted is not None and wanted not in allowed):
            act = (wanted or self.bulk[0]).act
            if act is None:
                raise Forbidden("You may not do this with the rows of this list.")
            raise Forbidden.for_act(act.value, [role.label for role in sorted(ROLES[act])])
        if wanted is None:
            raise InvalidInput("Choose what to do with the rows.", errors={_ACTION: ["There is no such action here."]})
        return wanted

    def _marked(self, action: BulkAction) -> list[Marked]:
        values = list(dict.fromkeys(self.request.POST.getlist(_ROW)))
        if not values:
            raise InvalidInput("Mark some rows first.", errors={_ROW: ["Mark the rows it is about."]})
        if len(values) > action.most:
            raise InvalidInput(
                f"{action.label} takes at most {action.most} rows at once.", errors={_ROW: ["Mark fewer rows."]}
            )
        keys = {value: _key(value) for value in values}
        # One row is one row, however it is written: nothing is done to it twice.
        firsts = {key: value for value, key in reversed(keys.items())}
        keys = {value: key for key, value in reversed(firsts.items())}
        table = self.table_of(self.rows().none())
        found = {row.pk: row for row in self.rows().filter(pk__in=set(keys.values()))}
        return [self._looked_at(action, table, value, key, found.get(key)) for value, key in keys.items()]

    def _looked_at(self, action: BulkAction, table: PortalTable, value: str, key: int, row: Any) -> Marked:
        if row is None:
            return Marked(value, f"Row {key}", None, GONE)
        name = table.name_of(row)
        if value.partition(".")[2] != table.stamp_of(row):
            return Marked(value, name, row, STALE)
        return Marked(value, name, row, action.refusal(self.actor, row) if action.refusal else "")

    def _one(self, action: BulkAction, marked: Marked, given: Mapping[str, Any]) -> Outcome:
        try:
            return Outcome(marked.name, True, action.carry_out(self.actor, marked.row, given))
        except DomainError as refusal:
            return Outcome(marked.name, False, _why(refusal))


def _key(value: str) -> int:
    digits = value.partition(".")[0]
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 19):
        raise InvalidInput("The rows that were sent are no rows of this list.", errors={_ROW: ["Mark them anew."]})
    return int(digits)


def _why(refusal: DomainError) -> str:
    """Return a refusal in words, with what it says of single fields when that is little."""
    texts = [text for found in refusal.errors.values() for text in found if text not in refusal.detail]
    return " ".join([refusal.detail, *texts[:2]])


def tell(request: HttpRequest, action: BulkAction, outcomes: Sequence[Outcome]) -> None:
    """Leave a notice for the list that says what became of each row."""
    done = [outcome for outcome in outcomes if outcome.is_done]
    refused = [outcome for outcome in outcomes if not outcome.is_done]
    level = messages.SUCCESS if not refused else messages.WARNING if done else messages.ERROR
    messages.add_message(request, level, format_html("{}{}", _done(action, done), _refused(refused)))


def _done(action: BulkAction, done: Sequence[Outcome]) -> SafeString:
    if not done:
        return format_html("<strong>{}: nothing was done.</strong>", action.label)
    plain = ", ".join(outcome.name for outcome in done if not outcome.said)
    told = format_html_join("", '<span class="bulk-line">{}: {}</span>', ((o.name, o.said) for o in done if o.said))
    head = format_html("<strong>{}: done for {}.</strong> {}", action.label, len(done), plain)
    return format_html("{}{}", head, told)


def _refused(refused: Sequence[Outcome]) -> SafeString:
    if not refused:
        return SafeString("")
    lines = format_html_join("", '<span class="bulk-line">{}: {}</span>', ((o.name, o.said) for o in refused))
    return format_html('<span class="bulk-line"><strong>Refused for {}:</strong></span>{}', len(refused), lines)
