"""The pages that people and groups of people share in the console: their roles, one given or taken at a time."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods

from portal.core.admin import ServiceAdmin, actor_of, add_refusal
from portal.core.errors import DomainError

from ..choices import Role
from ..models import Project
from ..selectors.people import HeldRole
from ..services import people


class RoleForm(forms.Form):
    """One role to be given or taken away."""

    verb = forms.ChoiceField(choices=[("grant", "Grant"), ("revoke", "Revoke")], widget=forms.HiddenInput)
    role = forms.ChoiceField(choices=Role.choices())
    project: forms.ModelChoiceField = forms.ModelChoiceField(
        queryset=None, required=False, empty_label="Everywhere", help_text="A role reaches one project or everywhere."
    )

    def __init__(self, *args: Any, held: list[HeldRole], noun: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.own = {(row.role, row.project) for row in held if not row.through}
        self.noun = noun
        project = self.fields["project"]
        assert isinstance(project, forms.ModelChoiceField)
        project.queryset = Project._default_manager.order_by("name")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not self.errors:
            holds = (Role(given["role"]), given["project"]) in self.own
            if given["verb"] == "grant" and holds:
                self.add_error("role", f"This {self.noun} already holds this role there.")
            if given["verb"] == "revoke" and not holds:
                self.add_error(None, f"This {self.noun} does not hold this role there: somebody was faster.")
        return given


def in_words(held: HeldRole) -> str:
    """Name a role with where it reaches and where it comes from."""
    through = f", through {held.through}" if held.through else ""
    return f"{held.role.label} ({held.project or 'everywhere'}{through})"


class HolderAdmin(ServiceAdmin):
    """Whatever holds roles: `noun` names it, `held` reads its roles."""

    noun: ClassVar[str]

    def held(self, holder: Any) -> list[HeldRole]:
        """Return every role of the holder."""
        raise NotImplementedError

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def roles_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show a holder's roles; give one or take one away."""
        holder = self.holder(request, object_id)
        held = self.held(holder)
        given = request.POST if request.method == "POST" else None
        form = RoleForm(given, held=held, noun=self.noun, initial={"verb": "grant"})
        if form.is_valid():
            role, project = Role(form.cleaned_data["role"]), form.cleaned_data["project"]
            granting = form.cleaned_data["verb"] == "grant"
            try:
                (people.grant if granting else people.revoke)(
                    actor=actor_of(request), role=role, to=holder, project=project
                )
            except DomainError as refusal:
                add_refusal(form, refusal)
            else:
                done = "is now" if granting else "is no longer"
                where = f"on {project}" if project else "everywhere"
                self.message_user(request, f"{holder} {done} {role.label} {where}.", messages.SUCCESS)
                # Who took his own role of ML admin away has nothing left to see here.
                return redirect("home" if self.is_himself(request, holder) and not granting else request.path)
        return self.holder_page(request, "roles", "Roles of", holder, form, held=held, noun=self.noun)

    def is_himself(self, request: HttpRequest, holder: Any) -> bool:
        """Whether what the holder loses may be the role by which the signed-in admin is here."""
        raise NotImplementedError

    def holder(self, request: HttpRequest, object_id: str) -> Any:
        """Return the row an address names; 404 without one."""
        found = self.get_object(request, object_id)
        if found is None:
            raise Http404
        return found

    def holder_page(
        self, request: HttpRequest, name: str, title: str, holder: Any, form: forms.Form, **more: Any
    ) -> HttpResponse:
        """Render a page of templates/admin/holder/ about one row."""
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "title": f"{title} {holder}",
            "opts": self.opts,
            "original": holder,
            "form": form,
            "trail": self.audit_trail(holder),
            **more,
        }
        return render(request, f"admin/holder/{name}.html", context)
