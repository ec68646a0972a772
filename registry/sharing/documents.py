"""Read policy documents of IAM's language: a group's resource policy, a RAM permission's template.

The portal asks what an account may do at most: what depends on a condition it cannot judge counts as "perhaps", an
Allow counts when it may apply, a Deny only when it certainly does. Source: IAM's policy grammar and evaluation logic.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .resources import covers, touches
from .verbs import ACTIONS, Verb, covered, matches

ACCOUNT = re.compile(r"\d{12}")
PERSON = re.compile(r"arn:[a-z0-9-]+:(?:iam|sts)::(\d{12}):(.+)")
_EVERYONE = "*"
# What a statement consists of, and what stands beside it where the document is one statement alone.
_MEMBERS = frozenset(
    {"Sid", "Effect", "Action", "NotAction", "Principal", "NotPrincipal", "Resource", "NotResource", "Condition"}
)
_BESIDE = frozenset({"Version", "Id"})


class Unreadable(ValueError):
    """The document is not one IAM would take, so nothing certain can be said of it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """An account that asks; `organisation_id` is "" when it is not known."""

    account_id: str
    organisation_id: str = ""


# Whoever is named by no policy: only what is open to everybody is open to him.
ANYBODY = Caller(_EVERYONE)


@dataclass(frozen=True, slots=True)
class Grant:
    """One verb a document gives: certainly or perhaps, and to whom of the account ("" is the whole account)."""

    verb: Verb
    sure: bool
    to: str = ""


@dataclass(frozen=True, slots=True)
class _Statement:
    allows: bool
    actions: tuple[str, ...]
    all_but_actions: bool
    principals: tuple[tuple[str, str], ...]
    all_but_principals: bool
    resources: tuple[str, ...]
    all_but_resources: bool
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]

    def names(self, action: str) -> bool:
        return covered(action, self.actions) is not self.all_but_actions

    def holds_for(self, caller: Caller) -> bool | None:
        """Whether the conditions hold: True, False, or None when that cannot be said here."""
        found = [_judge(*condition, caller) for condition in self.conditions]
        return False if False in found else None if None in found else True


def grants(document: str, caller: Caller, group_arn: str) -> dict[Verb, Grant]:
    """Return what a group's resource policy (JSON text) lets an account do with the group, by verb.

    Raises Unreadable for a text that is no policy.
    """
    statements = _statements(document)
    found: dict[Verb, Grant] = {}
    for statement in statements:
        if not statement.allows:
            continue
        holds, to = statement.holds_for(caller), _reached(statement, caller)
        if holds is False or to is None:
            continue
        for verb, actions in ACTIONS.items():
            open_actions = [name for name in actions if statement.names(name) and _touches(statement, name, group_arn)]
            if any(not _denied(statements, name, caller, group_arn) for name in open_actions):
                _keep(found, Grant(verb, holds is True, to))
    return found


def template_verbs(template: str) -> dict[Verb, bool]:
    """Return what a RAM permission's policy template gives, and whether for certain. Raises Unreadable.

    A template names neither principals nor resources: the share does. Source: GetPermission.
    """
    statements = _statements(template)
    found: dict[Verb, bool] = {}
    for statement in (one for one in statements if one.allows):
        for verb, actions in ACTIONS.items():
            named = [name for name in actions if statement.names(name)]
            if any(not _denied_by_template(statements, name) for name in named):
                found[verb] = found.get(verb, False) or not statement.conditions
    return found


def accounts_named(document: str) -> frozenset[str]:
    """Return the account ids a policy names, in principals or conditions. Raises Unreadable."""
    named: set[str] = set()
    for statement in _statements(document):
        if not statement.allows:
            continue
        found = [account_of(value) for _, value in statement.principals]
        named.update(account for account in found if account)
        for _, key, values in statement.conditions:
            if key in ("aws:principalaccount", "aws:principalarn"):
                named.update(account for account in map(account_of, values) if account)
    return frozenset(named)


def _statements(document: str) -> tuple[_Statement, ...]:
    try:
        parsed = json.loads(document, object_pairs_hook=_each_once)
    except Unreadable:
        raise
    except (ValueError, RecursionError) as error:
        raise Unreadable("The policy is not JSON.") from error
    if not isinstance(parsed, dict):
        raise Unreadable("The policy is not a JSON object.")
    written = parsed.get("Statement", parsed)
    return tuple(map(_statement, written if isinstance(written, list) else [written]))


def _each_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        raise Unreadable("The policy says the same member twice, so nobody can tell which one counts.")
    return found


def _statement(written: Any) -> _Statement:
    if isinstance(written, dict) and (strange := sorted(set(written) - _MEMBERS - _BESIDE)):
        raise Unreadable(f"A statement of the policy has {strange[0][:40]!r}, which no statement has.")
    if not isinstance(written, dict) or written.get("Effect", "Allow") not in ("Allow", "Deny"):
        raise Unreadable("A statement of the policy cannot be read.")
    if ("Action" in written) is ("NotAction" in written):
        raise Unreadable("A statement of the policy has to name its actions once.")
    return _Statement(
        allows=written.get("Effect", "Allow") == "Allow",
        actions=_texts(written.get("Action", written.get("NotAction"))),
        all_but_actions="NotAction" in written,
        principals=_principals(written.get("Principal", written.get("NotPrincipal"))),
        all_but_principals="NotPrincipal" in written,
        resources=_texts(written.get("Resource", written.get("NotResource", _EVERYONE))),
        all_but_resources="NotResource" in written,
        conditions=tuple(_conditions(written.get("Condition") or {})),
    )


