"""What governance says about an object of the registry: fragments of its page, and pages without script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import prefetch_related_objects
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode

from portal.core.actors import Actor
from portal.core.permissions import Act, may
from portal.core.views import Page
from portal.core.vocabulary import Stage, Status
from registry.choices import ObjectKind
from registry.models import ModelGroup, ModelVersion, UseCase
from registry.selectors import attributes, catalogue
from registry.web.attributes import card_items

from ..choices import MetricKind, RequestState
from ..models import ApprovalRequest
from ..policies.rules import NoRule
from ..selectors import out_of_band, overrides, standing, timeline
from ..selectors import policy as policies
from ..selectors.inbox import is_overdue
from ..selectors.names import names_of
from ..selectors.stage_table import as_row
from ..services import approvals, outlook
from .asking import asking, block_items, check_items
from .wording import request_url, timeline_of, url_of, waiting_words

_TURNED_DOWN = (RequestState.REJECTED, RequestState.CHANGES_REQUESTED, RequestState.OUTDATED, RequestState.EXPIRED)


def request_line(request: ApprovalRequest, actor: Actor) -> dict[str, Any]:
    """Return one request as lists show it."""
    return {
        "row": request,
        "url": request_url(request),
        "waiting": waiting_words(request),
        "is_overdue": is_overdue(request),
        "may_decide": not approvals.refusal_for(actor, request),
        "decisions": list(request.decisions.all()),
    }


def all_findings_url(subject: UseCase | ModelVersion | ModelGroup) -> str:
    """Return the address of the list of everything ever found about a subject."""
    if isinstance(subject, UseCase):
        query = {"use_case": subject.number}
    else:
        query = {"version" if isinstance(subject, ModelVersion) else "group": subject.pk}
    return f"{reverse('governance:finding_list')}?{urlencode(query)}"


class OfSubject(Page):
    """A fragment about one use case or version; as a page it stands alone and links back."""

    fragment = "slot"
    part = ""

    @cached_property
    def subject(self) -> UseCase | ModelVersion:
        if "number" in self.kwargs:
            return catalogue.use_case(self.actor, self.kwargs["number"])
        found = catalogue.version(self.actor, self.kwargs["pk"])
        # Every rule about a version asks what it serves.
        prefetch_related_objects([found], "use_cases")
        return found

    def address(self, verb: str) -> str:
        """Return the address of one of the subject's governance pages."""
        if isinstance(self.subject, UseCase):
            return reverse(f"governance:use_case_{verb}", args=[self.subject.number])
        return reverse(f"governance:version_{verb}", args=[self.subject.pk])

    def breadcrumbs(self) -> list[dict[str, str]]:
        name = self.subject.public_id if isinstance(self.subject, UseCase) else self.subject.name
        kind = (
            ("Use cases", "use_case_list") if isinstance(self.subject, UseCase) else ("Model versions", "version_list")
        )
        return [
            {"label": kind[0], "url": reverse(f"registry:{kind[1]}")},
            {"label": name, "url": url_of(self.subject)},
            {"label": self.part, "url": ""},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(subject=self.subject, back_url=url_of(self.subject), part=self.part, **kwargs)


class Panel(OfSubject):
    """Where the subject stands, what waits, what blocks it, and what this actor may do now and why not."""

    template_name = "governance/panel.html"
    part = "Lifecycle"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        subject, actor = self.subject, self.actor
        requests = standing.requests_about(subject)
        open_request = next((request for request in requests if request.state == RequestState.OPEN), None)
        newest = requests[0] if requests else None
        turned_down = newest if newest and open_request is None and newest.state in _TURNED_DOWN else None
        retired = subject.stage == Stage.RETIRED
        policy, outdated = policies.in_force(), standing.outdated_approvals(subject)
        to_submit = subject.status in (Status.PENDING, Status.REJECTED) or standing.is_outdated_here(subject)
        # Asked only where it is said: what asking would take is no matter while it has been asked for.
        submission = asking(actor, subject, brief=True) if to_submit and not retired and open_request is None else None
        seen = submission["seen"] if submission else None
        blocks = block_items(actor, subject, outlook.blocks_of(subject, open_request, seen))
        if submission and not submission["may"]:
            # That it is not his to ask stands above, and blocks nobody whose it is.
            blocks = [block for block in blocks if block.get("url") or block["text"] != submission["refusal"]]
        context: dict[str, Any] = {
            "steps": standing.steps(subject, policy),
            "open_request": request_line(open_request, actor) if open_request else None,
            "turned_down": request_line(turned_down, actor) if turned_down and not retired else None,
            "submission": submission,
            "blocks": blocks,
            "submit_url": self.address("submit"),
            "retire_url": self.address("retire"),
            "may_roll_back": (
                isinstance(subject, ModelVersion)
                and may(actor, Act.ROLLBACK, subject.scope_project_id)
                and standing.is_earlier_there(subject, Stage.PRODUCTION)
            ),
            "overrides": overrides.standing_for(subject),
            "outdated": outdated,
            "may_retire": not retired and may(actor, Act.RETIRE, subject.scope_project_id),
            "retired": retired,
            "is_use_case": isinstance(subject, UseCase),
            "self_url": self.address("panel"),
            "findings": list(standing.standing_findings(actor, subject)),
            "all_url": all_findings_url(subject),
            "to_submit": to_submit,
        }
        if isinstance(subject, UseCase):
            context["next_stage"] = None if retired else policies.stage_after(subject, policy)
        else:
            messages = standing.messages_of(subject)
            context["under_way"] = standing.is_under_way(messages)
            context["messages"] = [message for message in messages if message.state in ("pending", "failed")]
            context["agreement"] = out_of_band.judgement_of(subject)
        return super().get_context_data(**context, **kwargs)


class Activity(OfSubject):
    """Records with their fifteen attributes, requests and decisions, what AWS was told, measures, history.

    `part` in the address picks one of them for a tab of the subject's page; without it, all of the story is told.
    """

    template_name = "governance/activity.html"
    part = "Records and history"
    story = ("records", "approvals", "delivery", "history")
    more = ("monitoring", "bias")

    @property
    def parts(self) -> tuple[str, ...]:
        asked = self.request.GET.get("part", "")
        return (asked,) if asked in (*self.story, *self.more) else self.story

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        subject, actor = self.subject, self.actor
        context: dict[str, Any] = {
            "parts": self.parts,
            "is_use_case": isinstance(subject, UseCase),
            "as_of_url": self.address("as_of"),
        }
        if "approvals" in self.parts:
            context["requests"] = [request_line(request, actor) for request in standing.requests_about(subject)]
        if "history" in self.parts:
            context["entries"] = timeline_of(timeline.history(subject))
        if isinstance(subject, UseCase):
            if "records" in self.parts:
                records = standing.records_of_use_case(subject)
                names = names_of(record.audit_user for record in records)
                context["records"] = [(record, names[record.audit_user]) for record in records]
        else:
            context |= self._of_version(subject)
        return super().get_context_data(**context, **kwargs)

    def _of_version(self, version: ModelVersion) -> dict[str, Any]:
        parts = self.parts
        found: dict[str, Any] = {}
        if "records" in parts:
            found |= self._records(version)
        if "delivery" in parts:
            found["messages"] = standing.messages_of(version)
            found["outside"] = [
                {"row": change, "words": out_of_band.response_words(change)}
                for change in out_of_band.changes_of(version)
            ]
        if parts == ("monitoring",):
            found["monitored"] = standing.records_of_version(version)
            found["reports"] = standing.reports_of(version, MetricKind.MONITORING)
            found["checks"] = self._metric_checks(version, lambda key: key.startswith("metric:monitoring:"))
        if parts == ("bias",):
            found["checks"] = self._metric_checks(
                version, lambda key: "bias" in key.lower() or "explain" in key.lower()
            )
        if parts == ("records",):
            found["reports"] = standing.reports_of(version, MetricKind.VALIDATION)
            found["checks"] = self._metric_checks(version, lambda key: not key.startswith("metric:monitoring:"))
        return found

    def _metric_checks(self, version: ModelVersion, wanted: Callable[[str], bool]) -> list[dict[str, Any]]:
        """Return what the policy asks of a version's metrics where it stands, each with its number and threshold."""
        try:
            found = overrides.checks_now(version, Stage(version.stage))
        except NoRule:
            return []
        asked = [check for check in found if check.key.startswith("metric:") and wanted(check.key)]
        return check_items(self.actor, version, asked)

    def _records(self, version: ModelVersion) -> dict[str, Any]:
        actor, retired = self.actor, version.stage == Stage.RETIRED
        may_report = may(actor, Act.REPORT_METRICS, version.scope_project_id) and not retired
        may_fill_in = may(actor, Act.FILL_IN_RECORD, version.scope_project_id) and not retired
        sheet = attributes.sheet(ObjectKind.STAGE_RECORD, archived=True)
        rows = [
            {
                "record": record,
                "values": as_row(record),
                "may_report": may_report,
                "may_fill_in": may_fill_in and bool(sheet.columns),
                "attributes": card_items(sheet, record.attributes),
            }
            for record in standing.rows_of_version(actor, version)
        ]
        return {"rows": rows, "current": [row for row in rows if row["record"].stage == version.stage] or rows[:1]}


def _is_of_bias(key: str) -> bool:
    return "bias" in key.lower() or "explain" in key.lower()


class GroupPanel(Page):
    """Findings about a model group and who edited it."""

    template_name = "governance/group_panel.html"
    fragment = "slot"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        self.group = catalogue.group(self.actor, self.kwargs["pk"])
        return super().get_context_data(
            group=self.group,
            findings=list(standing.standing_findings(self.actor, self.group)),
            all_url=all_findings_url(self.group),
            entries=timeline_of(timeline.history_of_group(self.group)),
            back_url=reverse("registry:group", args=[self.group.pk]),
            **kwargs,
        )

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Model groups", "url": reverse("registry:group_list")},
            {"label": self.group.name, "url": reverse("registry:group", args=[self.group.pk])},
            {"label": "Findings and history", "url": ""},
        ]
