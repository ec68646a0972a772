"""An account's personas: the policies to give to people there, and what the roles found there may do beside them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.views.generic import View

from portal.core.errors import InvalidInput
from portal.core.permissions import Act, may_anywhere
from portal.core.views import ActionView, Page, SignedIn

from ..choices import Persona
from ..models import AwsAccount
from ..selectors import operations
from ..selectors import personas as selectors
from ..services import account_roles

_ROLES = "execution_roles"


class AccountPersonas(Page):
    template_name = "registry/personas.html"

    @cached_property
    def account(self) -> AwsAccount:
        return operations.account(self.actor, self.kwargs["account_id"])

    def breadcrumbs(self) -> list[dict[str, str]]:
        account = self.account
        return [
            {"label": "AWS accounts", "url": reverse("registry:account_list")},
            {"label": account.alias, "url": reverse("registry:account", args=[account.account_id])},
            {"label": "Personas", "url": ""},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        given, refusal = self.request.GET.get(_ROLES, ""), ""
        try:
            found = selectors.persona_policies(self.actor, self.account, given)
        except InvalidInput as problem:
            refusal = problem.errors[_ROLES][0]
            found = selectors.persona_policies(self.actor, self.account)
        roles = selectors.roles_of(self.actor, self.account)
        return super().get_context_data(
            account=self.account,
            policies=[self._shown(one, "" if refusal else given) for one in found],
            execution_roles=given,
            refusal=refusal,
            groups=selectors.groups_of(self.actor, self.account),
            roles=roles,
            read_at=max((one.role.read_at for one in roles), default=None),
            personas=[{"value": one.value, "label": one.label} for one in Persona],
            may_link=may_anywhere(self.actor, Act.MANAGE_ACCOUNTS),
            **kwargs,
        )

    def _shown(self, policy: Any, given: str) -> dict[str, Any]:
        query = f"?{urlencode({_ROLES: given})}" if given else ""
        base = [self.account.account_id, policy.persona.value]
        return {
            "policy": policy,
            "template_url": f"{reverse('registry:persona_file', args=[*base, 1])}?"
            + urlencode({**({_ROLES: given} if given else {}), "as": "cloudformation"}),
            "documents": [
                {
                    "document": document,
                    "label": f"Policy {number} of {len(policy.documents)}" if len(policy.documents) > 1 else "Policy",
                    "url": f"{reverse('registry:persona_file', args=[*base, number])}{query}",
                }
                for number, document in enumerate(policy.documents, start=1)
            ],
        }


class PersonaFile(SignedIn, View):
    """One policy as a file, or with `as=cloudformation` all of a persona's as one template."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        account = operations.account(self.actor, kwargs["account_id"])
        given = request.GET.get(_ROLES, "")
        if request.GET.get("as") == "cloudformation":
            name, text = selectors.persona_template(self.actor, account, kwargs["persona"], given)
        else:
            name, text = selectors.persona_document(self.actor, account, kwargs["persona"], kwargs["number"], given)
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(text, content_type="application/json", headers=headers)


class RoleLink(ActionView):
    """Say for which persona a role stands."""

    def carry_out(self) -> str:
        account_id = self.kwargs["account_id"]
        row = account_roles.link(
            actor=self.actor,
            account_id=account_id,
            role_id=self.kwargs["pk"],
            persona=self.request.POST.get("persona", ""),
        )
        if row.persona:
            self.say(f"{row.name} is compared with the persona {Persona(row.persona).label} from now on.")
        else:
            self.say(f"{row.name} is compared with the persona it most resembles from now on.")
        return f"{reverse('registry:account_personas', args=[account_id])}#roles"
