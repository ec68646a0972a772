"""The rows that a batch of changes is about, read with a fixed number of questions however many changes there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import OuterRef, Subquery

from registry.choices import SyncState
from registry.models import AwsAccount, DeclaredShare, Deployment, ModelGroup, ModelVersion, SyncRun, UseCase, User
from registry.models.share import ResourceShare, ShareInvitation

from ..models import ApprovalRequest, PolicyVersion, StageEvent, WebhookEvent
from ..policies.webhook_events import Row


class Rows:
    """What the changes of one batch point at, by key; what is gone since is simply not there."""

    def __init__(self, events: Sequence[WebhookEvent]) -> None:
        after = [event.after for event in events]
        self._by_table: dict[str, list[WebhookEvent]] = {}
        for event in events:
            self._by_table.setdefault(event.table, []).append(event)
        self.requests = ApprovalRequest.objects.only("pk", "use_case_id", "version_id", "stage", "state").in_bulk(
            _keys(after, "request_id")
        )
        self.deployments = Deployment.objects.in_bulk(_keys(after, "deployment_id"))
        self.shares = DeclaredShare.objects.prefetch_related("groups__project").in_bulk(
            self._ids("registry_declaredshare") | self._ids("registry_declaredshare_groups")
        )
        ram_shares = ResourceShare.objects.prefetch_related("groups__project")
        self.ram_shares = ram_shares.in_bulk(
            self._ids("registry_resourceshare") | self._ids("registry_resourceshare_groups") | _keys(after, "share_id")
        )
        arns = {row["share_arn"] for row in after if "share_arn" in row}
        self.shares_by_arn = {share.arn: share for share in ram_shares.filter(arn__in=arns)} if arns else {}
        self.invitations = ShareInvitation.objects.in_bulk(self._ids("registry_shareinvitation"))
        self.policies = PolicyVersion.objects.only("pk", "number").in_bulk(self._ids("governance_policyversion"))
        versions = _keys(after, "version_id") | {row.version_id for row in self.requests.values() if row.version_id}
        versions |= {row.version_id for row in self.deployments.values()} | self._ids("registry_modelversion")
        self.versions = (
            ModelVersion.objects.select_related("group__project")
            .prefetch_related("use_cases")
            .only("arn", "number", "group__name", "group__project__key")
            .in_bulk(versions)
        )
        use_cases = _keys(after, "use_case_id") | {row.use_case_id for row in self.requests.values() if row.use_case_id}
        use_cases |= self._ids("registry_usecase")
        self.use_cases = UseCase.objects.select_related("project").in_bulk(use_cases)
        self.groups = ModelGroup.objects.select_related("project").in_bulk(
            _keys(after, "group_id") | _keys(after, "modelgroup_id")
        )
        accounts = _keys(after, "account_id") | _keys(after, "receiver_id")
        for found in (self.deployments, self.shares, self.ram_shares):
            accounts |= {row.account_id for row in found.values()}
        self.accounts = AwsAccount.objects.in_bulk(accounts)
        people = _keys(after, "owner_id") | _keys(after, "requester_id")
        self.people = User.objects.only("pk", "username").in_bulk(people)
        self._ledger = self._before_in_the_ledger()
        self._passes = self._passes_before()

    def last(self, event: WebhookEvent) -> Row | None:
        """Return where the same thing stood before, of what is added and never changed."""
        if event.table == "governance_stageevent":
            return self._ledger.get(event.row_id)
        if event.table == "registry_syncrun":
            return self._passes.get(event.row_id)
        return None

    def _ids(self, table: str) -> set[int]:
        return {event.row_id for event in self._by_table.get(table, ())}

    def _before_in_the_ledger(self) -> dict[int, Row]:
        found: dict[int, Row] = {}
        for subject in ("version_id", "use_case_id"):
            rows = [e.row_id for e in self._by_table.get("governance_stageevent", ()) if e.after[subject] is not None]
            if not rows:
                continue
            earlier = StageEvent.objects.filter(**{subject: OuterRef(subject)}, pk__lt=OuterRef("pk")).order_by("-pk")
            asked = StageEvent.objects.filter(pk__in=rows).annotate(
                before_stage=Subquery(earlier.values("position_stage")[:1]),
                before_status=Subquery(earlier.values("position_status")[:1]),
            )
            for pk, stage, status in asked.values_list("pk", "before_stage", "before_status"):
                if stage is not None:
                    found[pk] = {"position_stage": stage, "position_status": status}
        return found

    def _passes_before(self) -> dict[int, Row]:
        rows = self._ids("registry_syncrun")
        if not rows:
            return {}
        earlier = (
            SyncRun.objects.filter(
                account=OuterRef("account"), region=OuterRef("region"), kind=OuterRef("kind"), pk__lt=OuterRef("pk")
            )
            .exclude(state=SyncState.RUNNING)
            .order_by("-pk")
        )
        asked = SyncRun.objects.filter(pk__in=rows).annotate(before=Subquery(earlier.values("state")[:1]))
        return {pk: {"state": state} for pk, state in asked.values_list("pk", "before") if state is not None}


def _keys(rows: Iterable[dict[str, Any]], name: str) -> set[int]:
    return {int(row[name]) for row in rows if row.get(name) is not None}
