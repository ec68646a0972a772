"""Two to four versions beside each other, and the tabs of one version's page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import resolve, reverse
from django.utils.http import urlencode

from registry.web.versions import Tab, tab_url
from tests.api.world import World
from tests.factories import group, version
from tests.factories.records import card

AsRole = Callable[[str], Client]


def words_of(answer: Any) -> str:
    """Return what a person reads, without the tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def address(*keys: object, **more: str) -> str:
    return f"{reverse('governance:version_compare')}?{urlencode([*(('v', key) for key in keys), *more.items()])}"


def test_versions_stand_beside_each_other_with_deltas_and_the_best_named(world: World, as_role: AsRole) -> None:
    parameters = {"training_details": {"training_job_details": {"hyper_parameters": [{"name": "eta", "value": "0.1"}]}}}
    old = version(world.group, 80, risk="Low", metadata={"validation_auc": "0.78", "seed": "1"})
    new = version(
        world.group,
        81,
        card_content=card(risk="Medium", **parameters),
        metadata={"validation_auc": "0.81", "seed": "1"},
    )
    client = as_role("auditor")
    answer = client.get(address(old.pk, new.pk))
    assert answer.status_code == 200
    said, page = words_of(answer), answer.content.decode()
    assert "higher is better" in said
    assert re.search(r'is-best"><span class="compare-value">0\.81</span> <span class="compare-delta">\+0\.03', page)
    assert re.search(r"eta.*not reported.*0\.1", said)
    assert "seed" in said
    assert "Low" in said
    assert "Medium" in said
    only = words_of(client.get(address(old.pk, new.pk, only="differences")))
    assert "seed" not in only
    assert "eta" in only
    part = client.get(address(old.pk, new.pk, only="differences"), headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()
    assert "compare-table" in part.content.decode()


def test_rows_marked_in_the_list_are_compared(world: World, as_role: AsRole) -> None:
    listed = as_role("auditor").get(reverse("registry:version_list")).content.decode()
    rows = re.findall(r'name="row" value="([^"]+)"', listed)[:2]
    assert len(rows) == 2
    assert f'action="{reverse("governance:version_compare")}"' in listed
    answer = as_role("auditor").get(f"{reverse('governance:version_compare')}?{urlencode({'row': rows}, doseq=True)}")
    assert "compare-table" in answer.content.decode()


def test_up_to_four_fit_and_one_can_be_left_out(world: World, as_role: AsRole) -> None:
    keys = [version(world.group, number, risk="Low").pk for number in range(82, 86)]
    page = as_role("auditor").get(address(*keys)).content.decode()
    assert page.count('class="compare-drop"') == 4
    assert address(*keys[1:]).replace("&", "&amp;") in page
    assert "compare-drop" not in as_role("auditor").get(address(*keys[:2])).content.decode()


@pytest.mark.parametrize(
    ("choose", "status", "said"),
    [
        (lambda fresh, trial: [], 200, "No version is chosen"),
        (lambda fresh, trial: [fresh], 200, "Others of the same group"),
        (lambda fresh, trial: [fresh, fresh], 400, "chosen twice"),
        (lambda fresh, trial: [fresh, trial, 10**6, 10**6 + 1, 10**6 + 2], 400, "at most 4 fit"),
        (lambda fresh, trial: [fresh, 999999999], 404, "Not found"),
        (lambda fresh, trial: [fresh, "9" * 40], 404, "Not found"),
        (lambda fresh, trial: [fresh, "-1"], 404, "Not found"),
        (lambda fresh, trial: [fresh, "²"], 404, "Not found"),
        (lambda fresh, trial: [fresh, "x\x00"], 404, "Not found"),
        (lambda fresh, trial: ["", fresh, ""], 200, "Others of the same group"),
    ],
)
def test_what_cannot_be_compared_is_said_plainly(
    choose: Callable[[int, int], list[object]], status: int, said: str, world: World, as_role: AsRole
) -> None:
    answer = as_role("auditor").get(address(*choose(world.fresh.pk, world.trial.pk)))
    assert answer.status_code == status
    assert said in words_of(answer)


def test_a_version_one_may_not_see_is_not_found(world: World, as_role: AsRole) -> None:
    hidden = version(group(None, name="of-nobody"), 1)
    answer = as_role("data_scientist").get(address(world.fresh.pk, hidden.pk))
    assert answer.status_code == 404
    alone = as_role("data_scientist").get(address(hidden.pk))
    assert alone.status_code == 404


def test_a_card_that_is_no_card_and_reports_of_odd_shapes_compare(world: World, as_role: AsRole) -> None:
    odd = version(
        world.group, 90, card_content='{"training_details": {"training_job_details": {"hyper_parameters": 3}}}'
    )
    assert as_role("auditor").get(address(world.fresh.pk, odd.pk)).status_code == 200


# The tabs


@pytest.mark.parametrize("tab", list(Tab))
def test_each_tab_has_an_address_of_its_own_that_nothing_shadows(tab: Tab, world: World, as_role: AsRole) -> None:
    path = tab_url(world.trial, tab)
    expected = "registry:version" if tab is Tab.OVERVIEW else f"registry:version_{tab}"
    assert resolve(path).view_name == expected
    page = as_role("data_scientist").get(path).content.decode()
    marked = re.findall(r'<a href="([^"]+)" id="tab-[a-z]+"[^>]*aria-current="page"', page)
    assert marked == [path]
    assert 'hx-select="#content"' in page


@pytest.mark.parametrize("part", ["records", "approvals", "delivery", "history", "monitoring", "bias", "nonsense"])
def test_each_part_of_the_story_can_be_had_alone(part: str, world: World, as_role: AsRole) -> None:
    path = reverse("governance:version_activity", args=[world.trial.pk])
    page = as_role("data_scientist").get(f"{path}?part={part}").content.decode()
    told = {name for name in ("records", "approvals", "history", "monitoring") if f'id="{name}"' in page}
    assert told == (
        {part} & {"records", "approvals", "history", "monitoring"}
        or ({"records", "approvals", "history"} if part == "nonsense" else set())
    )


def test_a_version_is_reached_from_elsewhere_by_lines_to_copy(world: World, as_role: AsRole) -> None:
    page = words_of(as_role("data_scientist").get(tab_url(world.trial, Tab.OVERVIEW)))
    assert f"aws sagemaker describe-model-package --model-package-name {world.trial.arn} --region us-east-1" in page
    assert f"http://testserver/api/v1/model-versions/{world.trial.pk}/" in page
