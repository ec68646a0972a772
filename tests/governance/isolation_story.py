"""How the finding about network isolation comes about and goes away: how a version was trained, and how it runs."""

from __future__ import annotations

from dataclasses import replace

from django.utils import timezone

from governance.selectors import policy as policy_selectors
from governance.services import policies
from portal.core.vocabulary import Provenance, RiskRating, Stage, SubjectKind
from registry.models import Endpoint, EndpointVariant, TrainingProvenance
from tests.factories.walk import at_stage

from .conftest import Place
from .finding_stories import OfVersion


def ask_for_isolation(place: Place) -> None:
    """Publish a policy that asks every version in QA to be trained in isolation."""
    admin = place.people.admin.actor
    draft = policies.draft(actor=admin, note="Train in isolation.")
    for rule in policy_selectors.rules_of(draft):
        if (rule.kind, rule.stage, rule.tier) == (SubjectKind.MODEL_VERSION, Stage.QA, RiskRating.LOW):
            draft = policies.set_rule(
                actor=admin,
                policy_id=draft.pk,
                revision=draft.revision,
                rule=replace(rule, provenance=(*rule.provenance, Provenance.NETWORK_ISOLATION)),
            )
    policies.publish(actor=admin, policy_id=draft.pk, revision=draft.revision)


class NetworkIsolationOff(OfVersion):
    def cause(self) -> None:
        self.begin()
        at_stage(self.place.people, self.version, Stage.QA)
        ask_for_isolation(self.place)
        self.training = TrainingProvenance.objects.create(
            version=self.version, job_name="credit-7", network_isolation=False, tried_at=timezone.now()
        )

    def change(self) -> None:
        account = self.version.group.account
        endpoint = Endpoint.objects.create(
            account=account,
            region=account.region,
            name="credit",
            arn=f"arn:aws:sagemaker:{account.region}:{account.account_id}:endpoint/credit",
            status="InService",
            read_at=timezone.now(),
        )
        self.variant = EndpointVariant.objects.create(
            endpoint=endpoint, name="AllTraffic", version=self.version, network_isolation=False
        )

    def mend(self) -> None:
        TrainingProvenance.objects.filter(version=self.version).update(network_isolation=True)
        EndpointVariant.objects.filter(version=self.version).update(network_isolation=None)
