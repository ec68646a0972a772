"""Check the policy template of a custom RAM permission before AWS sees it."""

from __future__ import annotations

import json
import re
from typing import Any

from .verbs import ACTIONS

RESOURCE_TYPE = "sagemaker:ModelPackageGroup"
LONGEST_NAME = 36
LONGEST_TEMPLATE = 4096
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,36}")
_MEMBERS = frozenset({"Effect", "Action"})
# The owner's own: a permission of RAM hands over neither the group itself nor who else may use it.
_OWNERS = frozenset({"sagemaker:putmodelpackagegrouppolicy", "sagemaker:deletemodelpackagegrouppolicy"})
SHAREABLE: tuple[str, ...] = tuple(
    sorted({action for known in ACTIONS.values() for action in known if action.lower() not in _OWNERS})
)


class TemplateRefused(ValueError):
    """The template cannot be used; every word of `problems` says what to change."""

    def __init__(self, *problems: str) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


def check_name(name: str) -> str:
    """Return the name of a custom permission without blanks around it. Raises TemplateRefused."""
    found = name.strip()
    if not _NAME.fullmatch(found):
        raise TemplateRefused(
            f"A permission's name has 1 to {LONGEST_NAME} letters, digits, dots, hyphens or underscores."
        )
    return found


def check_template(template: Any) -> tuple[str, ...]:
    """Return the actions of a policy template, sorted, as SageMaker writes them.

    A template is one JSON object, or its text: {"Effect": "Allow", "Action": ["sagemaker:..."]}. It names single
    actions on model package groups; wildcards, conditions, principals and resources are refused. Raises
    TemplateRefused. Source: RAM CreatePermission.
    """
    problems: list[str] = []
    written = _parsed(template)
    for member in sorted(set(written) - _MEMBERS):
        problems.append(_WHY.get(member, f"{str(member)[:40]!r} does not belong into a permission of model groups."))
    if written.get("Effect") != "Allow":
        problems.append('"Effect" has to be "Allow": a permission of RAM only allows.')
    given = written.get("Action")
    actions: list[Any] = given if isinstance(given, list) else [given]
    if not actions or not all(isinstance(action, str) and action for action in actions):
        problems.append('"Action" has to list the actions, such as "sagemaker:DescribeModelPackage".')
        actions = []
    known = {action.lower(): action for action in SHAREABLE}
    found = set()
    for action in actions:
        name = known.get(action.lower())
        if name is not None:
            found.add(name)
        elif "*" in action or "?" in action:
            problems.append(f"{action[:80]!r} is a wildcard. Name the actions one by one, so that everybody sees them.")
        else:
            known_words = ", ".join(SHAREABLE)
            problems.append(f"{action[:80]!r} is no action on shared model groups; those are {known_words}.")
    if problems:
        raise TemplateRefused(*problems[:8])
    return tuple(sorted(found))


def template_text(actions: tuple[str, ...] | list[str]) -> str:
    """Return the policy template that allows these actions, the same text for the same actions."""
    return json.dumps({"Effect": "Allow", "Action": sorted(actions)})


_WHY = {
    "Resource": 'Leave "Resource" out: the share says which groups.',
    "NotResource": 'Leave "NotResource" out: the share says which groups.',
    "Principal": 'Leave "Principal" out: the share says which accounts.',
    "NotPrincipal": 'Leave "NotPrincipal" out: the share says which accounts.',
    "Condition": 'Leave "Condition" out: nobody could say from the share what an account may do.',
    "NotAction": 'Name what is allowed under "Action"; "NotAction" would allow all the rest.',
    "Statement": 'A template is the one statement itself: {"Effect": "Allow", "Action": [...]}.',
}


def _parsed(template: Any) -> dict[str, Any]:
    if isinstance(template, str):
        if len(template) > LONGEST_TEMPLATE:
            raise TemplateRefused(f"The template has more than {LONGEST_TEMPLATE} characters.")
        try:
            template = json.loads(template)
        except (ValueError, RecursionError):
            raise TemplateRefused('The template is not JSON. Write {"Effect": "Allow", "Action": [...]}.') from None
    if not isinstance(template, dict):
        raise TemplateRefused('The template has to be one JSON object: {"Effect": "Allow", "Action": [...]}.')
    return template
