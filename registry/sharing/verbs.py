"""SageMaker's actions on model package groups in five plain verbs."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from portal.core.vocabulary import Word


class Verb(Word):
    """What another account can do with a model group, from the least to the most."""

    SEE = "see"
    REGISTER = "register"
    DEPLOY = "deploy"
    APPROVE = "approve"
    DELETE = "delete"


# One of the actions is enough for the verb. Who may set a group's policy can give himself everything.
ACTIONS: dict[Verb, tuple[str, ...]] = {
    Verb.SEE: (
        "sagemaker:BatchDescribeModelPackage",
        "sagemaker:DescribeModelPackage",
        "sagemaker:DescribeModelPackageGroup",
        "sagemaker:GetModelPackageGroupPolicy",
        "sagemaker:ListModelPackages",
    ),
    Verb.REGISTER: ("sagemaker:CreateModelPackage",),
    Verb.DEPLOY: ("sagemaker:CreateModel",),
    Verb.APPROVE: ("sagemaker:UpdateModelPackage", "sagemaker:PutModelPackageGroupPolicy"),
    Verb.DELETE: (
        "sagemaker:DeleteModelPackage",
        "sagemaker:DeleteModelPackageGroup",
        "sagemaker:DeleteModelPackageGroupPolicy",
        "sagemaker:PutModelPackageGroupPolicy",
    ),
}
# What a spoke must not be given without an ML admin's reason.
GUARDED = frozenset({Verb.APPROVE, Verb.DELETE})


def matches(glob: str, text: str) -> bool:
    """Whether a pattern of IAM (`*` any run, `?` one character, case ignored) matches a text, in quadratic time."""
    pattern, wanted = glob.lower(), text.lower()
    at = star = mark = 0
    last = -1
    while mark < len(wanted):
        if at < len(pattern) and pattern[at] == "*":
            last, star, at = at, mark, at + 1
        elif at < len(pattern) and pattern[at] in ("?", wanted[mark]):
            at, mark = at + 1, mark + 1
        elif last >= 0:
            # What the last star stands for is one character longer than it seemed.
            star += 1
            at, mark = last + 1, star
        else:
            return False
    return not pattern[at:].strip("*")


def covered(action: str, globs: Iterable[str]) -> bool:
    """Whether one of the patterns names the action."""
    return any(matches(glob, action) for glob in globs)


def verbs_of(actions: Collection[str]) -> frozenset[Verb]:
    """Return the verbs a list of allowed actions comes to; `sagemaker:*` and `*` are everything."""
    return frozenset(verb for verb, known in ACTIONS.items() if any(covered(action, actions) for action in known))


def words(verbs: Iterable[Verb]) -> str:
    """Say verbs in one breath: "see, register and deploy"; "nothing" for none."""
    found = set(verbs)
    said = [verb.value for verb in Verb if verb in found]
    return " and ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said) or "nothing"
