"""The columns of lists as of a moment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from portal.core.tables import PortalTable, absent, name_cell, two
from portal.core.templatetags.portal_ui import arn, badge, person, plain, reltime, risk_badge, status_badge

from ..lifecycle import Verb
from ..selectors.as_of import past_row
from ..selectors.names import names_of
from ..selectors.production import Running, on_whose_word
from .tables import StageTable

_MOVED: dict[str, str] = {
    Verb.DEPLOY: "deployed",
    Verb.SUPERSEDE: "superseded",
    Verb.ROLLBACK: "rolled back to",
    Verb.RENEW: "approved anew",
}


class PastStageTable(StageTable):
    """The fifteen attributes as of a moment."""

    label = "Model stage governance table of the past"
    use_case_id = tables.Column("Use case", order_by=("use_case_number", "pk"), empty_values=())
    use_case_name = tables.Column("Use case name", order_by=("use_case_name", "pk"), empty_values=())
    use_case_stage = tables.Column("Use case stage", order_by=("use_case_stage", "pk"), empty_values=())
    model_group = tables.Column("Model group", order_by=("model_group", "pk"), empty_values=())
    model_version = tables.Column("Version", order_by=("model_version", "pk"), empty_values=())
    model_owner = tables.Column("Model owner", order_by=("model_owner", "pk"), empty_values=())
    model_lob = tables.Column("Line of business", order_by=("model_lob", "pk"), empty_values=())
    model_project = tables.Column("Project", order_by=("model_project", "pk"), empty_values=())
    model_stage = tables.Column("Model stage", order_by=("model_stage", "pk"), empty_values=())
    model_status = tables.Column("Model status", order_by=("model_status", "pk"), empty_values=())
    model_risk = tables.Column("Risk", order_by=("model_risk", "pk"), empty_values=())

    def _value(self, record: Any, name: str) -> Any:
        return getattr(record, name)

    def _as_row(self, record: Any) -> dict[str, Any]:
        return past_row(record)

    def render_use_case_id(self, record: Any) -> SafeString:
        return use_case_link(record)

    def render_use_case_name(self, record: Any) -> SafeString | str:
        return record.use_case_name or absent()

    def render_use_case_stage(self, record: Any) -> SafeString | str:
        return plain(record.use_case_stage) or absent()

    def render_model_group(self, record: Any) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("registry:group", args=[record.group_id]), record.model_group)

    def render_model_version(self, record: Any) -> SafeString:
        url = reverse("registry:version", args=[record.version_id])
        return format_html('<a href="{}">Version {}</a>', url, record.model_version)

    def render_model_stage(self, record: Any) -> str:
        stage = plain(record.model_stage)
        return f"{stage} ({record.account_alias})" if record.account_alias else stage

    def render_model_status(self, record: Any) -> SafeString:
        return status_badge(record.model_status)

    def render_model_risk(self, record: Any) -> SafeString:
        return risk_badge(record.model_risk)


class ProductionTable(PortalTable):
    """What ran in production at a moment, and the words behind it."""

    label = "In production"
    version = tables.Column("Version", accessor="model_group", order_by=("model_group", "model_version", "pk"))
    use_case = tables.Column("Use case", accessor="use_case_name", order_by=("use_case_number", "pk"), empty_values=())
    account = tables.Column("Account", accessor="account_alias", order_by=("account_alias", "pk"), empty_values=())
    status = tables.Column("Status", accessor="model_status", order_by=("model_status", "pk"))
    word = tables.Column("Approved by", accessor="pk", orderable=False)
    basis = tables.Column("On the basis of", accessor="pk", orderable=False)
    deployment = tables.Column("Deployment", accessor="pk", orderable=False)

    def __init__(self, *args: Any, moment: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.moment = moment
        self.words: dict[tuple[int, int], Running] | None = None

    def _behind(self, record: Any) -> Running:
        if self.words is None:  # once for the page that is shown
            page = [row.record for row in self.paginated_rows]
            self.words = {(found.row.pk, found.row.row_key): found for found in on_whose_word(page, self.moment)}
            said = [found.reported.by for found in self.words.values() if found.reported]
            self.names = names_of([*said, *(move.actor for found in self.words.values() for move in found.moves)])
        return self.words[record.pk, record.row_key]

    def render_version(self, record: Any) -> SafeString:
        url = reverse("governance:version_as_of", args=[record.version_id])
        name = f"{record.model_group}/{record.model_version}"
        return name_cell(name, f"{url}?as_of={self.moment:%Y-%m-%dT%H:%M:%SZ}", record.model_owner or "no owner named")

    def render_use_case(self, record: Any) -> SafeString:
        link = use_case_link(record)
        return two(link, record.use_case_name) if record.use_case_name else link

    def render_account(self, record: Any) -> SafeString:
        if not record.account_id:
            return absent("no account")
        return format_html('{}<span class="kv-hint">{}</span>', record.account_alias, record.account_id)

    def render_status(self, record: Any) -> SafeString:
        shown = status_badge(record.model_status)
        if record.outdated_at is None:
            return shown
        return two(shown, badge("Changed since approved", "warn", "refresh-alert"))

    def render_word(self, record: Any) -> SafeString:
        given = self._behind(record).approvals
        if not given:
            return absent("no decision on record")
        return format_html_join(
            "",
            '<div class="sign-offs-vote">{} {}{}</div>',
            (
                (
                    person(
                        decision.decider,
                        role=decision.role,
                        detail=f"for {decision.on_behalf_of}" if decision.on_behalf_of else "",
                    ),
                    reltime(decision.decided_at),
                    format_html('<p class="text-block">{}</p>', decision.comment) if decision.comment else "",
                )
                for decision in given
            ),
        )

    def render_basis(self, record: Any) -> SafeString:
        request = self._behind(record).request
        if request is None:
            return absent("no request")
        link = format_html('<a href="{}">{}</a>', reverse("governance:request", args=[request.pk]), request.public_id)
        return format_html(
            '{}<span class="kv-hint">policy {} · {}</span>',
            link,
            request.policy.number,
            arn(request.digest, "digest", 8),
        )

    def render_deployment(self, record: Any) -> SafeString:
        found = self._behind(record)
        moved = format_html_join(
            "",
            '<span class="kv-hint">{} by {}, {}</span>',
            (
                (_MOVED.get(move.verb) or plain(move.verb), self.names[move.actor], reltime(move.at))
                for move in found.moves
                if move.verb != Verb.APPROVE
            ),
        )
        if found.reported is None:
            return format_html("{}{}", absent("not reported"), moved)
        where = found.reported.endpoint
        return format_html(
            "reported by {}, {}{}{}",
            self.names[found.reported.by],
            reltime(found.reported.at),
            format_html('<span class="kv-hint">{}</span>', arn(where, "endpoint")) if where else "",
            moved,
        )


def use_case_link(record: Any) -> SafeString:
    """Return a link to the use case a row of the past is about."""
    number = record.use_case_number
    if number is None:
        return absent("no use case")
    return format_html('<a href="{}">UC-{}</a>', reverse("registry:use_case", args=[number]), f"{number:04d}")
