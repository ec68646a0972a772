"""Taking use cases and versions out of service for good."""

from __future__ import annotations

from django.db.models import Q

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, WrongState
from portal.core.operations import operation
from portal.core.permissions import Act, require
from portal.core.vocabulary import Stage, Status
from registry.choices import DeploymentState
from registry.models import Deployment, ModelVersion, UseCase
from registry.services import positions

from ..lifecycle import RETIRED, Machine, Verb, verbs_from
from ..models import StageRecord
from ..selectors import running
from . import deployment_orders, ledger, review, write_back
from .closing import outdate
from .lifecycle import advance_use_case_if_ready
from .locking import lock_use_case, lock_version

Subject = UseCase | ModelVersion


def retire(*, actor: Actor, subject_type: type[Subject], subject_id: int, reason: str, force: bool = False) -> Subject:
    """Take a use case or version out of service for good, on an officer's word; what was asked about it is outdated.

    Raises NotFound, Forbidden, InvalidInput without a reason, WrongState when it is retired already or, unless
    `force`, while a deployment of it is running; the refusal names the endpoints. By force, their removal is ordered.
    """
    if not reason.strip():
        raise InvalidInput("Say why it is retired.", errors={"reason": ["A retirement needs its reason."]})
    with operation(actor, reason):
        visible = access.get(subject_type, actor, pk=subject_id)
        subject: Subject = lock_use_case(visible.pk) if isinstance(visible, UseCase) else lock_version(visible.pk)
        require(actor, Act.RETIRE, subject.scope_project_id)
        machine = Machine.USE_CASE if isinstance(subject, UseCase) else Machine.MODEL_VERSION
        if Verb.RETIRE not in verbs_from(machine, f"{subject.stage}/{subject.status}"):
            raise WrongState("It is retired already.")
        serving = in_place(subject) if isinstance(subject, ModelVersion) else []
        if isinstance(subject, ModelVersion):
            _refuse_while_running(subject, serving, force)
        else:
            _refuse_while_serving(subject)
        outdate(subject, "It was retired.", actor=actor)
        moved = ledger.move_records(
            actor=actor,
            records=ledger.all_records(subject),
            verb=Verb.RETIRE,
            status=Status.RETIRED,
            only=[status for status in Status if status is not Status.RETIRED],
        )
        positions.place(subject, verb=Verb.RETIRE, stage=RETIRED.stage, status=RETIRED.status)
        ledger.write(actor=actor, subject=subject, verb=Verb.RETIRE, moved=moved, reason=reason.strip())
        if isinstance(subject, ModelVersion):
            write_back.order_write_back(
                version=subject,
                stage=Stage.RETIRED,
                status=Status.RETIRED,
                who=actor.name,
                request=None,
                note=reason,
            )
            deployment_orders.refuse_waiting(version=subject, who=actor.name, reason=f"It was retired. {reason}")
            # By force it goes on running, and that is found at once.
            review.look_at(actor=actor, version_id=subject.pk, kinds=review.AFTER_MOVE)
            for deployment in serving:
                deployment_orders.order_removal(version=subject, deployment=deployment)
            # It may have been the one its use cases were waiting for.
            for use_case in subject.use_cases.order_by("pk"):
                advance_use_case_if_ready(actor=actor, use_case=lock_use_case(use_case.pk))
        return subject


def in_place(version: ModelVersion) -> list[Deployment]:
    """Return what serves a version: reported in place, or standing deployed whatever became of a later update."""
    deployed = StageRecord.objects.filter(version=version, status=Status.DEPLOYED)
    there = Q(pk__in=Deployment.objects.running().filter(version=version).values("pk"))
    for record in deployed:
        at = Q(account_id=record.account_id) if record.account_id is not None else Q()
        there |= at & Q(version=version, stage=record.stage) & ~Q(state=DeploymentState.REMOVED)
    return list(Deployment.objects.filter(there).select_related("account").order_by("pk"))


def _refuse_while_running(version: ModelVersion, serving: list[Deployment], force: bool) -> None:
    # Also where nobody ordered it: what AWS was seen to serve counts as much as what was reported.
    seen = [(row.endpoint.name, row.endpoint.account) for row in running.observed_at(version.pk)]
    observed = {account.pk for _, account in seen}
    reported = [(row.endpoint, row.account) for row in serving if row.endpoint or row.account_id not in observed]
    places = dict.fromkeys(f"{name or 'an unnamed endpoint'} in {account}" for name, account in (*reported, *seen))
    if places and not force:
        raise WrongState(
            f"It is still running at {', '.join(places)}. Take it out of service first, or retire it by force."
        )


def _refuse_while_serving(use_case: UseCase) -> None:
    active = [
        version.name
        for version in ModelVersion.objects.filter(use_cases=use_case)
        .exclude(stage=Stage.RETIRED)
        .select_related("group")
    ]
    if active:
        raise WrongState(f"Versions still serve it: {', '.join(sorted(active)[:10])}. Retire or move them first.")
