"""What belongs into an audit pack: the rows about one use case, or those of a period, of what its requester may see.

Everything is chosen by row ids first, so that counting, reading and the chains of the audit trail mean the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from portal.core.access import visible
from portal.core.actors import Actor
from registry.models import (
    Classification,
    DeclaredShare,
    Deployment,
    Endpoint,
    EndpointVariant,
    GroupCreation,
    ModelCard,
    ModelCardVersion,
    ModelGroup,
    ModelVersion,
    MonitoringAlert,
    MonitoringSchedule,
    PipelineRegistration,
    Project,
    Registration,
    ResourceShare,
    TrainingProvenance,
    UseCase,
    UseCaseDocument,
    UseCaseReview,
    VersionLineage,
    VersionReport,
    VersionUseCase,
)

from ..choices import PackScope
from ..models import (
    ApprovalRequest,
    Decision,
    Delegation,
    DeploymentOrder,
    Evidence,
    Finding,
    MetricReport,
    OutboxMessage,
    OutsideChange,
    Override,
    PolicyRule,
    PolicyVersion,
    StageEvent,
    StageRecord,
    UseCaseStageRecord,
)
from .pack_parts import PARTS


@dataclass(frozen=True)
class Wanted:
    """What somebody asks a pack about: a use case, or the days of a period (both included, UTC).

    A period may be that of one project, else of one line of business.
    """

    scope: PackScope
    use_case_id: int | None = None
    project_id: int | None = None
    line_of_business_id: int | None = None
    starts_on: date | None = None
    ends_on: date | None = None

    @property
    def since(self) -> datetime:
        """The first moment of the period."""
        assert self.starts_on is not None
        return datetime.combine(self.starts_on, time.min, UTC)

    @property
    def until(self) -> datetime:
        """The first moment behind the period."""
        assert self.ends_on is not None
        return datetime.combine(self.ends_on, time.min, UTC) + timedelta(days=1)

    @property
    def is_everything(self) -> bool:
        """Whether it is a period of the whole portal."""
        return self.scope == PackScope.PERIOD and self.project_id is None and self.line_of_business_id is None


@dataclass
class Chosen:
    """The ids of the rows of each part, and of linked versions that exist but are not the requester's to see.

    `ended_links` are links of versions to a use case that were taken away: only the audit trail still knows them.
    """

    ids: dict[str, list[int]] = field(default_factory=dict)
    hidden_versions: int = 0
    ended_links: list[int] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return sum(len(ids) for ids in self.ids.values())

    def counts(self) -> dict[str, int]:
        """Return how many rows each part has."""
        return {name: len(self.ids[name]) for name in PARTS}


@dataclass
class _Reach:
    use_cases: set[int] = field(default_factory=set)
    versions: set[int] = field(default_factory=set)
    groups: set[int] = field(default_factory=set)

    def about(self) -> Q:
        return Q(use_case_id__in=self.use_cases) | Q(version_id__in=self.versions)

    def take(self, rows: QuerySet[Any]) -> None:
        for use_case_id, version_id in rows.order_by().values_list("use_case_id", "version_id").distinct():
            if use_case_id is not None:
                self.use_cases.add(use_case_id)
            if version_id is not None:
                self.versions.add(version_id)


def choose(actor: Actor, wanted: Wanted) -> Chosen:
    """Return the rows that belong into a pack, of what the actor may see now; some thirty queries."""
    found = Chosen()
    reach = _Reach()
    if wanted.scope == PackScope.USE_CASE:
        assert wanted.use_case_id is not None
        reach.use_cases = {wanted.use_case_id}
        linked, found.ended_links = _ever_linked(wanted.use_case_id)
        reach.versions = set(visible(ModelVersion, actor).filter(pk__in=linked).values_list("pk", flat=True))
        found.hidden_versions = len(linked) - len(reach.versions)
        _subjects(found, actor, reach)
        _all_about(found, actor, reach)
    else:
        _of_the_period(found, actor, wanted, reach)
        _subjects(found, actor, reach)
    _around(found, actor)
    found.ids = {name: sorted(set(found.ids.get(name, ()))) for name in PARTS}
    return found


def _ever_linked(use_case_id: int) -> tuple[set[int], list[int]]:
    """Return the versions that serve or ever served a use case, and the links of those that do not any more."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT h.id, h.version_id, l.id IS NULL FROM governance_history_versionusecase h
                 LEFT JOIN registry_versionusecase l ON l.id = h.id WHERE h.use_case_id = %s""",
            [use_case_id],
        )
        rows = cursor.fetchall()
    return {version for _, version, _ in rows}, sorted({link for link, _, ended in rows if ended})


def _subjects(found: Chosen, actor: Actor, reach: _Reach) -> None:
    """Add the use cases, versions and groups themselves with what belongs to them whenever it was."""
    ids = found.ids
    ids["use_cases"] = _pks(visible(UseCase, actor).filter(pk__in=reach.use_cases))
    ids["model_versions"] = _pks(visible(ModelVersion, actor).filter(pk__in=reach.versions))
    of_versions = ModelVersion.objects.filter(pk__in=ids["model_versions"]).order_by()
    reach.groups |= set(of_versions.values_list("group_id", flat=True).distinct())
    reach.groups |= set(
        ModelGroup.use_cases.through.objects.filter(usecase_id__in=ids["use_cases"]).values_list(
            "modelgroup_id", flat=True
        )
    )
    ids["model_groups"] = _pks(visible(ModelGroup, actor).filter(pk__in=reach.groups))
    ids["use_case_documents"] = _pks(UseCaseDocument.objects.filter(use_case_id__in=ids["use_cases"]))
    ids["use_case_reviews"] = _pks(UseCaseReview.objects.filter(use_case_id__in=ids["use_cases"]))
    ids["classifications"] = _pks(Classification.objects.filter(use_case_id__in=ids["use_cases"]))
    links = Q(use_case_id__in=ids["use_cases"]) | Q(version_id__in=ids["model_versions"])
    seen = visible(UseCase, actor).values("pk")
    ids["version_use_cases"] = _pks(
        VersionUseCase.objects.filter(links, version_id__in=ids["model_versions"], use_case_id__in=seen)
    )
    through = ModelGroup.use_cases.through.objects
    ids["group_use_cases"] = _pks(
        through.filter(modelgroup_id__in=ids["model_groups"], usecase_id__in=ids["use_cases"])
    )
    ids["group_creations"] = _pks(GroupCreation.objects.filter(group_id__in=ids["model_groups"]))
    ids["registrations"] = _pks(Registration.objects.filter(version_id__in=ids["model_versions"]))
    ids["use_case_stage_records"] = _pks(UseCaseStageRecord.objects.filter(use_case_id__in=ids["use_cases"]))
    ids["stage_records"] = _pks(StageRecord.objects.filter(version_id__in=ids["model_versions"]))


def _all_about(found: Chosen, actor: Actor, reach: _Reach) -> None:
    """Add everything about the subjects, whenever it was."""
    ids, about = found.ids, reach.about()
    versions, groups = ids["model_versions"], ids["model_groups"]
    ids["stage_events"] = _pks(visible(StageEvent, actor).filter(about))
    ids["metric_reports"] = _pks(MetricReport.objects.filter(record_id__in=ids["stage_records"]))
    ids["approval_requests"] = _pks(visible(ApprovalRequest, actor).filter(about))
    ids["evidence"] = _pks(visible(Evidence, actor).filter(about))
    ids["overrides"] = _pks(visible(Override, actor).filter(about))
    ids["findings"] = _pks(visible(Finding, actor).filter(about | Q(group_id__in=groups)))
    ids["deployments"] = _pks(Deployment.objects.filter(version_id__in=versions))
    ids["write_backs"] = _pks(
        OutboxMessage.objects.filter(
            Q(version_id__in=versions)
            | Q(version=None, group_id__in=groups)
            | Q(request_id_copy__in=ids["approval_requests"])
        )
    )
    ids["outside_changes"] = _pks(OutsideChange.objects.filter(version_id__in=versions))
    ids["declared_shares"] = _pks(visible(DeclaredShare, actor).filter(groups__in=groups).distinct())
    ids["resource_shares"] = _pks(visible(ResourceShare, actor).filter(groups__in=groups).distinct())


def _of_the_period(found: Chosen, actor: Actor, wanted: Wanted, reach: _Reach) -> None:
    """Add what happened in the period, and what was open in it; its subjects are what that is about."""
    ids, since, until = found.ids, wanted.since, wanted.until

    def during(name: str) -> Q:
        return Q(**{f"{name}__gte": since, f"{name}__lt": until})

    # What began before the end and was not over before the beginning.
    def alive(model: type[Model], began: str, ended: str) -> QuerySet[Any]:
        rows = visible(model, actor).filter(**{f"{began}__lt": until})
        return rows.filter(Q(**{ended: None}) | Q(**{f"{ended}__gte": since}))

    of_subject, of_version = _within(wanted, "use_case__", "version__group__"), _within(wanted, "version__group__")
    requests = alive(ApprovalRequest, "created_at", "closed_at").filter(of_subject)
    overrides = alive(Override, "granted_at", "revoked_at").filter(of_subject, expires_at__gte=since)
    findings = alive(Finding, "first_seen_at", "closed_at")
    findings = findings.filter(_within(wanted, "use_case__", "version__group__", "group__"))
    events = visible(StageEvent, actor).filter(during("at")).filter(of_subject)
    touched = during("added_at") | during("superseded_at") | during("withdrawn_at")
    evidence = visible(Evidence, actor).filter(touched).filter(of_subject)
    assessed = visible(Classification, actor).filter(during("assessed_at") | during("decided_at"))
    assessed = assessed.filter(_within(wanted, "use_case__"))
    deployments = visible(Deployment, actor).filter(during("ordered_at") | during("reported_at")).filter(of_version)
    messages = visible(OutboxMessage, actor).filter(during("created_at") | during("delivered_at"))
    messages = messages.filter(_within(wanted, "version__group__", "group__"))
    outside = visible(OutsideChange, actor).filter(during("at")).filter(of_version)
    reports = MetricReport.objects.filter(during("reported_at"), record__in=visible(StageRecord, actor))
    reports = reports.filter(_within(wanted, "record__version__group__"))
    for name, rows in (
        ("approval_requests", requests),
        ("overrides", overrides),
        ("findings", findings),
        ("stage_events", events),
        ("evidence", evidence),
        ("deployments", deployments),
        ("write_backs", messages),
        ("outside_changes", outside),
        ("metric_reports", reports),
    ):
        ids[name] = _pks(rows)
    for rows in (requests, overrides, findings, events, evidence):
        reach.take(rows)
    reach.use_cases |= _distinct(assessed, "use_case_id")
    for rows in (deployments, outside, messages):
        reach.versions |= _distinct(rows, "version_id")
    reach.versions |= _distinct(reports, "record__version_id")
    reach.groups |= _distinct(findings, "group_id") | _distinct(messages, "group_id")
    if wanted.is_everything:
        shares = visible(DeclaredShare, actor).filter(during("declared_at") | during("changed_at"))
        ids["declared_shares"] = _pks(shares)
    ids["policies"] = _pks(PolicyVersion.objects.published().filter(during("published_at")))
    overlap = {"starts_on__lt": until.date(), "ends_on__gte": since.date()}
    ids["delegations"] = _pks(visible(Delegation, actor).filter(**overlap).filter(_of_project(wanted)))


def _around(found: Chosen, actor: Actor) -> None:
    """Add what the chosen rows rest on: decisions, their policies and delegations, bound evidence, orders, projects.

    And what AWS says of the versions.
    """
    ids = found.ids
    requests = ApprovalRequest.objects.filter(pk__in=ids["approval_requests"]).order_by()
    ids["decisions"] = _pks(Decision.objects.filter(request__in=requests))
    used = Decision.objects.filter(pk__in=ids["decisions"]).exclude(delegation=None)
    _add(ids, "delegations", used.values_list("delegation_id", flat=True))
    _add(ids, "policies", requests.values_list("policy_id", flat=True).distinct())
    _add(ids, "policies", PolicyVersion.objects.published().order_by("-number").values_list("pk", flat=True)[:1])
    ids["policy_rules"] = _pks(PolicyRule.objects.filter(policy_id__in=ids["policies"]))
    _add(ids, "evidence", _bound_evidence(ids["approval_requests"]))
    ids["deployment_orders"] = _pks(DeploymentOrder.objects.filter(deployment_id__in=ids["deployments"]))
    _of_aws(ids, actor)
    for share, of_groups in (
        (DeclaredShare, "declared_share_groups"),
        (ResourceShare, "resource_share_groups"),
    ):
        name = of_groups.replace("_groups", "s")
        key = f"{share._meta.model_name}_id__in"
        ids[of_groups] = _pks(
            share.groups.through.objects.filter(**{key: ids.get(name, [])}, modelgroup_id__in=ids["model_groups"])
        )
    projects = set(UseCase.objects.filter(pk__in=ids["use_cases"]).values_list("project_id", flat=True))
    projects |= set(ModelGroup.objects.filter(pk__in=ids["model_groups"]).values_list("project_id", flat=True)) - {None}
    ids["projects"] = sorted(projects)
    ids["lines_of_business"] = list(
        Project.objects.filter(pk__in=projects).order_by().values_list("line_of_business_id", flat=True).distinct()
    )


def _of_aws(ids: dict[str, list[int]], actor: Actor) -> None:
    """Add what was read of AWS about the chosen versions: reports, origin, cards, and what serves and watches them."""
    versions = ids["model_versions"]
    ids["version_reports"] = _pks(VersionReport.objects.filter(version_id__in=versions))
    ids["version_lineages"] = _pks(VersionLineage.objects.filter(version_id__in=versions))
    trainings = TrainingProvenance.objects.filter(version_id__in=versions)
    ids["trainings"] = _pks(trainings)
    ids["labeling_jobs"] = sorted(_distinct(trainings, "labeling_id"))
    registered = PipelineRegistration.objects.filter(version_id__in=versions)
    ids["pipeline_registrations"] = _pks(registered)
    ids["pipeline_executions"] = sorted(_distinct(registered, "execution_id"))
    about = Q(version_id__in=versions) | Q(version=None, group_id__in=ids["model_groups"])
    ids["model_cards"] = _pks(visible(ModelCard, actor).filter(about | Q(use_case_id__in=ids["use_cases"])))
    ids["model_card_versions"] = _pks(ModelCardVersion.objects.filter(card_id__in=ids["model_cards"]))
    serving = EndpointVariant.objects.filter(version_id__in=versions)
    ids["endpoint_variants"] = _pks(serving)
    endpoints = Endpoint.objects.filter(pk__in=_distinct(serving, "endpoint_id"))
    ids["endpoints"] = _pks(endpoints)
    # SageMaker keeps the case of a name and does not tell names apart by it.
    same = endpoints.filter(account=OuterRef("account"), region=OuterRef("region"), name__iexact=OuterRef("endpoint"))
    ids["monitoring_schedules"] = _pks(MonitoringSchedule.objects.filter(Exists(same)))
    ids["monitoring_alerts"] = _pks(MonitoringAlert.objects.filter(schedule_id__in=ids["monitoring_schedules"]))


def _bound_evidence(requests: list[int]) -> list[int]:
    """Return the evidence that requests are bound to by the facts they keep, whatever became of it since."""
    with connection.cursor() as cursor:
        cursor.execute(
            r"""SELECT DISTINCT substring(k.key FROM ' EV-(\d{1,18})$')::bigint
                  FROM governance_approvalrequest r,
                       LATERAL jsonb_object_keys(CASE WHEN jsonb_typeof(r.facts -> 'evidence') = 'object'
                                                      THEN r.facts -> 'evidence' ELSE '{}' END) k(key)
                 WHERE r.id = ANY(%s) AND k.key ~ ' EV-\d{1,18}$'""",
            [requests],
        )
        named = [pk for (pk,) in cursor.fetchall()]
    return _pks(Evidence.objects.filter(pk__in=named))


def _within(wanted: Wanted, *paths: str) -> Q:
    """Return the filter for rows of the project or line of business asked for, by the paths to what has a project."""
    found = Q()
    for path in paths:
        if wanted.project_id is not None:
            found |= Q(**{f"{path}project_id": wanted.project_id})
        elif wanted.line_of_business_id is not None:
            found |= Q(**{f"{path}project__line_of_business_id": wanted.line_of_business_id})
    return found


def _of_project(wanted: Wanted) -> Q:
    """Return the filter for delegations that could be used there: those for everywhere too."""
    if wanted.is_everything:
        return Q()
    if wanted.project_id is not None:
        return Q(project=None) | Q(project_id=wanted.project_id)
    return Q(project=None) | Q(project__line_of_business_id=wanted.line_of_business_id)


def _distinct(rows: QuerySet[Any], name: str) -> set[int]:
    return set(rows.order_by().values_list(name, flat=True).distinct()) - {None}


def _pks(rows: QuerySet[Any]) -> list[int]:
    return list(rows.order_by().values_list("pk", flat=True))


def _add(ids: dict[str, list[int]], name: str, more: Iterable[int]) -> None:
    ids[name] = [*ids.get(name, ()), *more]


def describe(wanted: Wanted, names: Mapping[str, str]) -> str:
    """Say what a pack is about, by the names of its use case, project and line of business."""
    if wanted.scope == PackScope.USE_CASE:
        return names["use_case"]
    days = f"{wanted.starts_on:%d %B %Y} to {wanted.ends_on:%d %B %Y}"
    where = [names[key] for key in ("project", "line_of_business") if names.get(key)]
    return f"{days}, {' and '.join(where)}" if where else f"{days}, the whole portal"
