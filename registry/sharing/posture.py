"""Put together what every share and policy lets each account do with a group."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .documents import ANYBODY, Caller, Unreadable, accounts_named, grants
from .verbs import GUARDED, Verb, words

POLICY = "the group's resource policy"


@dataclass(frozen=True, slots=True)
class Way:
    """One way by which an account can do something: where it comes from, in plain words.

    `sure` is False for what depends on a condition the portal cannot judge; `pending` is True for what begins once an
    invitation is accepted. `share` is the ARN of the RAM share, "" for the resource policy. `reason` is what an ML
    admin gave for it.
    """

    account_id: str
    verb: Verb
    source: str
    sure: bool = True
    pending: bool = False
    to: str = ""
    share: str = ""
    reason: str = ""

    @property
    def note(self) -> str:
        """What limits it, in plain words; "" when nothing does."""
        found = []
        if not self.sure:
            found.append("perhaps: it depends on a condition")
        if self.pending:
            found.append("once the invitation is accepted")
        if self.to:
            found.append(f"only {self.to}")
        return ", ".join(found)


@dataclass(frozen=True, slots=True)
class AccountPosture:
    """What one account can do with a group, verb by verb; the account `*` is everybody."""

    account_id: str
    ways: dict[Verb, tuple[Way, ...]] = field(default_factory=dict)

    @property
    def verbs(self) -> frozenset[Verb]:
        return frozenset(self.ways)

    @property
    def is_guarded(self) -> bool:
        """Whether the account can approve or delete."""
        return bool(self.verbs & GUARDED)

    @property
    def words(self) -> str:
        """Return what the account may do: "see, register and perhaps deploy"."""
        sure = [verb for verb, ways in self.ways.items() if any(way.sure and not way.pending for way in ways)]
        rest = [verb for verb in self.ways if verb not in sure]
        if not rest:
            return f"may {words(sure)}"
        later = all(way.pending for verb in rest for way in self.ways[verb])
        may = f"may {words(rest)} once it accepts" if later else f"may perhaps {words(rest)}"
        return f"may {words(sure)}, and {may}" if sure else may


def posture(ways: Iterable[Way]) -> tuple[AccountPosture, ...]:
    """Return what each account named can do, by account id; everybody (`*`) comes first."""
    found: dict[str, dict[Verb, list[Way]]] = {}
    for way in ways:
        found.setdefault(way.account_id, {}).setdefault(way.verb, []).append(way)
    return tuple(
        AccountPosture(
            account_id,
            {
                verb: tuple(sorted(by_verb[verb], key=lambda way: (not way.sure, way.pending, way.source)))
                for verb in Verb
                if verb in by_verb
            },
        )
        for account_id, by_verb in sorted(found.items())
    )


def ways_by_policy(document: str, group_arn: str, owner_id: str, known: Iterable[Caller]) -> tuple[Way, ...]:
    """Return what a group's resource policy opens, to the accounts known, to those it names, and to everybody.

    A document that cannot be read counts as if it perhaps opened everything to everybody. The owner needs no policy.
    """
    if not document.strip():
        return ()
    try:
        open_to_all = grants(document, ANYBODY, group_arn)
        callers = {caller.account_id: caller for caller in known}
        for account_id in accounts_named(document):
            callers.setdefault(account_id, Caller(account_id))
        ways = [
            Way(caller.account_id, grant.verb, POLICY, sure=grant.sure, to=grant.to)
            for caller in callers.values()
            if caller.account_id != owner_id
            for grant in grants(document, caller, group_arn).values()
        ]
    except Unreadable as error:
        source = f"{POLICY}, which cannot be read. {error}"
        return tuple(Way(ANYBODY.account_id, verb, source, sure=False) for verb in Verb)
    ways += [Way(ANYBODY.account_id, grant.verb, POLICY, sure=grant.sure) for grant in open_to_all.values()]
    return tuple(ways)