def _texts(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str) for one in values):
        raise Unreadable("The policy has something else where a text belongs.")
    return tuple(values)


def _principals(value: Any) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (("AWS", value),)
    if not isinstance(value, Mapping):
        raise Unreadable("The principals of the policy cannot be read.")
    return tuple((str(kind), one) for kind, given in value.items() for one in _texts(given))


def _conditions(value: Any) -> list[tuple[str, str, tuple[str, ...]]]:
    if not isinstance(value, Mapping) or not all(isinstance(keys, Mapping) for keys in value.values()):
        raise Unreadable("The conditions of the policy cannot be read.")
    return [
        (
            str(operator),
            str(key).lower(),
            tuple(str(one) for one in (given if isinstance(given, list) else [given])),
        )
        for operator, keys in value.items()
        for key, given in keys.items()
    ]


def account_of(principal: str) -> str:
    """Return the account of a principal that is one, or belongs to one; "" for everybody, organisations, services."""
    if ACCOUNT.fullmatch(principal):
        return principal
    match = PERSON.fullmatch(principal)
    return match[1] if match else ""


def _reached(statement: _Statement, caller: Caller) -> str | None:
    """Return whom of the caller's account an Allow reaches ("" the whole of it), None for nobody."""
    if statement.all_but_principals:
        # Everybody else: also those of the account who are not the one named.
        whole = {account_of(value) for _, value in statement.principals if _is_whole_account(value)}
        return None if caller.account_id in whole else ""
    some: list[str] = []
    for kind, value in statement.principals:
        if kind == "Service":
            continue
        if _EVERYONE in value or kind not in ("AWS", "Federated"):
            return ""
        account = account_of(value)
        if account == caller.account_id:
            if _is_whole_account(value):
                return ""
            some.append(value.rsplit(":", 1)[-1])
    return ", ".join(some) or None


def _is_whole_account(principal: str) -> bool:
    return bool(ACCOUNT.fullmatch(principal)) or principal.endswith(":root")


def _touches(statement: _Statement, action: str, group_arn: str) -> bool:
    if statement.all_but_resources:
        return not covers(statement.resources, action, group_arn)
    return any(touches(glob, action, group_arn) for glob in statement.resources)


def _covers(statement: _Statement, action: str, group_arn: str) -> bool:
    if statement.all_but_resources:
        return not any(touches(glob, action, group_arn) for glob in statement.resources)
    return covers(statement.resources, action, group_arn)


def _denied(statements: tuple[_Statement, ...], action: str, caller: Caller, group_arn: str) -> bool:
    """Whether some Deny certainly takes the action from the whole account."""
    return any(
        not statement.allows
        and statement.names(action)
        and statement.holds_for(caller) is True
        and _denies_whole_account(statement, caller)
        and _covers(statement, action, group_arn)
        for statement in statements
    )


def _denies_whole_account(statement: _Statement, caller: Caller) -> bool:
    if statement.all_but_principals:
        # Whoever is spared has to be known: "*" spares everybody.
        spared = {account_of(value) for kind, value in statement.principals if kind != "Service"}
        return caller.account_id not in spared | {_EVERYONE} and "" not in spared
    return any(
        kind == "AWS" and (value == _EVERYONE or (_is_whole_account(value) and account_of(value) == caller.account_id))
        for kind, value in statement.principals
    )


def _denied_by_template(statements: tuple[_Statement, ...], action: str) -> bool:
    return any(not one.allows and one.names(action) and not one.conditions for one in statements)


def _keep(found: dict[Verb, Grant], grant: Grant) -> None:
    """Keep the wider of two grants of a verb: the certain before the possible, the account before one of its roles."""
    known = found.get(grant.verb)
    if known is None or (grant.sure, not grant.to) > (known.sure, not known.to):
        found[grant.verb] = grant


def _judge(operator: str, key: str, values: tuple[str, ...], caller: Caller) -> bool | None:
    """Say whether one condition holds for every call of the account: True, False, or None for "it depends"."""
    name = operator.removeprefix("ForAnyValue:").removesuffix("IfExists")
    if name in ("StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike"):
        wanted = True
    elif name in ("StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike"):
        wanted = False
    else:
        return None
    if any("${" in value for value in values):
        # A variable of IAM stands for something of the call.
        return None
    if name.endswith("IgnoreCase"):
        values = tuple(value.lower() for value in values)
    like = name.endswith("Like") or name == "ArnEquals"
    if key == "aws:principalaccount":
        if caller == ANYBODY and like and any(set(value) & {"*", "?"} for value in values):
            # Some of the accounts nobody names.
            return None
        return _among(caller.account_id, values, like) is wanted
    if key == "aws:principalorgid" and caller.organisation_id:
        return _among(caller.organisation_id, values, like) is wanted
    if key == "aws:principalarn" and wanted and values:
        # Another account's role is certainly not this one's; which role of this one calls cannot be said.
        others = [account_of(value) for value in values]
        return False if all(other and other != caller.account_id for other in others) else None
    return None


def _among(value: str, values: tuple[str, ...], like: bool) -> bool:
    """Whether a value, which has no capitals, is one of these; conditions mind the case, other than actions."""
    return any((matches(one, value) and one == one.lower()) if like else one == value for one in values)
