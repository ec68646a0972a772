"""Pages of AWS accounts: registered, changed, checked; what is wrong stands beside its field."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from registry.choices import READING_KINDS, PermissionOutcome, PreflightMethod, SyncHealth
from registry.models import AccountPreflight, AwsAccount, SyncRun
from registry.selectors.reading_health import readings_of
from tests.api.world import World

ACCOUNT = {
    "account_id": "555555555555",
    "alias": "lab",
    "purposes": ["qa", "development"],
    "regions": "us-east-1, eu-central-1",
    "role_arn": "arn:aws:iam::555555555555:role/ModelGovernancePortal",
    "external_id": "between-us-two",
    "organisation_id": "o-a1b2c3d4e5",
    "event_bus": "default",
    "artifact_buckets": "one two",
    "is_enabled": "on",
}


@pytest.fixture
def admin(as_role: Callable[[str], Client], world: World) -> Client:
    return as_role("ml_admin")


def test_an_account_is_registered_changed_and_keeps_its_secret(admin: Client) -> None:
    answer = admin.post(reverse("registry:account_register"), ACCOUNT)
    assert answer.headers["Location"] == reverse("registry:account", args=["555555555555"])
    account = AwsAccount.objects.get(account_id="555555555555")
    assert account.regions == ["us-east-1", "eu-central-1"]
    assert account.artifact_buckets == ["one", "two"]
    assert (account.external_id, account.organisation_id) == ("between-us-two", "o-a1b2c3d4e5")

    edit = reverse("registry:account_edit", args=["555555555555"])
    shown = admin.get(edit).content.decode()
    assert "between-us-two" not in shown
    assert "us-east-1, eu-central-1" in shown
    changed = {**ACCOUNT, "alias": "renamed", "external_id": ""}
    assert admin.post(edit, changed).status_code == 302
    account.refresh_from_db()
    assert (account.alias, account.external_id) == ("renamed", "between-us-two")
    refused = admin.post(edit, {**changed, "external_id": "other", "forget_external_id": "on"})
    assert "not both" in refused.content.decode()
    assert admin.post(edit, {**changed, "forget_external_id": "on"}).status_code == 302
    account.refresh_from_db()
    assert account.external_id == ""


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("account_id", "12", "twelve digits"),
        ("account_id", "\uff15" * 12, "twelve digits"),
        ("account_id", "333333333333", "already exists"),
        ("role_arn", "arn:aws:iam::666666666666:role/Portal", "belongs to account 666666666666"),
        ("role_arn", "arn:aws:iam::555555555555:user/me", "no role"),
        ("role_arn", "x\x00y", "Null characters"),
        ("regions", "us-east-1 mars-north-1", "mars-north-1"),
        ("regions", "us-east-1 cn-north-1", "cn-north-1"),
        ("regions", "us-east-1, us-east-1", "each region once"),
        ("regions", " , ", "required"),
        ("organisation_id", "acme", "organisation id"),
        ("external_id", "two words", "external id has"),
        ("artifact_buckets", "Not_A_Bucket", "no bucket"),
        ("event_queue_url", "queue", "valid URL"),
        ("purposes", ["lunch"], "lunch"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(admin: Client, field: str, value: Any, said: str) -> None:
    answer = admin.post(reverse("registry:account_register"), {**ACCOUNT, field: value})
    assert answer.status_code == 422
    form = answer.context["form"]
    assert said in " ".join(form.errors.get(field, []))
    assert not AwsAccount.objects.filter(alias="lab").exists()


def test_what_is_missing_is_said_region_by_region(admin: Client, as_role: Callable[[str], Client]) -> None:
    account = AwsAccount.objects.get(account_id="333333333333")
    account.regions = ["us-east-1", "eu-west-1", "eu-central-1"]
    account.save()
    entry = {"action": "sagemaker:Search", "resource": "*", "needed_for": "read the registry", "detail": "No."}
    for region, outcome in zip(account.regions, ["denied", "allowed", "allowed"], strict=True):
        AccountPreflight.objects.create(
            account=account,
            region=region,
            method=PreflightMethod.SIMULATED,
            results=[{**entry, "outcome": PermissionOutcome(outcome)}],
            checked_at=timezone.now(),
        )
    for role in ("ml_admin", "auditor"):
        shown = as_role(role).get(reverse("registry:account", args=["333333333333"])).content.decode()
        assert "lacks 1 action" in shown
        assert "to read the registry" in shown
        assert "eu-west-1, eu-central-1" in shown
        assert shown.index("lacks 1 action") < shown.index("eu-west-1, eu-central-1")
        assert ("Check permissions" in shown) is (role == "ml_admin")
    found = [one.state for one in admin.get(reverse("registry:account", args=["333333333333"])).context["alike"]]
    assert found == ["lacking", "permitted"]


def test_a_reading_that_failed_is_named_with_why_and_what_to_do(admin: Client, world: World, settings: Any) -> None:
    settings.PORTAL_READINGS_OFF = frozenset({"personas"})
    account = world.trial.group.account
    place = {"account": account, "region": account.regions[0], "requested_by": "schedule"}
    early, late = timezone.now() - timedelta(hours=3), timezone.now() - timedelta(minutes=4)
    SyncRun.objects.filter(account=account, kind__in=READING_KINDS).delete()
    good = SyncRun.objects.create(**place, kind="cards", state="succeeded", finished_at=early, calls=7)
    denied = "sagemaker ListModelCards was denied (AccessDeniedException: not authorized)."
    bad = SyncRun.objects.create(**place, kind="cards", state="failed", finished_at=late, error=denied)
    SyncRun.objects.create(**place, kind="lineage", state="succeeded", finished_at=late, calls=31)
    old = SyncRun.objects.create(**place, kind="training", state="succeeded", finished_at=early)
    SyncRun.objects.filter(pk__in=[good.pk, old.pk]).update(started_at=early)
    SyncRun.objects.filter(pk=bad.pk).update(started_at=late)

    found = {(one.region, one.kind.value): one for one in readings_of(account)}
    here = account.regions[0]
    assert readings_of(account)[0].kind == "cards"
    assert (found[here, "cards"].state, found[here, "cards"].good) == (SyncHealth.FAILING, good)
    assert (found[here, "lineage"].state, found[here, "personas"].state) == (SyncHealth.HEALTHY, SyncHealth.DISABLED)
    assert (found[here, "monitors"].state, found[here, "training"].state) == (SyncHealth.NEVER, SyncHealth.LATE)

    shown = admin.get(reverse("registry:account", args=[account.account_id])).content.decode()
    assert "ListModelCards was denied" in shown
    assert "what was read before stays" in shown
    assert "See whether the worker and the schedule (beat) run" in shown
    assert "Check permissions names the missing actions" in shown
    assert "Turned off" in shown
