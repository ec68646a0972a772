"""What shares and deployments tell although no state of theirs moves."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from governance.migrations import __name__ as migrations
from governance.models import Webhook, WebhookDelivery
from governance.policies.webhook_events import sources_of
from governance.services import webhook_spread
from portal.core.operations import operation
from portal.core.vocabulary import Stage
from registry.choices import DeploymentMode, DeploymentState, ShareState
from registry.models import Deployment, ModelGroup, ResourceShare, SharePrincipal
from registry.services import deployments, groups
from tests.factories import group
from tests.factories.people import SYSTEM
from tests.factories.walk import all_accounts

from .conftest import Place

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.org/portal"


def told_to(webhook: Webhook) -> list[dict[str, Any]]:
    """Spread what was written down; return what one webhook is told, in order, and forget all of it."""
    webhook_spread.spread_due()
    found = [json.loads(row.body) for row in WebhookDelivery.objects.filter(webhook=webhook).order_by("sequence", "pk")]
    WebhookDelivery.objects.filter(webhook=webhook).delete()
    return found


def kinds(found: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in found]


def in_ram() -> ResourceShare:
    made: ResourceShare = ResourceShare.objects.create(
        arn="arn:aws:ram:us-east-1:111111111111:resource-share/7",
        name="share",
        account=all_accounts()["hub"],
        region="us-east-1",
        state=ShareState.ACTIVE,
        seen_at=timezone.now(),
    )
    return made


def theirs(place: Place) -> ModelGroup:
    made = group(None, name="theirs")
    return groups.edit(
        actor=place.people.admin.actor,
        group_id=made.pk,
        revision=made.revision,
        project=place.elsewhere,
        owner=None,
        use_cases=(),
    )


def test_a_group_that_comes_or_goes_is_told_to_its_own_project(place: Place) -> None:
    of_all = place.webhook(URL, "share.*").webhook
    of_one = place.webhook(URL, "share.*", project_id=place.elsewhere.pk).webhook
    ours, other = group(place.project, place.people, name="ours"), theirs(place)
    with operation(SYSTEM):
        share = in_ram()
        share.groups.set([ours, other])
    assert kinds(told_to(of_all)) == ["share.appeared", "share.group_added", "share.group_added"]
    # Theirs is told of the share it is in, and of its own group alone.
    found = told_to(of_one)
    assert [event["data"].get("group", {}).get("name") for event in found] == [None, "theirs"]
    assert found[1]["data"]["subject"] == {"kind": "ram_share", "id": share.arn}
    assert found[1]["data"]["account"] == "111111111111"
    with operation(SYSTEM):
        share.groups.set([ours])
    (gone,) = told_to(of_one)
    assert (gone["type"], gone["data"]["group"]["arn"]) == ("share.group_removed", other.arn)
    assert gone["data"]["projects"] == [place.elsewhere.key], "although the share has nothing of it any more"
    assert "ours" not in json.dumps(gone)


def test_how_far_ram_is_with_a_principal_is_told_once(place: Place) -> None:
    webhook = place.webhook(URL, "share.altered").webhook
    with operation(SYSTEM):
        share = in_ram()
        member = SharePrincipal.objects.create(share=share, principal="222222222222", status="ASSOCIATING")
        ResourceShare.objects.filter(pk=share.pk).update(principals=["222222222222"])
        SharePrincipal.objects.filter(pk=member.pk).update(status="ASSOCIATED")
        # Told by the share itself: it is not among its principals any more.
        SharePrincipal.objects.filter(pk=member.pk).update(status="DISASSOCIATING")
        ResourceShare.objects.filter(pk=share.pk).update(principals=[])
        SharePrincipal.objects.filter(pk=member.pk).update(status="DISASSOCIATED")
        ResourceShare.objects.filter(pk=share.pk).update(allows_external=False)
    found = told_to(webhook)
    assert kinds(found) == ["share.altered"] * 5
    assert {event["data"]["ram_share"] for event in found} == {share.arn}


def test_what_goes_live_under_the_id_of_its_trial_is_told_when_it_is_in_place(place: Place) -> None:
    webhook = place.webhook(URL, "deployment.*").webhook
    with operation(SYSTEM):
        made = deployments.order(
            actor=SYSTEM,
            version=place.version,
            account=all_accounts()["production"],
            stage=Stage.PRODUCTION,
            mode=DeploymentMode.TRIAL,
        )
    with operation(SYSTEM):
        made = Deployment.objects.get(pk=made.pk)
        deployments.report(deployment=made, state=DeploymentState.DEPLOYED, endpoint="trial", detail="")
        deployments.go_live(actor=SYSTEM, deployment=made)
        deployments.report(deployment=made, state=DeploymentState.DEPLOYED, endpoint="live", detail="")
    found = [(event["data"]["state"], event["data"]["mode"]) for event in told_to(webhook)]
    assert found == [("deployed", "trial"), ("deployed", "live"), ("deployed", "live")]


def test_who_subscribed_before_is_told_as_well(place: Place) -> None:
    made = [place.webhook(URL, *events).webhook for events in (("*",), ("share.*",), ("share.altered",), ("sync.*",))]
    new = {"registry_declaredshare_groups", "registry_resourceshare_groups", "registry_shareprincipal"}
    for webhook in made:
        Webhook.objects.filter(pk=webhook.pk).update(sources=[one for one in webhook.sources if one not in new])
    module = __import__(f"{migrations}.0035_told_of_shares", fromlist=["SUBSCRIBED"])
    with connection.cursor() as cursor:
        cursor.execute(module.SUBSCRIBED)
    for webhook in made:
        assert Webhook.objects.get(pk=webhook.pk).sources == sources_of(webhook.events)
