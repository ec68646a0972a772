"""The pages about policies: what people read, forms that keep what was typed, and what is confirmed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from governance.models import PolicyRule, PolicyVersion
from governance.selectors import policy as policies
from governance.services import policies as services
from portal.core.vocabulary import EvidenceKind, RiskRating, Role, Stage, SubjectKind
from tests.api.world import World
from tests.governance.policies.making import cell, metric

from .test_pages import text_of, words_of

AsRole = Callable[[str], Client]
CELL = {
    "revision": 1,
    "count_governance_officer": 2,
    "count_model_owner": 1,
    "evidence": ["model_card", "licence"],
    "days_until_due": 4,
    "days_until_expiry": 20,
    "metric_0_path": "auc",
    "metric_0_operator": ">=",
    "metric_0_value": "0.75",
    "metric_0_max_age_days": "30",
    "metric_0_kind": "validation",
    "metric_1_path": "bias.DI",
    "metric_1_operator": "between",
    "metric_1_value": "0.8",
    "metric_1_upper": "1.25",
    "metric_1_segment": "gender",
    "metric_1_kind": "monitoring",
}


@pytest.fixture
def admin(as_role: AsRole) -> Client:
    return as_role("ml_admin")


def page(name: str, world: World, *more: str) -> str:
    return reverse(f"governance:{name}", args=[world.policy_draft, *more])


def cell_page(world: World, kind: str = "model_version", stage: str = "qa", tier: str = "high") -> str:
    return page("policy_cell", world, kind, stage, tier)


def draft(world: World) -> PolicyVersion:
    return PolicyVersion.objects.get(number=world.policy_draft)


def high_qa(world: World) -> Any:
    return policies.matrix_of(draft(world)).cell(SubjectKind.MODEL_VERSION, Stage.QA, RiskRating.HIGH)


def test_everybody_reads_what_each_stage_needs(as_role: AsRole) -> None:
    client = as_role("data_scientist")
    listed = words_of(client.get(reverse("governance:policy_list")))
    assert "In force" in listed
    assert "Policy 3" not in listed, "drafts are not for everybody"
    assert reverse("governance:policy_list") in text_of(client.get(reverse("home")))
    versions = words_of(client.get(reverse("governance:policy", args=[2])))
    assert "2 governance officers" in versions
    assert "Explainability report" in versions
    assert "due in 7 days, expires in 21 days" in versions
    assert "Edit" not in versions
    cases = words_of(client.get(reverse("governance:policy", args=[2]), {"kind": "use_case"}))
    assert "Transparency and explainability" in cases
    assert "There was none before it." in words_of(client.get(reverse("governance:policy", args=[1])))


def test_a_draft_is_made_from_the_policy_in_force(admin: Client) -> None:
    answer = admin.get(reverse("governance:policy_draft"), {"based_on": "1"})
    assert '<option value="1" selected>' in text_of(answer)
    assert '<option value="2" selected>' in text_of(admin.get(reverse("governance:policy_draft"), {"based_on": "x"}))
    answer = admin.post(reverse("governance:policy_draft"), {"based_on": "2", "note": "Ask for more."})
    made = PolicyVersion.objects.get(note="Ask for more.")
    assert answer["Location"] == reverse("governance:policy", args=[made.number])
    refused = admin.post(reverse("governance:policy_draft"), {"based_on": "99", "note": "x" * 2001})
    assert refused.status_code == 422
    assert "x" * 2001 in text_of(refused)


def test_a_cell_is_filled_in(world: World, admin: Client) -> None:
    shown = text_of(admin.get(cell_page(world)))
    assert 'name="count_governance_officer" value="2"' in shown
    assert 'value="bias_report"' in shown
    answer = admin.post(cell_page(world), CELL)
    assert answer["Location"] == f"{page('policy', world)}?kind=model_version"
    rule = high_qa(world)
    assert {need.role: need.count for need in rule.approvals} == {Role.MODEL_OWNER: 1, Role.GOVERNANCE_OFFICER: 2}
    assert rule.evidence == (EvidenceKind.MODEL_CARD, EvidenceKind.LICENCE)
    assert [metric.path for metric in rule.metrics] == ["auc", "bias.DI"]
    assert (rule.metrics[0].value, rule.metrics[0].max_age_days) == (0.75, 30)
    assert (rule.metrics[1].value, rule.metrics[1].segment, rule.metrics[1].kind) == (
        (0.8, 1.25),
        "gender",
        "monitoring",
    )
    again = text_of(admin.get(cell_page(world)))
    assert 'value="bias.DI"' in again
    assert 'value="1.25"' in again
    matrix = words_of(admin.get(page("policy", world)))
    assert "AUC: at least 0.75 is needed, at most 30 days old" in matrix
    # Its fields cleared, a metric is gone.
    cleared = {name: value for name, value in CELL.items() if not name.startswith("metric_0")}
    assert admin.post(cell_page(world), {**cleared, "revision": 2}).status_code == 302
    assert [metric.path for metric in high_qa(world).metrics] == ["bias.DI"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"count_governance_officer": 0, "count_model_owner": ""}, "Somebody must approve"),
        ({"count_governance_officer": 10}, "less than or equal to 9"),
        ({"days_until_due": 21}, "It cannot be due after it has expired."),
        ({"days_until_due": ""}, "This field is required."),
        ({"days_until_due": "9" * 400}, "less than or equal to 365"),
        ({"evidence": ["gossip"]}, "gossip is not one of the available choices"),
        ({"metric_0_path": "a..b"}, "name it by a path"),
        ({"metric_0_path": ""}, "Name the metric, or clear the row."),
        ({"metric_0_value": ""}, "Give the threshold."),
        ({"metric_0_value": "x"}, "Enter a number."),
        ({"metric_0_value": "nan"}, "Enter a number."),
        ({"metric_0_value": "1e300"}, "the threshold must be a number"),
        ({"metric_0_operator": "~"}, "Select a valid choice"),
        ({"metric_0_upper": "1"}, "The second number goes with"),
        ({"metric_1_upper": ""}, "The second number goes with"),
        ({"metric_1_value": "2"}, "the lower end comes first"),
        ({"metric_0_max_age_days": "0"}, "greater than or equal to 1"),
        ({"metric_0_kind": "guessed"}, "Select a valid choice"),
        ({"metric_1_path": "auc", "metric_1_operator": ">=", "metric_1_value": "0.75", "metric_1_upper": "",
          "metric_1_segment": "", "metric_1_kind": "validation"}, "is asked for more than once"),
        ({"metric_0_operator": ""}, "Say how the number is compared."),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_a_cell_that_cannot_be_used_keeps_what_was_typed(
    world: World, admin: Client, changed: dict[str, Any], said: str
) -> None:
    before = high_qa(world)
    answer = admin.post(cell_page(world), {**CELL, **changed})
    assert answer.status_code == 422
    assert said in words_of(answer)
    assert 'value="gender"' in text_of(answer) or "metric_1_segment" in changed
    assert high_qa(world) == before


def test_a_use_case_has_no_metrics_to_fill_in(world: World, admin: Client) -> None:
    shown = text_of(admin.get(cell_page(world, "use_case", "production", "medium")))
    assert "metric_0_path" not in shown
    assert 'name="evidence"' in shown


@pytest.mark.parametrize(
    "place", [("model", "qa", "high"), ("model_version", "poc", "high"), ("use_case", "gone", "high"),
              ("model_version", "qa", "unknown"), ("model_version", "retired", "low")],
)  # fmt: skip
def test_there_is_no_such_cell(world: World, admin: Client, place: tuple[str, str, str]) -> None:
    assert admin.get(cell_page(world, *place)).status_code == 404


def test_somebody_elses_change_is_shown_beside_what_was_typed(world: World, admin: Client) -> None:
    services.edit(actor=world.people.admin.actor, policy_id=draft(world).pk, revision=1, note="Theirs.")
    answer = admin.post(page("policy_edit", world), {"revision": 1, "note": "Mine.", "model_path": ["qa"]})
    assert answer.status_code == 412
    shown = words_of(answer)
    assert "Theirs." in shown
    assert "Mine." in text_of(answer)
    assert draft(world).note == "Theirs."
    # Saved again with both in sight, it is his.
    answer = admin.post(page("policy_edit", world), {"revision": 2, "note": "Mine.", "model_path": ["qa"]})
    assert answer.status_code == 302
    assert (draft(world).note, draft(world).model_path) == ("Mine.", ["development", "qa", "production"])
    assert "not passed" in words_of(admin.get(page("policy", world)))
    cell_saved = admin.post(cell_page(world), CELL)
    assert cell_saved.status_code == 412


def test_the_answers_to_changes_outside_are_chosen_shown_and_compared(world: World, admin: Client) -> None:
    assert "Report it" in words_of(admin.get(page("policy", world)))
    form = {"revision": 1, "note": "N.", "on_outside_approval": "adopt", "on_outside_rejection": "write_back"}
    assert admin.post(page("policy_edit", world), {**form, "on_outside_approval": "ignore"}).status_code == 422
    assert admin.post(page("policy_edit", world), form).status_code == 302
    assert (draft(world).on_outside_approval, draft(world).on_outside_rejection) == ("adopt", "write_back")
    shown = words_of(admin.get(page("policy", world)))
    assert "decision where he may decide, report it otherwise" in shown
    assert "Changes made in SageMaker" in shown


def test_a_policy_is_tried_on_a_version(world: World, admin: Client) -> None:
    services.set_rule(
        actor=world.people.admin.actor,
        policy_id=draft(world).pk,
        revision=1,
        rule=cell(
            tier=RiskRating.HIGH, evidence=(EvidenceKind.LICENCE,), metrics=(metric("validation_auc", value=0.8),)
        ),
    )
    address = page("policy_preview", world)
    shown = words_of(admin.get(address, {"subject": world.trial.name, "stage": ""}))
    assert "Licence: not reported." in shown
    assert "Validation AUC is 0.78 in Development, at least 0.8 is needed." in shown
    assert world.version_request.public_id in shown
    assert "2 not met" in shown
    for subject, stage, said in (
        ("UC-9999", "", "You see no such use case or version."),
        ("nonsense", "", "You see no such use case or version."),
        (world.trial.name, "poc", "is never asked about at POC"),
        (world.trial.name, "gone", "Select a valid choice"),
        ("", "", "What would it need?"),
    ):
        answer = admin.get(address, {"subject": subject, "stage": stage})
        assert (answer.status_code, said in words_of(answer)) == (200, True), said


def test_publishing_names_what_changes_and_what_does_not(world: World, admin: Client) -> None:
    assert "it says the same as Policy 2" in words_of(admin.get(page("policy_publish", world)))
    admin.post(cell_page(world), CELL)
    shown = words_of(admin.get(page("policy_publish", world)))
    assert "1 of those you see would be asked for something else" in shown
    assert "Model version at QA, high risk" in shown
    stale = admin.post(page("policy_publish", world), {"revision": 1})
    assert stale.status_code == 412
    assert draft(world).state == "draft"
    answer = admin.post(page("policy_publish", world), {"revision": 2}, follow=True)
    assert "Policy 3 is in force now." in words_of(answer)
    assert policies.in_force().number == world.policy_draft
    again = admin.post(page("policy_publish", world), {"revision": 3})
    assert again.status_code == 409


def test_what_keeps_a_draft_from_being_published_is_listed(world: World, admin: Client) -> None:
    PolicyRule.objects.filter(policy=draft(world), kind="model_version", stage="qa", tier="low").delete()
    for name in ("policy", "policy_publish"):
        shown = words_of(admin.get(page(name, world)))
        assert "Model version at QA, low risk: There is no rule." in shown
    assert "no rule" in words_of(admin.get(page("policy", world)))
    assert "Publish it for good" not in words_of(admin.get(page("policy_publish", world)))
    refused = admin.post(page("policy_publish", world), {"revision": 1})
    assert refused.status_code == 422
    # The cell that is missing can be filled in.
    assert admin.post(cell_page(world, tier="low"), CELL).status_code == 302
    assert admin.post(page("policy_publish", world), {"revision": 2}).status_code == 302


def test_an_overtaken_draft_says_so(world: World, admin: Client) -> None:
    other = services.draft(actor=world.people.admin.actor)
    services.publish(actor=world.people.admin.actor, policy_id=other.pk, revision=1)
    for name in ("policy", "policy_publish"):
        assert "Another policy was published meanwhile" in words_of(admin.get(page(name, world)))
    assert admin.post(page("policy_publish", world), {"revision": 1}).status_code == 409


def test_a_draft_is_discarded(world: World, admin: Client) -> None:
    assert "Discard this draft?" in words_of(admin.get(page("policy", world)))
    for body in ({}, {"revision": "x"}, {"revision": "9" * 30}):
        assert admin.post(page("policy_discard", world), body).status_code == 400
    assert admin.post(page("policy_discard", world), {"revision": 5}).status_code == 412
    answer = admin.post(page("policy_discard", world), {"revision": 1}, follow=True)
    assert "is discarded" in words_of(answer)
    assert admin.get(page("policy", world)).status_code == 404


def test_who_asks_sees_beforehand_what_is_missing(world: World, as_role: AsRole) -> None:
    shown = words_of(as_role("data_scientist").get(reverse("governance:version_submit", args=[world.fresh.pk])))
    assert "What it needs" in shown
    assert "says what is needed" in shown
    assert "Missing or not met: Model card" in shown
