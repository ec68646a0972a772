"""Numbers beside each other: which way is better, what is best, by how much. Pure."""

from __future__ import annotations

from typing import Any

import pytest

from governance.policies.facts import MetricRule, Operator
from governance.policies.measures import Direction, best_of, delta_words, direction_of, verdict_words

UP, DOWN, NEITHER = Direction.HIGHER, Direction.LOWER, Direction.UNKNOWN


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("auc", UP),
        ("AUC", UP),
        ("holdout.binary.auc.value", UP),
        ("validation_auc", UP),
        ("rmse", DOWN),
        ("log_loss", DOWN),
        ("validation_log_loss", DOWN),
        ("bias.post_training.DI[gender]", NEITHER),
        ("rows", NEITHER),
        ("", NEITHER),
    ],
)
def test_well_known_names_say_which_way_is_better(name: str, direction: Direction) -> None:
    assert direction_of(name) is direction


def test_the_policy_says_it_before_the_name_does() -> None:
    odd = MetricRule("auc", Operator.AT_MOST, 0.9)
    assert direction_of("holdout.auc", [odd]) is DOWN
    assert direction_of("rows", [MetricRule("rows", Operator.AT_LEAST, 1000)]) is UP
    assert direction_of("auc", [odd, MetricRule("auc", Operator.AT_LEAST, 0.7)]) is NEITHER
    assert direction_of("di", [MetricRule("di", Operator.BETWEEN, (0.8, 1.25))]) is NEITHER
    assert direction_of("rmse", [odd]) is DOWN, "a rule about another metric says nothing"


@pytest.mark.parametrize(
    ("values", "direction", "best"),
    [
        ([0.7, 0.9, None], UP, (False, True, False)),
        ([0.7, 0.9, 0.9], UP, (False, True, True)),
        ([3, 2.5], DOWN, (False, True)),
        ([0.7, 0.9], NEITHER, (False, False)),
        ([0.7, 0.7], UP, (False, False)),
        ([0.7, "0.9", True], UP, (False, False, False)),
        ([float("nan"), 0.9, 0.8], UP, (False, True, False)),
        ([], UP, ()),
    ],
)
def test_the_best_is_a_number_among_numbers(values: list[Any], direction: Direction, best: tuple[bool, ...]) -> None:
    assert best_of(values, direction) == best


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (0.79, 0.81, "+0.02"),
        (0.81, 0.79, "-0.02"),
        (10, 7, "-3"),
        (1, 1.5, "+0.5"),
        (0.1 + 0.2, 0.3, ""),
        (1, None, ""),
        ("1", 2, ""),
        (True, 2, ""),
        (10**400, 1.5, ""),
        (float("inf"), 1.0, ""),
    ],
)
def test_a_difference_is_said_as_people_write_it(before: Any, after: Any, words: str) -> None:
    assert delta_words(before, after) == words


def test_better_or_worse_is_said_only_where_somebody_knows() -> None:
    assert verdict_words(0.7, 0.8, UP) == "better"
    assert verdict_words(0.7, 0.8, DOWN) == "worse"
    assert verdict_words(0.7, 0.8, NEITHER) == ""
    assert verdict_words(0.7, 0.7, UP) == ""
    assert verdict_words(None, 0.7, UP) == ""
