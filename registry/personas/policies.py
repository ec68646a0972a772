"""Write the personas' IAM policies for one account: for its purposes, and the model groups it has to do with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..aws import personas
from ..choices import AccountPurpose, Persona

# What IAM takes in one managed policy, spaces not counted, and how many of them a role can have.
MOST_CHARACTERS = 6144
MOST_POLICIES = 10
# Accounts in which versions are registered; the others run stages.
_REGISTERING = frozenset({AccountPurpose.HUB, AccountPurpose.DEVELOPMENT})
# How many groups one of several policies speaks of, tried until each is short enough.
_BATCHES = (40, 20, 10, 5, 2, 1)

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """One account: the ARNs of the groups that are its own or shared with it, the names of its models' roles and the
    buckets of its artifacts."""

    account_id: str
    partition: str
    regions: tuple[str, ...]
    purposes: tuple[AccountPurpose, ...]
    group_arns: tuple[str, ...]
    execution_roles: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonaPolicy:
    """What a persona may do in an account: one policy, or several where one would be longer than IAM takes."""

    persona: Persona
    summary: str
    documents: tuple[Document, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_too_many(self) -> bool:
        """Whether these are more policies than a role can have."""
        return len(self.documents) > MOST_POLICIES

    @property
    def texts(self) -> tuple[str, ...]:
        """The documents as people read and paste them."""
        return tuple(json.dumps(document, indent=2) for document in self.documents)


def policies(place: Place) -> list[PersonaPolicy]:
    """Return the policies of the personas for an account."""
    return [_scientist(place), _engineer(place), _officer(place), _compute(place)]


def everywhere(partition: str = "aws") -> dict[Persona, list[Document]]:
    """Return the personas' policies at their widest: what a role is compared with, whatever groups it works on."""
    widest = Place(
        "*",
        partition,
        ("*",),
        tuple(AccountPurpose),
        (f"arn:{partition}:sagemaker:*:*:model-package-group/*",),
        ("model-*",),
        ("*",),
    )
    return {one.persona: list(one.documents) for one in policies(widest)}


def _scientist(place: Place) -> PersonaPolicy:
    registers = bool(_REGISTERING & set(place.purposes))
    if not registers:
        return _reads(
            place, Persona.DATA_SCIENTIST, [], "Nothing is registered in an account that only runs later stages."
        )
    if not place.group_arns:
        return _reads(place, Persona.DATA_SCIENTIST, [], "Versions can be registered once a model group is shared.")
    return PersonaPolicy(
        Persona.DATA_SCIENTIST,
        "Register versions and work on them in Development.",
        _documents(place, personas.registering),
    )


def _engineer(place: Place) -> PersonaPolicy:
    if set(place.purposes) <= {AccountPurpose.HUB}:
        return _reads(place, Persona.ML_ENGINEER, [], "No endpoints run in an account that only owns model groups.")
    on = _serving(place)
    roles = [f"arn:{place.partition}:iam::{place.account_id}:role/{name}" for name in place.execution_roles]
    more = [*personas.operating(on), *([personas.handing_over(roles)] if roles else [])]
    note = (
        "" if roles else "A model needs a role it runs as: name those roles, and this policy lets them be handed over."
    )
    return _reads(
        place, Persona.ML_ENGINEER, more, note, "Deploy what is approved and operate it; the registry is read only."
    )


def _officer(place: Place) -> PersonaPolicy:
    return _reads(
        place,
        Persona.GOVERNANCE_OFFICER,
        personas.watching(_serving(place)),
        summary="Read everything; decisions are made in the portal.",
    )


def _compute(place: Place) -> PersonaPolicy:
    """SageMaker's jobs and models: whatever a notebook runs as, whoever sits at it may do, so it leaves versions be."""
    found = personas.computing(place.partition, place.account_id, place.regions, place.buckets)
    note = "Its data and artifacts are missing: an ML admin names the account's artifact buckets on its page."
    return PersonaPolicy(
        Persona.COMPUTE,
        "Run jobs and models: their data, images, logs and metrics, and nothing of the registry.",
        (_document(found),),
        () if place.buckets else (note,),
    )


def _serving(place: Place) -> list[str]:
    return [
        f"arn:{place.partition}:sagemaker:{region}:{place.account_id}:{kind}/*"
        for region in place.regions
        for kind in personas.ENDPOINT_KINDS
    ]


def cloudformation(policy: PersonaPolicy, account_id: str) -> Document:
    """Return the template that makes a persona's policies in an account, one managed policy each."""
    named = "".join(word.capitalize() for word in policy.persona.value.split("_"))
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"{policy.persona.label} in {account_id}: {policy.summary}",
        "Resources": {
            f"{named}{number}": {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {"Description": policy.summary, "PolicyDocument": document},
            }
            for number, document in enumerate(policy.documents, start=1)
        },
        "Outputs": {
            f"{named}{number}Arn": {"Value": {"Ref": f"{named}{number}"}}
            for number in range(1, len(policy.documents) + 1)
        },
    }


def _reads(
    place: Place,
    persona: Persona,
    more: list[Document],
    note: str = "",
    summary: str = "Read what the account has to do with; change nothing.",
) -> PersonaPolicy:
    return PersonaPolicy(
        persona, summary, _documents(place, lambda _: [*more, personas.leaving_alone()]), (note,) if note else ()
    )


def _documents(place: Place, statements: Any) -> tuple[Document, ...]:
    """Return the policies that read the account's groups and allow `statements(on)`, each as short as IAM asks."""
    whole = _document([*personas.reading(_resources(place.group_arns)), *statements(_resources(place.group_arns))])
    if length(whole) <= MOST_CHARACTERS:
        return (whole,)
    # A refusal in one policy holds for all of a role; what is allowed is told batch by batch.
    for size in _BATCHES:
        first, *rest = [_resources(place.group_arns[at : at + size]) for at in range(0, len(place.group_arns), size)]
        found = [_document([*personas.reading(first), *statements(first)])]
        found += [
            _document([one for one in (*personas.reading(on), *statements(on)) if _is_about(one, on)]) for on in rest
        ]
        if all(length(one) <= MOST_CHARACTERS for one in found):
            break
    return tuple(found)


def _is_about(statement: Document, on: Sequence[str]) -> bool:
    return statement["Effect"] == "Allow" and statement["Resource"] == on


def _resources(group_arns: Iterable[str]) -> list[str]:
    """Return the ARNs of groups and of their versions, whose names SageMaker writes in lower case."""
    found: list[str] = []
    for arn in group_arns:
        head, _, name = arn.partition(":model-package-group/")
        found += [arn, f"{head}:model-package/{name.lower()}/*"]
    return found


def _document(statements: list[Document]) -> Document:
    return {"Version": "2012-10-17", "Statement": statements}


def length(document: Document) -> int:
    """Return how long IAM says a policy is: its characters without spaces."""
    return len("".join(json.dumps(document, separators=(",", ":")).split()))
