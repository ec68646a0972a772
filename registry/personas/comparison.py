"""Compare what a role may do with what a persona may, in plain verbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..aws.personas import APPROVAL, READS, STAGE
from ..choices import Persona
from .permissions import Reach, Statement, reach, within

_VERSIONS = "arn:*:sagemaker:*:*:model-package/*"
_GROUPS = "arn:*:sagemaker:*:*:model-package-group/*"


@dataclass(frozen=True, slots=True)
class Capability:
    """Something a role may do around the registry, in the words of a sentence that begins "It may".

    `is_guarded`: it leads around the portal's decisions, so that one of its actions is enough to be told; of other
    capabilities all actions are needed. `said` is what a request for it says.
    """

    words: str
    actions: tuple[str, ...]
    on: str = "*"
    said: tuple[tuple[str, str], ...] = ()
    is_guarded: bool = False


CAPABILITIES: tuple[Capability, ...] = (
    Capability(
        "approve or reject versions",
        ("sagemaker:UpdateModelPackage", "sagemaker:CreateModelPackage"),
        _VERSIONS,
        ((APPROVAL, "Approved"),),
        is_guarded=True,
    ),
    Capability(
        "move versions beyond Development",
        ("sagemaker:UpdateModelPackage", "sagemaker:CreateModelPackage"),
        _VERSIONS,
        ((STAGE, "Production"),),
        is_guarded=True,
    ),
    Capability("delete versions", ("sagemaker:DeleteModelPackage",), _VERSIONS, is_guarded=True),
    Capability("delete model groups", ("sagemaker:DeleteModelPackageGroup",), _GROUPS, is_guarded=True),
    Capability(
        "share model groups with other accounts",
        (
            "ram:AssociateResourceShare",
            "ram:CreateResourceShare",
            "ram:UpdateResourceShare",
            "sagemaker:PutModelPackageGroupPolicy",
        ),
        is_guarded=True,
    ),
    Capability(
        "change the policies of model groups",
        ("sagemaker:DeleteModelPackageGroupPolicy", "sagemaker:PutModelPackageGroupPolicy"),
        _GROUPS,
        is_guarded=True,
    ),
    Capability(
        "change the policies of roles",
        (
            "iam:AttachRolePolicy",
            "iam:CreatePolicyVersion",
            "iam:DeleteRolePolicy",
            "iam:DetachRolePolicy",
            "iam:PutRolePolicy",
            "iam:SetDefaultPolicyVersion",
            "iam:UpdateAssumeRolePolicy",
        ),
        is_guarded=True,
    ),
    Capability("hand a role of the account to a machine it starts", ("iam:PassRole",), is_guarded=True),
    Capability("read the registry", READS),
    Capability(
        "register versions", ("sagemaker:CreateModelPackage",), _VERSIONS, ((APPROVAL, "PendingManualApproval"),)
    ),
    Capability(
        "work on versions in Development", ("sagemaker:UpdateModelPackage",), _VERSIONS, ((STAGE, "Development"),)
    ),
    Capability("see what runs", ("sagemaker:DescribeEndpoint", "sagemaker:ListEndpoints")),
    Capability(
        "create and change endpoints",
        (
            "sagemaker:CreateEndpoint",
            "sagemaker:CreateEndpointConfig",
            "sagemaker:CreateModel",
            "sagemaker:UpdateEndpoint",
        ),
    ),
    Capability("delete endpoints", ("sagemaker:DeleteEndpoint",)),
)
_REACHES = dict[Capability, Reach]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a role may do beyond a persona and what it lacks of it, each a sentence; and the persona.

    `persona` is the one the role is held to: the linked one, else the one it most resembles; None when it may do
    nothing of what a persona is about.
    """

    persona: Persona | None
    is_linked: bool
    beyond: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    goes_around: bool = False


def compared(
    role: Sequence[Statement],
    personas: Mapping[Persona, Sequence[Statement]],
    linked: Persona | None = None,
    *,
    boundary: Sequence[Statement] | None = None,
    is_compute: bool = False,
) -> Comparison:
    """Compare what a role's statements and its boundary allow with its persona, or with the one it most resembles.

    A role that only SageMaker takes (`is_compute`) is held to what jobs and models run as unless it is linked.

    The nearest is the one with which it shares most of what people work with; of equals the one it goes beyond least.
    """
    own = _reaches(role, boundary)
    of_personas = {persona: _reaches(found) for persona, found in personas.items()}
    held = linked or (Persona.COMPUTE if is_compute else _nearest(own, of_personas))
    if held is None:
        return Comparison(None, is_linked=False)
    theirs = of_personas[held]
    over = [one for one in CAPABILITIES if own[one] > theirs[one]]
    short = [one for one in CAPABILITIES if own[one] < theirs[one] and not one.is_guarded]
    return Comparison(
        held,
        is_linked=linked is not None,
        beyond=tuple(_may(one, own[one]) for one in over),
        lacks=tuple(_may_not(one, own[one]) for one in short),
        goes_around=any(one.is_guarded for one in over),
    )


def _reaches(found: Sequence[Statement], boundary: Sequence[Statement] | None = None) -> _REACHES:
    reaches = {}
    for one in CAPABILITIES:
        said = dict(one.said)
        each = [within(boundary, reach(found, action, one.on, said), action, one.on, said) for action in one.actions]
        reaches[one] = max(each) if one.is_guarded else min(each)
    return reaches


def _nearest(own: _REACHES, personas: Mapping[Persona, _REACHES]) -> Persona | None:
    if not any(own.values()):
        return None

    def nearness(persona: Persona) -> tuple[int, int]:
        theirs = personas[persona]
        alike = sum(bool(own[one]) == bool(theirs[one]) for one in CAPABILITIES if not one.is_guarded)
        return alike, -sum(own[one] > theirs[one] for one in CAPABILITIES)

    return max((persona for persona in personas if persona is not Persona.COMPUTE), key=nearness)


def _may(one: Capability, how: Reach) -> str:
    return f"It may {one.words}{', in part or under conditions' if how is Reach.IN_PART else ''}."


def _may_not(one: Capability, how: Reach) -> str:
    return f"It may {one.words} only in part or under conditions." if how else f"It may not {one.words}."
