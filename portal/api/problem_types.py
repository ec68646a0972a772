"""Every type of problem the API answers with, as docs/api-problems.md lists them.

    python -m portal.api.problem_types [--check]

writes the document anew, or says that it is not what the code says.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import django

from portal.core.errors import DomainError

PROJECT = Path(__file__).parents[2]
DOCUMENT = PROJECT / "docs" / "api-problems.md"
TYPE = "urn:model-governance:problem:"
# Errors of these packages are of their own surfaces, or of what is no part of a running portal.
_ELSEWHERE = ("portal.local", ".migrations", ".management", ".web", ".admin")
_GUARD = re.compile(r"RAISE EXCEPTION\s+'((?:[^']|'')*)'(?:(?!RAISE).)*?CONSTRAINT = '(\w+)'", re.DOTALL)

# What to do about a refusal of a status; its `detail` says more, and `errors` names the fields.
ADVICE = {
    400: "Correct what `errors` names and send it again.",
    401: "Send `Authorization: Token <token>` with a token that still holds.",
    403: "Ask somebody who may; the detail names the roles.",
    404: "Look at the address; what you may not see is answered like what is not there.",
    405: "Use one of the methods that `Allow` names.",
    406: "Ask for `application/json`; lists also for `text/csv`.",
    409: "Read it again: the detail says what stands in the way, or who was faster.",
    412: "Read it again, look at what changed, and repeat the edit with the new ETag.",
    413: "Send less at once.",
    415: "Send `application/json`, and files as `multipart/form-data`.",
    422: "Send a fresh key with a new request.",
    428: "Read it, and send its ETag as `If-Match`.",
    429: "Wait as many seconds as `Retry-After` says.",
    500: "Tell whoever runs the portal, with the id that the detail quotes.",
    503: "Try again after the seconds in `Retry-After`.",
}
# What to do about one type, where that is more than its status says.
ADVICE_FOR = {
    "already-decided": "Nothing: your word is kept. The request says what it still waits for.",
    "already-open": "Decide on the open request, or have it withdrawn.",
    "anchor-conflict": "Have whoever runs the portal compare the storage with the database before anything else.",
    "evidence-altered": "Attach the right file as its next edition, and tell whoever runs the store.",
    "evidence-lost": "Attach the file as its next edition, and tell whoever runs the store.",
    "idempotency-in-progress": "Repeat after the seconds in `Retry-After`: you are told what the first one did.",
    "idempotency-key-unusable": "Send 1 to 255 printable ASCII characters, such as a UUID.",
    "not-in-bulk": "Open this request and decide on it alone.",
    "not-proposed": "Read the classification again: it was decided on, or another one waits.",
    "own-use-case": "Ask another governance officer.",
    "pack-altered": "Have the pack built again, and tell whoever runs the store.",
    "pack-lost": "Have the pack built again.",
    "pack-too-large": "Ask for less in one pack: fewer use cases, or a shorter time.",
    "policy-overtaken": "Make a draft of the policy in force, and change that one.",
    "policy-published": "Make a draft of it, and change that one.",
    "read-only-token": "Use a token that may change something.",
    "request-closed": "Read the request: it was decided on or withdrawn. Submit again what still waits.",
    "requirements-unmet": "Read `requirements/` of the subject, bring in what is missing, and repeat.",
    "sealed-with-another-secret": "Have whoever runs the portal put the former secret back behind the present one.",
    "self-approval": "Ask somebody else who may decide.",
    "stale-request": "Look at `difference/` of the request, and submit the subject again.",
    "too-many-tokens": "Revoke a token that is no longer used.",
    "too-many-views": "Delete a view that is no longer used.",
    "worker-lost": "Nothing: the pack goes on being built.",
}
_INTRODUCTION = """# Problems

Every refusal of the API is `application/problem+json` (RFC 9457): `type` is `{type}` and the code below, `title` says
the same in words, `status` repeats the status, `detail` says what was refused and what to do now, and `errors` names
fields or query parameters. `code` is the last part of `type`. Programs go by `type`: it keeps its meaning, while titles
and details are words for people.

Written by `python -m portal.api.problem_types`.

## By what is refused

{named}
## By the guards of the database

What no service let through is refused by a trigger of the database as well. Who meets one of these has found a fault
of the portal, or was overtaken between two looks: all are 409, "The database refused this", with the trigger's own
words as `detail`. Nothing was changed. Read it again, repeat, and report it when it stays.

{guards}"""


@dataclass(frozen=True, order=True)
class ProblemType:
    """One type: its code, its status, its title, and when it is answered."""

    code: str
    status: int
    title: str
    when: str


def named() -> list[ProblemType]:
    """Return the types of the portal's own errors and of the framework's, by code; who names a code first says when."""
    from .problem import known_problems  # noqa: PLC0415 - only once Django is set up

    _load()
    found: dict[str, ProblemType] = {}
    for kind in sorted(_below(DomainError), key=lambda kind: (len(kind.__mro__), kind.__module__, kind.__name__)):
        if "code" in vars(kind) and not any(part in f"{kind.__module__}." for part in _ELSEWHERE):
            when = " ".join((kind.__doc__ or "").partition("\n\n")[0].split())
            found.setdefault(kind.code, ProblemType(kind.code, kind.status, kind.title, when))
    for one in known_problems():
        found.setdefault(one.code, ProblemType(one.code, one.status, one.title, one.detail or f"{one.title}."))
    return sorted(found.values())


def guards() -> list[tuple[str, list[str]]]:
    """Return the codes of the database's guards, each with the words its triggers say, as the migrations have them."""
    found: dict[str, list[str]] = {}
    for folder in ("registry", "governance"):
        for source in sorted((PROJECT / folder / "migrations").glob("*.py")):
            for words, constraint in _GUARD.findall(source.read_text()):
                said = " ".join(words.replace("''", "'").replace("%", "…").split())
                texts = found.setdefault(constraint.replace("_", "-"), [])
                if said not in texts:
                    texts.append(said)
    return sorted(found.items())


def document() -> str:
    """Return the document as it is to be."""
    rows = [f"| `{one.code}` | {one.status} | {one.title} | {_cell(one.when)} | {_advice(one)} |\n" for one in named()]
    refused = [f"| `{code}` | {_cell('; '.join(words))} |\n" for code, words in guards()]
    return _INTRODUCTION.format(
        type=TYPE,
        named=f"| code | status | title | when | what to do |\n|---|---|---|---|---|\n{''.join(rows)}",
        guards=f"| code | what it says |\n|---|---|\n{''.join(refused)}",
    )


def _advice(one: ProblemType) -> str:
    return ADVICE_FOR.get(one.code) or ADVICE[one.status]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _below(kind: type[DomainError]) -> set[type[DomainError]]:
    return {inner for each in kind.__subclasses__() for inner in {each, *_below(each)}}


def _load() -> None:
    """Import what the portal serves and what its workers do: a class is known once its module is."""
    from governance import tasks  # noqa: F401, PLC0415 - only once Django is set up

    from . import urls  # noqa: F401, PLC0415 - likewise


def main(arguments: list[str]) -> int:
    """Write the document, or with --check say whether it is up to date; returns the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.local")
    django.setup()
    wanted = document()
    if "--check" not in arguments:
        DOCUMENT.write_text(wanted)
    elif DOCUMENT.read_text() != wanted:
        sys.stderr.write("docs/api-problems.md is not what the code says. Run python -m portal.api.problem_types.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
