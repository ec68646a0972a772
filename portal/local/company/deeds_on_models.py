"""What happens to groups and versions: each function is one step of the story, carried out by the services."""

from __future__ import annotations

from datetime import timedelta

from governance.choices import MetricKind, Verdict
from governance.models import ApprovalRequest
from governance.services import approvals, deployments, in_production, metrics, retirement
from governance.services import sync as governed_sync
from portal.core.actors import Actor
from portal.core.vocabulary import Role, Stage
from registry.aws import sagemaker
from registry.choices import DeploymentState
from registry.models import AwsAccount, Deployment, ModelVersion, UseCase
from registry.services import accounts, groups
from registry.services import deployments as registry_deployments
from registry.sync import apply, run

from .evidence_files import attach
from .packages import artifact_of, request_of, values_of
from .packages import monitored as monitored_values
from .people import OFFICERS
from .scene import Scene
from .version_stories import scientist_of

_ARCHIVE = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00"
# Who signs for an owner while he is away, between which days of the story.
_AWAY = {"freya.lindholm": (50, 62, "olena.shevchuk")}


def group(scene: Scene, *, group: str, number: int) -> None:
    """Somebody makes a group in SageMaker; the portal takes it in, and an engineer claims it for a project."""
    plan = scene.plan_of_group(group)
    scene.clock.tell_sandbox()
    session = scene.aws.administrator(plan.account, plan.region)
    tags = {"project": plan.project} if plan.project else {}
    try:
        sagemaker.create_group(session, name=plan.name, description=plan.description, tags=tags)
    except Exception as error:  # it was made before the load broke
        if "already exists" not in str(error):
            raise
    account = AwsAccount.objects.get(account_id=plan.account)
    described = sagemaker.describe_group(session, plan.name)
    taken = apply.group(governed_sync.ACTOR, account, described, governed_sync.LISTENERS)
    if plan.project is None:
        return
    staff = scene.plan_of_project(plan.project)
    serves = [] if plan.use_case is None else list(UseCase.objects.filter(name=plan.use_case))
    groups.edit(
        actor=scene.actor(staff.engineer),
        group_id=taken.pk,
        revision=taken.revision,
        project=scene.project(plan.project),
        owner=scene.user(staff.owner),
        use_cases=serves,
        attributes={"cost_centre": f"CC-{4100 + len(plan.name) * 7}", "data_class": "Confidential"},
    )
    governed_sync.reconcile_group(group_id=taken.pk)


def version(scene: Scene, *, group: str, number: int) -> None:
    """A pipeline registers a version under its scientist's session; the portal takes it in as an event tells it to."""
    plan, row = scene.plan_of_group(group), scene.group(group)
    scene.clock.tell_sandbox()
    if plan.from_development:
        bucket, _, key = artifact_of(plan, number).removeprefix("s3://").partition("/")
        scene.aws.put_object(bucket, key, _ARCHIVE + f"{group}/{number}".encode())
    use_case = UseCase.objects.filter(name=plan.use_case).first() if plan.use_case else None
    staff = scene.plan_of_project(plan.project) if plan.project else None
    request = request_of(
        plan,
        number,
        use_case_id=use_case.public_id if use_case else "",
        use_case_name=use_case.name if use_case else "",
        owner=str(scene.user(staff.owner)) if staff else "",
    )
    arn = f"{row.arn.replace(':model-package-group/', ':model-package/')}/{number}"
    client = scene.aws.sagemaker(scientist_of(plan, number), plan.account, plan.region)
    if number not in scene.registered(group, client):
        client.create_model_package(ModelPackageGroupName=group, **request)
    account = AwsAccount.objects.get(account_id=plan.account)
    session = accounts.reach(account, plan.region)
    run.take_in_versions(
        actor=governed_sync.ACTOR, account=account, session=session, arns=[arn], listeners=governed_sync.LISTENERS
    )
    if plan.from_development:
        scene.deliver()


def ask(scene: Scene, *, group: str, number: int, note: str) -> None:
    """The scientist asks for approval where the version stands."""
    plan = scene.plan_of_group(group)
    approvals.submit(
        actor=scene.actor(scientist_of(plan, number)),
        subject_type=ModelVersion,
        subject_id=scene.version_id(group, number),
        note=note,
    )


def word(scene: Scene, *, group: str, number: int, stage: Stage, verdict: str, comment: str, by: str) -> None:
    """One of those who decide gives his word; nobody does where nothing waits any more."""
    subject = scene.version(group, number)
    request = scene.open_request(subject)
    if request is None or request.stage != stage:
        return
    plan = scene.plan_of_group(group)
    assert plan.project is not None
    owner = scene.plan_of_project(plan.project).owner
    give_word(scene, request, verdict, comment, by, owner)
    scene.deliver()


def give_word(scene: Scene, request: ApprovalRequest, verdict: str, comment: str, by: str, owner: str) -> None:
    """Decide as whoever the request waits for: the owner or who stands in for him, or the officer who may."""
    if Role.MODEL_OWNER in request.waiting_roles:
        by = _stand_in(scene, owner)
    elif Role.GOVERNANCE_OFFICER in request.waiting_roles:
        had = set(request.decisions.values_list("decider__username", flat=True))
        free = [name for name in (by, *OFFICERS) if name and name not in had]
        by = free[0]
    approvals.decide(actor=scene.actor(by), request_id=request.pk, verdict=Verdict(verdict), comment=comment)


