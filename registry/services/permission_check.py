"""Finding out in one region what the portal's role may do there. Reads AWS only; nothing of it touches the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..aws import iam, probes, sts
from ..aws.actions import Grant, Need, On
from ..aws.cards import EXPORTS
from ..aws.errors import AwsDenied, AwsError, AwsNotFound
from ..aws.regions import partition_of
from ..aws.session import AwsSession
from ..choices import PermissionOutcome, PreflightMethod

# Queue, orders and artifacts belong to the account's first region only.
FIRST_REGION_ONLY = frozenset({Need.EVENTS, Need.ORDER, Need.COPY_IN, Need.COPY_OUT})
_BEHIND_IAM = (
    "IAM allows it and AWS refuses it: look for a service control policy, or whether the region is enabled for the"
    " account."
)
_NO_HARMLESS_WAY = "Trying it would change something, so it was not tried."


@dataclass(frozen=True)
class Place:
    """One region of an account, and the names there that the portal has to do with."""

    account_id: str
    region: str
    role_arn: str = ""
    group: str = ""
    version_arn: str = ""
    queue_url: str = ""
    buckets: tuple[str, ...] = ()
    buses: tuple[str, ...] = ()
    pipelines: tuple[str, ...] = ()
    callback_queues: tuple[str, ...] = ()

    def resources(self, on: On) -> list[str]:
        """Return the ARNs an action of this account is needed on."""
        partition = partition_of(self.role_arn)
        here = f"{self.region}:{self.account_id}"
        sagemaker = f"arn:{partition}:sagemaker:{here}"
        found: dict[On, Sequence[str]] = {
            On.GROUPS: [f"{sagemaker}:model-package-group/{self.group or '*'}"],
            On.VERSIONS: [self.version_arn or f"{sagemaker}:model-package/*"],
            On.PIPELINES: [_arn(name, f"{sagemaker}:pipeline/") for name in self.pipelines],
            On.EXECUTIONS: [f"{_arn(name, f'{sagemaker}:pipeline/')}/execution/*" for name in self.pipelines],
            On.ANY_PIPELINES: [f"{sagemaker}:pipeline/*"],
            On.ANY_EXECUTIONS: [f"{sagemaker}:pipeline/*/execution/*"],
            On.CARDS: [f"{sagemaker}:model-card/*"],
            On.ENDPOINTS: [f"{sagemaker}:endpoint/*"],
            On.ENDPOINT_CONFIGS: [f"{sagemaker}:endpoint-config/*"],
            On.INFERENCE_COMPONENTS: [f"{sagemaker}:inference-component/*"],
            On.MODELS: [f"{sagemaker}:model/*"],
            On.ARTIFACTS: [f"{sagemaker}:artifact/*"],
            On.ACTIONS: [f"{sagemaker}:action/*"],
            On.CONTEXTS: [f"{sagemaker}:context/*"],
            On.MONITORS: [f"{sagemaker}:monitoring-schedule/*"],
            On.MONITOR_DEFINITIONS: [f"{sagemaker}:data-quality-job-definition/*"],
            On.MONITOR_JOBS: [f"{sagemaker}:processing-job/*"],
            On.TRAINING_JOBS: [f"{sagemaker}:training-job/*"],
            On.AUTOML_JOBS: [f"{sagemaker}:automl-job/*"],
            On.LABELING_JOBS: [f"{sagemaker}:labeling-job/*"],
            On.ANY_HUB: [f"{sagemaker}:hub/*"],
            On.ANY_HUB_CONTENT: [f"{sagemaker}:hub-content/*"],
            On.SHARES: [f"arn:{partition}:ram:{here}:resource-share/*"],
            On.PERMISSIONS: [f"arn:{partition}:ram:{here}:permission/*"],
            On.INVITATIONS: [f"arn:{partition}:ram:{here}:resource-share-invitation/*"],
            On.QUEUE: [_queue(self.queue_url, partition, self.region)],
            On.DEAD_LETTERS: [f"{_queue(self.queue_url, partition, self.region)}-dead-letters"],
            On.QUEUES: [f"arn:{partition}:sqs:{here}:*"],
            On.CALLBACKS: [_queue(url, partition, self.region) for url in self.callback_queues],
            On.RULES: [f"arn:{partition}:events:{here}:rule/*"],
            On.BUS: [_arn(name, f"arn:{partition}:events:{here}:event-bus/") for name in self.buses],
            On.BUCKETS: [f"arn:{partition}:s3:::{bucket}" for bucket in self.buckets],
            On.OBJECTS: [f"arn:{partition}:s3:::{bucket}/{probes.NOTHING}" for bucket in self.buckets],
            On.CARD_EXPORTS: [f"arn:{partition}:s3:::{bucket}/{EXPORTS}{probes.NOTHING}" for bucket in self.buckets],
            On.ITSELF: [self.role_arn or "*"],
            On.ANY_ROLE: [f"arn:{partition}:iam::{self.account_id}:role/*"],
            On.ANY_POLICY: [f"arn:{partition}:iam::{self.account_id}:policy/*"],
        }
        found[On.ANY_GROUPS], found[On.ANY_VERSIONS] = found[On.GROUPS], found[On.VERSIONS]
        return list(found.get(on, ["*"]))


@dataclass
class Found:
    """What was found out in one region: `results` are entries as AccountPreflight keeps them."""

    method: PreflightMethod
    results: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""


def look(session: AwsSession, place: Place, needed: Sequence[Grant]) -> Found:
    """Find out which of the actions the role may do; an AWS that does not answer becomes words, never an error.

    IAM is asked to simulate; where the role may not ask, harmless calls are made and writes are left untried. Source:
    iam SimulatePrincipalPolicy.
    """
    try:
        place = replace(place, role_arn=place.role_arn or iam.role_of(sts.caller_identity(session).arn))
        entries = _entries(place, needed)
        try:
            decisions = _simulated(session, place, entries)
        except (AwsDenied, AwsNotFound) as refusal:
            if refusal.operation != "SimulatePrincipalPolicy":
                raise
            return _probed(session, place, entries, refusal)
        found = Found(PreflightMethod.SIMULATED, [_simulated_entry(entry, decisions) for entry in entries])
        _tried_in_earnest(session, found)
    except AwsError as failure:
        return failed(place, needed, str(failure))
    return found


def failed(place: Place, needed: Sequence[Grant], error: str) -> Found:
    """Return what is known of a region that could not be asked: nothing, and why."""
    entries = [_with(entry, PermissionOutcome.NOT_TRIED, "") for entry in _entries(place, needed)]
    return Found(PreflightMethod.FAILED, entries, error)


def _entries(place: Place, needed: Sequence[Grant]) -> list[dict[str, Any]]:
    return [
        {"action": grant.action, "resource": resource, "needed_for": grant.need.value}
        for grant in needed
        for resource in place.resources(grant.on)
    ]


def _simulated(
    session: AwsSession, place: Place, entries: Sequence[dict[str, Any]]
) -> dict[tuple[str, str], iam.Decision]:
    by_resource: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        by_resource[entry["resource"]].append(entry["action"])
    found: dict[tuple[str, str], iam.Decision] = {}
    for resource, actions in by_resource.items():
        for decision in iam.simulate(
            session,
            role_arn=place.role_arn,
            actions=list(dict.fromkeys(actions)),
            resources=[resource],
            context={"aws:RequestedRegion": place.region},
        ):
            found[decision.action, resource] = decision
    return found


def _simulated_entry(entry: dict[str, Any], decisions: dict[tuple[str, str], iam.Decision]) -> dict[str, Any]:
    decision = decisions.get((entry["action"], entry["resource"]))
    if decision is None:
        return _with(entry, PermissionOutcome.NOT_TRIED, "IAM's simulation gave no answer about it.")
    if decision.is_allowed:
        return _with(entry, PermissionOutcome.ALLOWED, "")
    if decision.by_organisation:
        why = "A service control policy of the organisation refuses it."
    elif decision.by_boundary:
        why = "The role's permissions boundary refuses it."
    elif decision.decision == "explicitDeny":
        why = "A policy of the role denies it explicitly."
    else:
        why = "No policy of the role allows it."
    return _with(entry, PermissionOutcome.DENIED, why)


def _tried_in_earnest(session: AwsSession, found: Found) -> None:
    """Make one harmless call: a simulation knows neither every service control policy nor a region that is off."""
    first = next((entry for entry in found.results if entry["action"] == "sagemaker:ListModelPackageGroups"), None)
    if first is None or first["outcome"] != PermissionOutcome.ALLOWED:
        return
    if probes.probe(session, first["action"]) is False:
        first.update(outcome=PermissionOutcome.DENIED.value, detail=_BEHIND_IAM)


def _probed(session: AwsSession, place: Place, entries: Sequence[dict[str, Any]], refusal: AwsError) -> Found:
    found = Found(
        PreflightMethod.PROBED,
        error=(
            f"IAM did not tell what the role may do, so harmless calls were made and writes were not tried. {refusal}"
        ),
    )
    for entry in entries:
        if entry["action"] == "iam:SimulatePrincipalPolicy":
            denied = isinstance(refusal, AwsDenied)
            outcome = PermissionOutcome.DENIED if denied else PermissionOutcome.NOT_TRIED
            found.results.append(_with(entry, outcome, "IAM refused it." if denied else "IAM knows no such role."))
            continue
        try:
            allowed = probes.probe(
                session,
                entry["action"],
                group=place.group,
                bucket=entry["resource"].rpartition(":")[2],
                pipeline=entry["resource"].rpartition("/")[2],
            )
        except AwsError as failure:
            found.results.append(_with(entry, PermissionOutcome.NOT_TRIED, str(failure)))
            continue
        if allowed is None:
            found.results.append(_with(entry, PermissionOutcome.NOT_TRIED, _NO_HARMLESS_WAY))
        else:
            outcome = PermissionOutcome.ALLOWED if allowed else PermissionOutcome.DENIED
            found.results.append(_with(entry, outcome, "" if allowed else "AWS refused the call."))
    return found


def _with(entry: dict[str, Any], outcome: PermissionOutcome, detail: str) -> dict[str, Any]:
    return {**entry, "outcome": outcome.value, "detail": detail}


def _arn(name: str, prefix: str) -> str:
    return name if name.startswith("arn:") else f"{prefix}{name}"


def _queue(url: str, partition: str, region: str) -> str:
    # https://sqs.us-east-1.amazonaws.com/111111111111/name, whatever stands before.
    account_id, _, name = url.rstrip("/").rpartition("/")
    host = url.partition("//")[2].split(".")
    where = host[1] if len(host) > 2 and host[0] == "sqs" else region
    return f"arn:{partition}:sqs:{where}:{account_id.rpartition('/')[2]}:{name}"
