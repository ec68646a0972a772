"""The policy matrix: drafted, edited cell by cell, and published as a whole, for good."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Max
from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, NotFound, StaleEdit, WrongState
from portal.core.locks import hold_until_commit
from portal.core.operations import operation
from portal.core.permissions import Act, require
from portal.core.vocabulary import Stage, SubjectKind

from ..choices import OutsideResponse, PolicyState
from ..models import PolicyRule, PolicyVersion
from ..policies.facts import Rule
from ..policies.validation import problems_of, problems_of_path, problems_of_rule
from ..selectors import policy as policies

_LONGEST_NOTE = 2000
# Whoever makes a draft must see what was published before, and two are never published at once.
_LOCK = "the policy in force"


class Published(WrongState):
    """A published policy never changes."""

    code = "policy-published"


class Overtaken(WrongState):
    """Another policy was published since the draft was made."""

    code = "policy-overtaken"
    title = "Another policy was published meanwhile"


class Incomplete(InvalidInput):
    """Something is missing or wrong; `errors` names the cells."""

    code = "policy-incomplete"
    title = "The policy is not complete"


def draft(*, actor: Actor, note: str = "", based_on: int | None = None) -> PolicyVersion:
    """Make a draft with the cells of a policy, by number: the one in force by default, also an older one or a draft.

    There may be several drafts at once; publishing one overtakes the others. Raises Forbidden, NotFound for an
    unknown `based_on`, InvalidInput for a note that cannot be kept.
    """
    require(actor, Act.EDIT_POLICY)
    kept = _note(note)
    with operation(actor, kept or "draft a policy"):
        hold_until_commit(_LOCK)
        in_force = policies.in_force()
        base = in_force if based_on is None else access.get(PolicyVersion, actor, number=based_on)
        newest = PolicyVersion.objects.aggregate(newest=Max("number"))["newest"]
        made = PolicyVersion.objects.create(
            number=newest + 1,
            note=kept,
            model_path=base.model_path,
            use_case_path=base.use_case_path,
            on_outside_approval=base.on_outside_approval,
            on_outside_rejection=base.on_outside_rejection,
            based_on=base.number,
            follows=in_force.number,
            created_by=actor.label,
        )
        PolicyRule.objects.bulk_create(_row(made, rule) for rule in policies.rules_of(base))
        return made


def set_rule(*, actor: Actor, policy_id: int, revision: int, rule: Rule) -> PolicyVersion:
    """Write one cell of a draft, new or in place of the one there.

    Raises NotFound, Forbidden, Published, StaleEdit when the draft changed since `revision`, InvalidInput by field.
    """
    with operation(actor, f"{_cell_words(rule)}: set what it asks for"):
        policy = _draft(actor, Act.EDIT_POLICY, policy_id, revision)
        problems = problems_of_rule(rule)
        if problems:
            raise InvalidInput(f"{_cell_words(rule)}: this cannot be asked for.", errors=problems)
        row = _row(policy, rule)
        row.pk = (
            policy.rules.filter(kind=rule.kind, stage=rule.stage, tier=rule.tier).values_list("pk", flat=True).first()
        )
        row.save()
        return _revised(policy)


def set_path(*, actor: Actor, policy_id: int, revision: int, kind: SubjectKind, path: Sequence[Stage]) -> PolicyVersion:
    """Say which stages a kind of subject must pass. Cells of a stage left out stay, for when it is switched on again.

    Raises NotFound, Forbidden, Published, StaleEdit, InvalidInput when a stage that may not be skipped is left out.
    """
    return edit(actor=actor, policy_id=policy_id, revision=revision, paths={kind: tuple(path)})


def edit(
    *,
    actor: Actor,
    policy_id: int,
    revision: int,
    note: str | None = None,
    paths: dict[SubjectKind, tuple[Stage, ...]] | None = None,
    on_outside_approval: OutsideResponse | None = None,
    on_outside_rejection: OutsideResponse | None = None,
) -> PolicyVersion:
    """Change a draft's note, its paths and what it does about changes made outside the portal; what is left out stays.

    Raises NotFound, Forbidden, Published, StaleEdit, InvalidInput by field.
    """
    with operation(actor, "edit a draft policy"):
        policy = _draft(actor, Act.EDIT_POLICY, policy_id, revision)
        problems = {}
        for kind, path in (paths or {}).items():
            field = _PATH_FIELDS[kind]
            problems[field] = problems_of_path(kind, path)
            setattr(policy, field, list(path))
        if any(problems.values()):
            raise InvalidInput("This path cannot be walked.", errors=problems)
        if note is not None:
            policy.note = _note(note)
        if on_outside_approval is not None:
            policy.on_outside_approval = on_outside_approval
        if on_outside_rejection is not None:
            policy.on_outside_rejection = on_outside_rejection
        policy.save(
            update_fields=["note", "model_path", "use_case_path", "on_outside_approval", "on_outside_rejection"]
        )
        return _revised(policy)


def discard(*, actor: Actor, policy_id: int, revision: int) -> None:
    """Throw a draft away; the audit trail keeps what it said. Raises NotFound, Forbidden, Published, StaleEdit."""
    with operation(actor, "discard a draft policy"):
        policy = _draft(actor, Act.EDIT_POLICY, policy_id, revision)
        policy.rules.all().delete()
        policy.delete()


def publish(*, actor: Actor, policy_id: int, revision: int) -> PolicyVersion:
    """Put a draft in force, whole and for good. Requests that are open keep the policy they were made under.

    Raises NotFound, Forbidden, Published, StaleEdit when the draft changed since `revision`, Overtaken when another
    policy was published since it was made, Incomplete naming the cells.
    """
    with operation(actor, "publish a policy"):
        hold_until_commit(_LOCK)
        policy = _draft(actor, Act.PUBLISH_POLICY, policy_id, revision)
        refuse_if_overtaken(policy)
        problems = problems_of(policies.matrix_of(policy))
        if problems:
            raise Incomplete(
                f"Policy {policy.number} is not complete: {_counted(len(problems), 'place')} must be mended first.",
                errors=problems,
            )
        policy.state = PolicyState.PUBLISHED
        policy.published_at = timezone.now()
        policy.published_by = actor.label
        policy.revision += 1
        policy.save(update_fields=["state", "published_at", "published_by", "revision"])
        return policy


def editable(*, actor: Actor, number: int) -> PolicyVersion:
    """Return a draft the actor may change, by number. Raises NotFound, Forbidden, Published."""
    policy = policies.by_number(actor, number)
    refuse_unless_editor(actor)
    _refuse_published(policy)
    return policy


def refuse_unless_editor(actor: Actor) -> None:
    """Raise Forbidden for who may not change the matrix."""
    require(actor, Act.EDIT_POLICY)


def refuse_if_overtaken(policy: PolicyVersion) -> None:
    """Raise Overtaken when another policy was published since this draft was made: it would be undone unseen."""
    in_force = policies.in_force()
    if policy.follows != in_force.number:
        raise Overtaken(
            f"{in_force} was published since this draft was made, and publishing it would undo that."
            f" Make a new draft based on number {policy.number}, look at what it changes, and publish that."
        )


_PATH_FIELDS = {SubjectKind.MODEL_VERSION: "model_path", SubjectKind.USE_CASE: "use_case_path"}


def _draft(actor: Actor, act: Act, policy_id: int, revision: int) -> PolicyVersion:
    """Return a draft, locked, as the actor has read it."""
    seen = access.get(PolicyVersion, actor, pk=policy_id)
    require(actor, act)
    policy = PolicyVersion.objects.select_for_update().filter(pk=seen.pk).first()
    if policy is None:
        raise NotFound("There is no such policy: the draft was discarded.")
    _refuse_published(policy)
    if policy.revision != revision:
        raise StaleEdit(f"Somebody changed {policy} since you read it. Read it again and repeat your edit.")
    return policy


def _refuse_published(policy: PolicyVersion) -> None:
    if policy.state == PolicyState.PUBLISHED:
        raise Published(f"{policy} is published and never changes. Make a new draft from it.")


def _revised(policy: PolicyVersion) -> PolicyVersion:
    policy.revision += 1
    policy.save(update_fields=["revision"])
    return policy


def _row(policy: PolicyVersion, rule: Rule) -> PolicyRule:
    return PolicyRule(
        policy=policy,
        kind=rule.kind,
        stage=rule.stage,
        tier=rule.tier,
        approvals=[{"role": need.role.value, "count": need.count} for need in rule.approvals],
        evidence=[kind.value for kind in rule.evidence],
        metrics=[metric.as_json() for metric in rule.metrics],
        provenance=[kind.value for kind in rule.provenance],
        days_until_due=rule.days_until_due,
        days_until_expiry=rule.days_until_expiry,
    )


def _note(note: str) -> str:
    kept = note.strip()
    if "\x00" in kept:
        raise InvalidInput("This note cannot be kept.", errors={"note": ["Take out the NUL characters."]})
    if len(kept) > _LONGEST_NOTE:
        raise InvalidInput("This note is too long.", errors={"note": [f"At most {_LONGEST_NOTE} characters."]})
    return kept


def _cell_words(rule: Rule) -> str:
    return f"{rule.kind.label} at {rule.stage.label}, {rule.tier.label.lower()} risk"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