def _stand_in(scene: Scene, owner: str) -> str:
    away = _AWAY.get(owner)
    if away is not None:
        first, last, other = away
        day = (scene.clock.moment - scene.begin).days
        if first <= day <= last:
            return other
    return owner


def tested(scene: Scene, *, group: str, number: int, stage: Stage) -> None:
    """A pipeline reports the results of a test stage."""
    record = scene.record(group, number, stage)
    if record is None or record.status != "pending":
        return
    plan = scene.plan_of_group(group)
    values = {f"validation_{name}": round(value * 0.995, 4) for name, value in values_of(plan, number).items()}
    metrics.report(
        actor=_engineer(scene, group),
        record_id=record.pk,
        kind=MetricKind.VALIDATION,
        metrics=values,
        source=f"pipeline {group}-{stage} run {number}{stage[0]}",
        captured_at=scene.clock.moment - timedelta(minutes=3),
    )


def monitored(scene: Scene, *, group: str, number: int, stage: Stage, week: int, drift: float) -> None:
    """The monitor of a running version reports."""
    record = scene.record(group, number, stage)
    if record is None or record.status not in ("pending", "approved", "deployed"):
        return
    metrics.report(
        actor=_engineer(scene, group),
        record_id=record.pk,
        kind=MetricKind.MONITORING,
        metrics=monitored_values(scene.plan_of_group(group), number, week, drift),
        source="model monitor",
        endpoint=endpoint_of(group, stage),
        captured_at=scene.clock.moment,
    )


def evidence(scene: Scene, *, group: str, number: int, stage: Stage) -> None:
    """The scientist attaches what a reviewer asked for the last time."""
    plan = scene.plan_of_group(group)
    attach(
        scene.actor(scientist_of(plan, number)), scene.version(group, number), f"{group} version {number}",
        (number + len(group)) // 5 + (stage is Stage.QA), values_of(plan, number),
    )  # fmt: skip


def deployed(scene: Scene, *, group: str, number: int, stage: Stage) -> None:
    """A pipeline reports that a version is in place, and takes down what it replaces: not what it is tried beside."""
    _report(scene, group, number, stage, DeploymentState.DEPLOYED, "")
    others = Deployment.objects.running().filter(version__group__name=group, stage=stage)
    for other in others.exclude(version_id=scene.version_id(group, number)).values_list("version__number", flat=True):
        record = scene.record(group, other, stage)
        if record is not None and record.status not in ("pending", "deployed"):
            _report(scene, group, other, stage, DeploymentState.REMOVED, "")


def deploying(scene: Scene, *, group: str, number: int) -> None:
    """A pipeline reports that it has begun."""
    _report(scene, group, number, Stage.PRODUCTION, DeploymentState.IN_PROGRESS, "")


def removed(scene: Scene, *, group: str, number: int, stage: Stage) -> None:
    """A pipeline reports that a trial was taken down."""
    _report(scene, group, number, stage, DeploymentState.REMOVED, "")


def deploy_failed(scene: Scene, *, group: str, number: int, stage: Stage, detail: str) -> None:
    """A pipeline reports that it could not."""
    _report(scene, group, number, stage, DeploymentState.FAILED, detail)


def _report(scene: Scene, group: str, number: int, stage: Stage, state: DeploymentState, detail: str) -> None:
    rows = Deployment.objects.filter(version=scene.version_id(group, number), stage=stage)
    for deployment in rows.order_by("pk"):
        if state in registry_deployments.reportable(deployment):
            deployments.report(
                actor=_engineer(scene, group),
                deployment_id=deployment.pk,
                state=state,
                endpoint=endpoint_of(group, stage) if state is DeploymentState.DEPLOYED else "",
                detail=detail,
            )


def endpoint_of(group: str, stage: Stage) -> str:
    """Return the endpoint a group's versions run at."""
    return f"{group}-{'live' if stage is Stage.PRODUCTION else stage.replace('_', '-')}"


def retire(scene: Scene, *, group: str, number: int, reason: str) -> None:
    """An officer takes an old version out of service."""
    subject = scene.version(group, number)
    if subject.status == "superseded":
        for stage in (Stage.QA, Stage.PRE_PRODUCTION, Stage.PRODUCTION):
            _report(scene, group, number, stage, DeploymentState.REMOVED, "")
        retirement.retire(
            actor=scene.actor(OFFICERS[number % len(OFFICERS)]),
            subject_type=ModelVersion,
            subject_id=subject.pk,
            reason=reason,
        )
        scene.deliver()


def rollback(scene: Scene, *, group: str, number: int, stage: Stage, reason: str) -> None:
    """An officer orders the version before back."""
    in_production.rollback(
        actor=scene.actor("second.officer"), version_id=scene.version_id(group, number), stage=stage, reason=reason
    )
    scene.deliver()


def _engineer(scene: Scene, group: str) -> Actor:
    plan = scene.plan_of_group(group)
    assert plan.project is not None
    return scene.actor(scene.plan_of_project(plan.project).engineer)
