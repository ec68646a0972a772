"""Whose turn it is in the outbox, over generated histories of one version's words and orders."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from governance.selectors.outbox_order import Entry, Turn, supersedes, turn

APPROVED, REJECTED, PENDING = "Approved", "Rejected", "PendingManualApproval"


def word(pk: int, said: str = APPROVED, digest: str = "v1:a", **more: bool) -> Entry:
    return Entry(pk, word=said, digest=digest, **more)


def order(pk: int, action: str = "deploy", digest: str = "v1:a", place: str = "1", **more: bool) -> Entry:
    return Entry(pk, action=action, digest=digest, place=place, **more)


# What a version's history puts into the outbox, one message each.
made = st.one_of(
    st.builds(lambda said, digest: word(0, said, digest), st.sampled_from([APPROVED, REJECTED, PENDING]),
              st.sampled_from(["", "v1:a", "v1:b"])),
    st.builds(lambda action, digest, place: order(0, action, digest, place), st.sampled_from(["deploy", "remove"]),
              st.sampled_from(["", "v1:a", "v1:b"]), st.sampled_from(["1", "2"])),
)  # fmt: skip
# What comes of an attempt: it gets through, is refused for good, is put off, waits, or dies in doubt.
fates = st.sampled_from(["through", "through", "through", "refused", "off", "waits", "doubt"])


def after(entry: Entry, fate: str) -> Entry | None:
    """What an attempt leaves of a message; None when it got through."""
    if fate == "through":
        return None
    if fate == "refused":
        return replace(entry, is_failed=True)
    put_off = replace(entry, is_due=False)
    if fate == "doubt":
        return replace(put_off, in_doubt=True)
    return replace(put_off, is_waiting=True) if fate == "waits" and entry.action else put_off


def play(history: list[Entry], outcomes: list[str], arrivals: list[int]) -> tuple[list[Entry], dict[int, int]]:
    """Carry a history out, some of it arriving while the rest is under way; returns what went out and what did not."""
    todo = [replace(entry, pk=number) for number, entry in enumerate(history, 1)]
    queue: dict[int, Entry] = {}
    sent: list[Entry] = []
    superseded: dict[int, int] = {}
    fate, arrive = iter(outcomes), iter(arrivals)
    while todo or queue:
        coming = next(arrive, len(todo))
        queue |= {entry.pk: entry for entry in todo[:coming]}
        todo = todo[coming:]
        now = turn([queue[pk] for pk in sorted(queue)])
        superseded |= now.superseded
        queue = {pk: entry for pk, entry in queue.items() if pk not in now.superseded}
        if now.look is not None:
            # Time passes: what was in doubt has landed, or never will.
            queue[now.look] = replace(queue[now.look], in_doubt=False)
        elif now.carry is not None:
            entry = queue.pop(now.carry)
            assert entry.is_due
            assert not entry.is_failed
            left = after(entry, next(fate, "through"))
            if left is None:
                sent.append(entry)
            else:
                queue[entry.pk] = left
        elif not todo:
            # A quiet moment: somebody retries what was given up, and what was put off is due again.
            assert now.superseded or any(entry.is_failed or not entry.is_due for entry in queue.values()) or not queue
            queue = {pk: replace(entry, is_failed=False, is_due=True, is_waiting=False) for pk, entry in queue.items()}
    return sent, superseded


@given(st.lists(made, max_size=8), st.lists(fates, max_size=12), st.lists(st.integers(0, 3), max_size=12))
def test_every_history_ends_with_its_last_word(history: list[Entry], outcomes: list[str], arrivals: list[int]) -> None:
    sent, superseded = play(history, outcomes, arrivals)
    all_of = {number: replace(entry, pk=number) for number, entry in enumerate(history, 1)}
    # Nothing is lost and nothing is done twice.
    assert sorted([entry.pk for entry in sent] + list(superseded)) == sorted(all_of)
    words = [entry.pk for entry in sent if entry.word]
    assert words == sorted(words), "words are written in the order they were decided"
    if said := [pk for pk, entry in all_of.items() if entry.word]:
        assert words[-1] == said[-1], "the last word is written last"
    for pk, by in superseded.items():
        assert supersedes(all_of[by], all_of[pk])
        assert not (all_of[pk].action and all_of[pk].takes), "an order to remove is never dropped"


@given(st.lists(made, max_size=8), st.lists(fates, max_size=12))
def test_nothing_is_let_into_use_after_it_was_taken_out(history: list[Entry], outcomes: list[str]) -> None:
    """All of it was decided before a worker came round."""
    sent, _ = play(history, outcomes, [len(history)])
    withdrawn = [number for number, entry in enumerate(history, 1) if entry.withdraws]
    for entry in sent:
        if entry.gives and withdrawn:
            assert entry.pk > withdrawn[-1]


@given(st.lists(made, max_size=8))
def test_undisturbed_approvals_and_orders_keep_their_order(history: list[Entry]) -> None:
    kept = [replace(entry, digest="v1:a") for entry in history if not entry.withdraws]
    sent, superseded = play(kept, [], [1] * len(kept))
    assert [entry.pk for entry in sent] == list(range(1, len(kept) + 1))
    assert superseded == {}


def test_an_approval_given_up_does_not_hold_back_the_rejection() -> None:
    approved, deploy, rejected = word(1, is_failed=True), order(2), word(3, REJECTED)
    assert turn([approved, deploy, rejected]) == Turn({1: 3, 2: 3}, carry=3)


def test_an_approval_given_up_holds_back_the_next_approval_and_the_deployment() -> None:
    assert turn([word(1, is_failed=True), order(2), word(3)]) == Turn()
    assert turn([word(1, is_due=False), order(2), word(3)]) == Turn()


def test_an_approval_of_other_bytes_supersedes_what_nobody_stands_by() -> None:
    assert turn([word(1, is_failed=True), order(2), word(3, digest="v1:b")]) == Turn({1: 3, 2: 3}, carry=3)
    # What does not say what it was about is left.
    assert turn([word(1, digest="", is_failed=True), word(3, digest="v1:b")]) == Turn()


def test_a_write_that_may_still_arrive_is_looked_after_first() -> None:
    assert turn([word(1, in_doubt=True, is_due=False), word(2, REJECTED)]) == Turn(look=1)
    # An order sent before the rejection is no worse for arriving late; its receiver knows its id.
    assert turn([order(1, in_doubt=True), word(2, REJECTED)]) == Turn({1: 2}, carry=2)


def test_the_removal_does_not_wait_for_a_word_that_was_given_up() -> None:
    retired, removal = word(1, REJECTED, is_failed=True), order(2, "remove")
    assert turn([retired, removal]) == Turn(carry=2)


def test_an_order_that_waits_for_its_pipeline_holds_back_only_its_own_place() -> None:
    waits = order(1, is_due=False, is_waiting=True)
    assert turn([waits, word(2)]) == Turn(carry=2)
    assert turn([waits, order(2, place="1")]) == Turn()
    assert turn([waits, order(2, place="2")]) == Turn(carry=2)
