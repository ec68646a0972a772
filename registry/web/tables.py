"""The columns of the registry's lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import Any

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.core.tables import PortalTable, absent, failure, links, name_cell, two
from portal.core.templatetags.portal_ui import (
    account,
    arn,
    badge,
    lasting,
    metric,
    person,
    plain,
    reltime,
    risk_badge,
    status_badge,
)

from ..choices import READING_KINDS, SyncHealth, SyncKind, SyncState
from ..models import AwsAccount, ModelGroup, ModelVersion, SyncRun, UseCase
from ..selectors.sync_health import RegionHealth, oldest, worst

# What a pass without a count found, where it is not that nothing changed.
_NOTHING_FOUND: dict[str, str] = {SyncState.FAILED: "nothing, it failed", SyncState.RUNNING: "nothing so far"}
# Of a text in a list; its page has all of it.
_LONGEST_CELL = 160


def _over(first: Any, second: Any) -> SafeString:
    """Return one piece with a smaller line under it, when there is something to say there."""
    return format_html('{}<span class="kv-hint">{}</span>', first, second) if second else format_html("{}", first)


def use_case_links(use_cases: Any) -> SafeString:
    """Return the public ids of use cases as links."""
    return links((reverse("registry:use_case", args=[item.number]), item.public_id) for item in use_cases)


def standing(stage: str, status: str) -> SafeString:
    """Return where something stands: the stage in words, the status as a badge."""
    return two(plain(stage), status_badge(status)) if stage != status else two("", status_badge(status))


def _brief(description: str) -> str:
    """Return the beginning of a description, in whole words."""
    return shorten(description, 80, placeholder=" …")


class UseCaseTable(PortalTable):
    label = "Use cases"
    name = tables.Column("Use case", order_by=("name", "pk"))
    stage = tables.Column("Stage", order_by=("stage", "status", "pk"))
    risk_class = tables.Column("Risk", order_by=("risk_class", "pk"))
    project = tables.Column("Project", order_by=("project__name", "pk"))
    model_owner = tables.Column("Model owner", order_by=("model_owner__display_name", "pk"), empty_values=())
    next_review_on = tables.Column("Next review", order_by=("next_review_on", "pk"), empty_values=())
    public_id = tables.Column("Id", order_by=("number",))
    status = tables.Column("Status", order_by=("status", "pk"))
    line_of_business = tables.Column("Line of business", accessor="project__line_of_business__name")
    business_owner = tables.Column("Business owner", order_by=("business_owner", "pk"), empty_values=())
    intended_purpose = tables.Column("Intended purpose", orderable=False)
    registered_by = tables.Column("Registered by", order_by=("registered_by__display_name", "pk"))
    registered_at = tables.Column("Registered", order_by=("registered_at", "pk"))
    optional = (
        *("public_id", "status", "line_of_business", "business_owner"),
        *("intended_purpose", "registered_by", "registered_at"),
    )

    def render_status(self, record: UseCase) -> SafeString:
        return status_badge(record.status)

    def render_business_owner(self, record: UseCase) -> SafeString | str:
        return record.business_owner or absent("not named")

    def render_intended_purpose(self, value: str) -> str:
        return value if len(value) <= _LONGEST_CELL else f"{value[:_LONGEST_CELL].rsplit(' ', 1)[0]} …"

    def render_registered_by(self, record: UseCase) -> SafeString:
        return person(record.registered_by)

    def render_registered_at(self, record: UseCase) -> SafeString:
        return reltime(record.registered_at)

    def render_name(self, record: UseCase) -> SafeString:
        return name_cell(record.name, reverse("registry:use_case", args=[record.number]), record.public_id)

    def render_stage(self, record: UseCase) -> SafeString:
        return standing(record.stage, record.status)

    def render_risk_class(self, record: UseCase) -> SafeString:
        return risk_badge(record.risk_class, record.risk_reason)

    def render_project(self, record: UseCase) -> str:
        return record.project.name

    def render_model_owner(self, record: UseCase) -> SafeString:
        return person(record.model_owner) if record.model_owner else absent("not named")

    def render_next_review_on(self, record: UseCase) -> SafeString:
        return reltime(record.next_review_on, "not planned")


class GroupTable(PortalTable):
    label = "Model groups"
    name = tables.Column("Model group", order_by=("name", "pk"))
    project = tables.Column("Project", order_by=("project__name", "pk"), empty_values=())
    use_cases = tables.Column("Serves", orderable=False, empty_values=())
    owner = tables.Column("Owner", order_by=("owner__display_name", "pk"), empty_values=())
    version_count = tables.Column("Versions", order_by=("version_count", "pk"))
    account = tables.Column("AWS account", order_by=("account__alias", "pk"))
    arn = tables.Column("ARN", orderable=False)
    description = tables.Column("Description", orderable=False)
    aws_created_at = tables.Column("Made in AWS", order_by=("aws_created_at", "pk"), empty_values=())
    optional = ("arn", "description", "aws_created_at")

    def render_arn(self, value: str) -> SafeString:
        return arn(value)

    def render_aws_created_at(self, record: ModelGroup) -> SafeString:
        return reltime(record.aws_created_at, "not reported")

    def value_use_cases(self, record: ModelGroup) -> list[str]:
        return [use_case.public_id for use_case in record.use_cases.all()]

    def value_account(self, record: ModelGroup) -> str:
        return f"{record.account.alias} {record.account.account_id} {record.region}"

    def value_owner(self, record: ModelGroup) -> str | None:
        return str(record.owner) if record.owner else None

    def render_name(self, record: ModelGroup) -> SafeString:
        return name_cell(record.name, reverse("registry:group", args=[record.pk]), _brief(record.description))

    def render_project(self, record: ModelGroup) -> SafeString | str:
        return record.project.name if record.project else badge("Not claimed", "warn", "link")

    def render_use_cases(self, record: ModelGroup) -> SafeString:
        return use_case_links(record.use_cases.all())

    def render_owner(self, record: ModelGroup) -> SafeString:
        return person(record.owner) if record.owner else absent("not named")

    def render_account(self, record: ModelGroup) -> SafeString:
        return account(alias=record.account.alias, id=record.account.account_id, region=record.region)


class VersionTable(PortalTable):
    label = "Model versions"
    name = tables.Column("Version", accessor="number", order_by=("group__name", "number", "pk"))
    stage = tables.Column("Stage", order_by=("stage", "status", "pk"))
    risk_rating = tables.Column("Risk", order_by=("risk_rating", "pk"))
    use_cases = tables.Column("Serves", orderable=False, empty_values=())
    aws = tables.Column(
        "SageMaker says", accessor="aws_approval_status", order_by=("aws_approval_status", "pk"), empty_values=()
    )
    registered = tables.Column("Registered", accessor="aws_created_at", order_by=("aws_created_at", "pk"))
    status = tables.Column("Status", order_by=("status", "pk"))
    project = tables.Column("Project", accessor="group__project__name", empty_values=())
    account = tables.Column("AWS account", accessor="group__account", order_by=("group__account__alias", "pk"))
    owner_name = tables.Column("Model owner", order_by=("owner_name", "pk"), empty_values=())
    registered_by = tables.Column("Registered by", order_by=("registered_by__display_name", "pk"), empty_values=())
    arn = tables.Column("ARN", orderable=False)
    optional = ("status", "project", "account", "owner_name", "registered_by", "arn")

    def render_status(self, record: ModelVersion) -> SafeString:
        return status_badge(record.status)

    def render_project(self, record: ModelVersion) -> SafeString | str:
        return record.group.project.name if record.group.project else badge("Not claimed", "warn", "link")

    def value_project(self, record: ModelVersion) -> str | None:
        return record.group.project.name if record.group.project else None

    def render_account(self, record: ModelVersion) -> SafeString:
        held = record.group.account
        return account(alias=held.alias, id=held.account_id, region=record.group.region)

    def render_owner_name(self, record: ModelVersion) -> SafeString | str:
        return record.owner_name or absent()

    def render_registered_by(self, record: ModelVersion) -> SafeString | str:
        return person(record.registered_by) if record.registered_by else absent()

    def render_arn(self, value: str) -> SafeString:
        return arn(value)

    def value_name(self, record: ModelVersion) -> str:
        return record.name

    def value_use_cases(self, record: ModelVersion) -> list[str]:
        return [use_case.public_id for use_case in record.use_cases.all()]

    def value_aws(self, record: ModelVersion) -> str:
        return record.aws_approval_status

    def value_registered(self, record: ModelVersion) -> Any:
        return record.aws_created_at

    def value_account(self, record: ModelVersion) -> str:
        return f"{record.group.account.alias} {record.group.account.account_id} {record.group.region}"

    def render_name(self, record: ModelVersion) -> SafeString:
        return name_cell(record.name, reverse("registry:version", args=[record.pk]), _brief(record.description))

    def render_stage(self, record: ModelVersion) -> SafeString:
        shown = standing(record.stage, record.status)
        return two(shown, badge("Missing in AWS", "bad", "cloud-off")) if record.missing_since else shown

    def render_risk_rating(self, record: ModelVersion) -> SafeString:
        return risk_badge(record.risk_rating, "model card")

    def render_use_cases(self, record: ModelVersion) -> SafeString:
        return use_case_links(record.use_cases.all())

    def render_aws(self, record: ModelVersion) -> SafeString:
        return status_badge(record.aws_approval_status)

    def render_registered(self, record: ModelVersion) -> SafeString:
        return two(reltime(record.aws_created_at), f"by {record.registered_by}" if record.registered_by else "")


class GroupVersionTable(VersionTable):
    """The versions of one group, on its page."""

    label = "Versions"
    htmx_target = ""

    class Meta(PortalTable.Meta):
        attrs = {"id": "versions"}
        exclude = ("use_cases",)

    def render_name(self, record: ModelVersion) -> SafeString:
        return name_cell(
            f"Version {record.number}", reverse("registry:version", args=[record.pk]), _brief(record.description)
        )


class AccountTable(PortalTable):
    """Accounts; `health` has how well each of them is known, by its key."""

    label = "AWS accounts"
    alias = tables.Column("Account", order_by=("alias", "pk"))
    purposes = tables.Column("For", orderable=False, empty_values=())
    regions = tables.Column("Regions", orderable=False)
    known = tables.Column("How well it is known", accessor="pk", orderable=False, empty_values=())
    connection = tables.Column("Connection", accessor="checked_at", order_by=("checked_at", "pk"), empty_values=())
    is_enabled = tables.Column("Enabled", order_by=("is_enabled", "pk"))
    account_id = tables.Column("Account id", order_by=("account_id",))
    optional = ("account_id",)

    def value_purposes(self, record: AwsAccount) -> list[str]:
        return list(record.purposes)

    def value_known(self, record: AwsAccount) -> str:
        return worst(self.health[record.pk])

    def value_connection(self, record: AwsAccount) -> str:
        return "" if record.checked_at is None else "failed" if record.check_error else "connected"

    def __init__(self, *args: Any, health: Mapping[int, Sequence[RegionHealth]], **kwargs: Any) -> None:
        self.health = health
        super().__init__(*args, **kwargs)

    def render_alias(self, record: AwsAccount) -> SafeString:
        return name_cell(record.alias, reverse("registry:account", args=[record.account_id]), record.account_id)

    def render_purposes(self, record: AwsAccount) -> str:
        return ", ".join(plain(purpose) for purpose in record.purposes) or "nothing yet"

    def render_regions(self, record: AwsAccount) -> str:
        return ", ".join(record.regions)

    def render_known(self, record: AwsAccount) -> SafeString:
        regions = self.health[record.pk]
        known = oldest(regions)
        lags = [one.lag_seconds for one in regions if one.lag_seconds is not None]
        lag = f", changes {lasting(max(lags))} old when they came" if lags else ""
        as_of = format_html("as of {}{}", reltime(known), lag) if known else "nothing is known yet"
        state = worst(regions)
        is_read = state != SyncHealth.DISABLED
        failing = [one for one in regions if one.failing and is_read]
        said = (f"{one.region}: {one.failing} pass{'es' if one.failing > 1 else ''} in a row failed" for one in failing)
        error = failure("\n".join(dict.fromkeys(one.error for one in failing)))
        return format_html(
            "{}{}{}",
            _over(status_badge(state, "sync"), as_of if is_read else ""),
            format_html('<span class="kv-hint">{}</span>', ", ".join(said)) if failing else "",
            error,
        )

    def render_connection(self, record: AwsAccount) -> SafeString:
        if record.checked_at is None:
            return absent("not tried")
        return two(status_badge("failed" if record.check_error else "connected"), reltime(record.checked_at))

    def render_is_enabled(self, record: AwsAccount) -> SafeString:
        return status_badge("enabled" if record.is_enabled else "disabled")


class SyncRunTable(PortalTable):
    label = "Sync runs"
    started_at = tables.Column("Started", order_by=("started_at", "pk"))
    account = tables.Column("Account", order_by=("account__alias", "pk"))
    state = tables.Column("State", order_by=("state", "pk"))
    found = tables.Column("Found", orderable=False, empty_values=())
    calls = tables.Column("AWS calls", order_by=("calls", "pk"))
    requested_by = tables.Column("Asked for by", order_by=("requested_by", "pk"))
    kind = tables.Column("Kind", order_by=("kind", "pk"))
    region = tables.Column("Region", order_by=("region", "pk"))
    finished_at = tables.Column("Finished", order_by=("finished_at", "pk"), empty_values=())
    error = tables.Column("Error", orderable=False)
    optional = ("kind", "region", "finished_at", "error")

    def render_finished_at(self, record: SyncRun) -> SafeString:
        return reltime(record.finished_at, "not yet")

    def value_account(self, record: SyncRun) -> str:
        return f"{record.account.alias} {record.account.account_id} {record.region}"

    def render_started_at(self, record: SyncRun) -> SafeString:
        seconds = (record.finished_at - record.started_at).total_seconds() if record.finished_at else None
        took = metric(seconds, "s", 1) if seconds is not None else ""
        kind = SyncKind(record.kind).label
        return _over(reltime(record.started_at), format_html("{}, {}", kind, took) if took else kind)

    def render_account(self, record: SyncRun) -> SafeString:
        return name_cell(
            record.account.alias, reverse("registry:account", args=[record.account.account_id]), record.region
        )

    def render_state(self, record: SyncRun) -> SafeString:
        return format_html("{}{}", status_badge(record.state, "sync"), failure(record.error))

    def render_found(self, record: SyncRun) -> str | SafeString:
        if record.kind == SyncKind.SHARES:
            return "shares and invitations"
        if record.kind in READING_KINDS and not (record.created or record.updated or record.missing):
            return _NOTHING_FOUND.get(record.state, "nothing new")
        counts = (("new", record.created), ("changed", record.updated), ("missing", record.missing))
        said = [f"{count} {word}" for word, count in counts if count]
        if record.unchanged:
            said.append(f"{record.unchanged} unchanged")
        found = ", ".join(said) or _NOTHING_FOUND.get(record.state, "no changes")
        notes = []
        if record.state == SyncState.RUNNING and record.groups:
            notes.append(f"{record.groups_done} of {record.groups} groups read")
        if record.lag_seconds is not None:
            notes.append(f"oldest change {lasting(record.lag_seconds)} old")
        if record.resumed:
            notes.append(
                f"taken up again {record.resumed} time{'s' if record.resumed > 1 else ''} after its worker ended"
            )
        return _over(found, "; ".join(notes))

    def render_calls(self, record: SyncRun) -> str | SafeString:
        counts = ((record.pages, "page" if record.pages == 1 else "pages"), (record.throttles, "throttled"))
        notes = ", ".join(f"{count} {word}" for count, word in counts if count)
        return _over(str(record.calls), notes)


class AccountRunTable(SyncRunTable):
    """The runs of one account, on its page."""

    label = "Sync runs"
    htmx_target = ""

    class Meta(PortalTable.Meta):
        exclude = ("account",)
        attrs = {"id": "runs"}
        orderable = False
