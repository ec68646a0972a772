"""Drafts of use cases: kept while they are typed, for nobody but their author.

What is typed is kept as it is, right or wrong: forms read it, and the services refuse, once it is to be registered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import Forbidden, InvalidInput, StaleEdit, WrongState
from portal.core.locks import hold_until_commit
from portal.core.operations import operation
from portal.core.permissions import Act, require_anywhere

from ..aws.values import plain_text
from ..choices import DraftStep
from ..models import UseCaseDraft

MOST_DRAFTS = 50
# Of all that is typed into one draft, in characters.
LARGEST = 300_000
MOST_FIELDS = 300
_WINDOW = re.compile(r"[0-9a-f]{8,32}", re.ASCII)

Typed = Mapping[str, Sequence[str]]


def start(*, actor: Actor, window: str, typed: Typed, leaving: bool = False) -> UseCaseDraft:
    """Begin a draft with what was typed in its first step, or go on with the one this window began before.

    `window` is the random mark of the page it is typed in (8 to 32 hexadecimal digits): one page makes one draft.

    Raises Forbidden without a registering role anywhere and for a token that is held to some projects, InvalidInput for
    too much or an unusable mark, WrongState at the most drafts a person may keep, StaleEdit when the draft has gone on
    in another window since.
    """
    require_anywhere(actor, Act.REGISTER_USE_CASE)
    if actor.user_id is None:
        raise Forbidden("A use case is registered by a person.")
    if actor.bounds.projects is not None:
        raise Forbidden(
            "A draft is of no project yet: with a token that is held to some, register the use case itself."
        )
    if not _WINDOW.fullmatch(window):
        raise InvalidInput("This form is not one of the portal's pages. Open it again.")
    with operation(actor, "begin use case draft"):
        # There is no row to lock yet.
        hold_until_commit(f"use-case-draft:{actor.user_id}")
        mine = UseCaseDraft.objects.visible_to(actor)
        known = mine.filter(origin=window).first()
        if known is not None:
            return _write(known, DraftStep.PURPOSE, 0, window, typed, leaving=leaving)
        if mine.count() >= MOST_DRAFTS:
            raise WrongState(f"You keep {MOST_DRAFTS} drafts already. Register or delete one of them first.")
        draft = UseCaseDraft(author_id=actor.user_id, origin=window, revision=0, saved_at=timezone.now())
        draft.save(force_insert=True)
        return _write(draft, DraftStep.PURPOSE, 0, window, typed, leaving=leaving)


def save(
    *,
    actor: Actor,
    draft_id: int,
    step: DraftStep,
    revision: int,
    typed: Typed,
    window: str = "",
    leaving: bool = False,
) -> UseCaseDraft:
    """Keep what was typed in one step of a draft.

    `revision` is the step's as it was read. What was saved since is overwritten only by the `window` that saved it: a
    page saves again and again without being read anew. `leaving` is for the last time: whatever the page still sends
    afterwards, it is stale.

    Raises NotFound for a draft there is not, also somebody else's; StaleEdit when another window saved the step since;
    InvalidInput for too much.
    """
    with operation(actor, "save use case draft"):
        return _write(_mine(actor, draft_id), step, revision, window, typed, leaving=leaving)


def discard(*, actor: Actor, draft_id: int, revision: int | None = None) -> UseCaseDraft:
    """Throw a draft away; returns what it was. Raises NotFound, StaleEdit when it was saved since that revision."""
    with operation(actor, "delete use case draft"):
        draft = _mine(actor, draft_id)
        if revision is not None and draft.revision != revision:
            raise StaleEdit("This draft was changed in another window since you opened it here.")
        UseCaseDraft.objects.filter(pk=draft.pk).delete()
        return draft


def take(*, actor: Actor, draft_id: int, revision: int) -> UseCaseDraft:
    """Take a draft out to register what it says; it is gone when the caller's operation ends well.

    Raises NotFound, StaleEdit when anything in it was saved since `revision`.
    """
    draft = _mine(actor, draft_id)
    if draft.revision != revision:
        raise StaleEdit("This draft was changed in another window since you read it. Read it again, then register it.")
    UseCaseDraft.objects.filter(pk=draft.pk).delete()
    return draft


def _mine(actor: Actor, draft_id: int) -> UseCaseDraft:
    draft = access.get(UseCaseDraft, actor, pk=draft_id)
    found = UseCaseDraft.objects.select_for_update().filter(pk=draft.pk).first()
    # It may have been registered or deleted while the lock was waited for.
    return found if found is not None else access.get(UseCaseDraft, actor, pk=draft_id)


def _write(
    draft: UseCaseDraft, step: DraftStep, revision: int, window: str, typed: Typed, *, leaving: bool
) -> UseCaseDraft:
    held = draft.steps.get(step, {})
    values = _cleaned(typed)
    now = draft.step_revision(step)
    if now != revision and not (window and held.get("window") == window) and held.get("values") != values:
        raise StaleEdit("This draft was changed in another window since you opened it here.")
    kept_open = "" if leaving else window[:32]
    steps = {**draft.steps, step.value: {"revision": now + 1, "window": kept_open, "values": values}}
    if _size(steps) > LARGEST:
        raise InvalidInput(f"A draft holds at most {LARGEST:,} characters. Shorten the longest text.")
    draft.steps, draft.saved_at, draft.revision = steps, timezone.now(), draft.revision + 1
    draft.save(update_fields=["steps", "saved_at", "revision"])
    return draft


def _cleaned(typed: Typed) -> dict[str, list[str]]:
    if len(typed) > MOST_FIELDS:
        raise InvalidInput("This form has too many fields. Open it again.")
    # Control characters that the database cannot hold are the form's to refuse, and become a mark until then.
    return {plain_text(name): [plain_text(value) for value in values] for name, values in typed.items()}


def _size(steps: Mapping[str, Mapping[str, Any]]) -> int:
    return sum(len(name) + sum(map(len, texts)) for held in steps.values() for name, texts in held["values"].items())
