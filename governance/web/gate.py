"""The gate for people: the question as a form, the answer with every failed rule, and how to check it later."""

from __future__ import annotations

import shlex
from functools import cache
from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import RegexValidator
from django.urls import reverse

from portal.core.views import Page
from registry.selectors import operations as accounts

from ..lifecycle import MODEL_STAGES
from ..services import gate
from ..services.gate import GateAnswer


class GateForm(forms.Form):
    """The question."""

    model_package_arn = forms.CharField(
        label="Version",
        max_length=gate.LONGEST,
        help_text="The ARN of the model package; a version's page leads here with it filled in.",
    )
    stage = forms.ChoiceField(choices=[(stage.value, stage.label) for stage in MODEL_STAGES])
    account = forms.CharField(
        label="AWS account",
        validators=[RegexValidator(r"^[0-9]{12}\Z", "Give the twelve digits of an account.")],
        widget=forms.TextInput(attrs={"inputmode": "numeric", "list": "accounts", "autocomplete": "off"}),
        help_text="The twelve digits of the account it is to run in.",
    )


class GatePage(Page):
    template_name = "governance/gate.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        given = self.request.GET
        # A link from a version's page fills in what it knows; the question is asked once it is whole.
        is_asked = "account" in given
        form = GateForm(given) if is_asked else GateForm(initial=given.dict())
        context: dict[str, Any] = {"form": form, "accounts": list(accounts.accounts(self.actor))}
        if is_asked and form.is_valid():
            asked = form.cleaned_data
            answer = gate.ask(self.actor, asked["model_package_arn"], asked["stage"], asked["account"])
            context.update(answer=answer, checks=_checks(answer), commands=_commands(answer), script=_script())
        return super().get_context_data(**context, **kwargs)


def _checks(answer: GateAnswer) -> list[dict[str, str]]:
    return [
        {"state": "fail", "label": reason.code.replace("_", " ").capitalize(), "detail": reason.detail}
        for reason in answer.reasons
    ]


def _commands(answer: GateAnswer) -> str:
    """Return what to type to judge this answer later, wherever it was kept."""
    asked = shlex.join((answer.model_package_arn, answer.stage, answer.account))
    return (
        f"curl -sf {settings.PORTAL_PUBLIC_URL}{reverse('api-gate-keys')} > jwks.json\n"
        f"python verify_gate.py answer.jwt jwks.json {asked}"
    )


@cache
def _script() -> str:
    """Return the verify script of the documents; a portal installed without them shows none."""
    path = settings.BASE_DIR / "docs" / "examples" / "verify_gate.py"
    return path.read_text(encoding="utf-8") if path.is_file() else ""
