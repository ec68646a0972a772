"""The console for ML admins: who may enter, what is only shown, and how saves reach the services.

The site is the portal's own. What third parties register for themselves goes to Django's default site, which has
no address here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from .actors import Actor
from .errors import DomainError
from .vocabulary import Role

# Django's own password form writes past the services; nothing here leads to the other two.
_LEFT_OUT = {"password_change", "password_change_done", "view_on_site", "autocomplete"}
_ASKED = "_console_permission"
_AUDIT_TRAIL = "admin:governance_auditevent_changelist"


def actor_of(request: HttpRequest) -> Actor:
    """Return the actor of the signed-in admin."""
    return cast("Actor", cast("Any", request.user).actor)


def audit_trail_of(table: str, key: object) -> str:
    """Return the address of the entries about one row of a table."""
    return f"{reverse(_AUDIT_TRAIL)}?{urlencode({'chain': f'{table}:{key}'})}"


def pretty(value: object) -> str:
    """Return a JSON value as indented, escaped text."""
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True, default=str))


class Console(admin.AdminSite):
    """The admin site of the portal. The role ML admin, held everywhere, opens it; no flag of Django's does."""

    site_title = "Model Governance Portal"
    site_header = "Admin console"
    index_title = "Administration"

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether this is an active person who is ML admin everywhere; found out once for a request.

        A page with the list of all tables asks hundreds of times.
        """
        user, known = request.user, getattr(request, _ASKED, None)
        if known is None or known[0] is not user:
            is_admin = user.is_authenticated and user.is_active and actor_of(request).holds_everywhere(Role.ML_ADMIN)
            known = (user, bool(is_admin))
            setattr(request, _ASKED, known)
        return bool(known[1])

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        """Send nobody in particular to the sign-in page; for everybody else without the role nothing is here."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if self.has_permission(request):
                return inner(request, *args, **kwargs)
            if request.user.is_authenticated:
                raise Http404
            return redirect_to_login(request.get_full_path(), reverse("sign_in"))

        return guarded

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Lead to the portal's one sign-in page; there is no second one with rules of its own."""
        return self.admin_view(lambda _: redirect("admin:index"))(request)

    def get_app_list(self, request: Any, app_label: str | None = None) -> list[Any]:
        """Return what the index lists, Django's groups under the name people have for them."""
        found = super().get_app_list(request, app_label)
        for app in found:
            if app["app_label"] == "auth":
                app["name"] = "Groups of people"
                for model in app["models"]:
                    model["name"] = "Groups of people"
        return found

    def get_urls(self) -> list[Any]:
        """Return the addresses of the console, without those that go around the services."""
        return [pattern for pattern in super().get_urls() if getattr(pattern, "name", None) not in _LEFT_OUT]


class _ByRole:
    """Rights that follow from entering the console; Django's permission tables are not asked."""

    admin_site: admin.AdminSite

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.admin_site.has_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.admin_site.has_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RecordInline(_ByRole, admin.TabularInline):
    """Rows shown under the one they belong to."""

    extra = 0
    can_delete = False
    show_change_link = True

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return tuple(self.fields or ())


class RecordAdmin(_ByRole, admin.ModelAdmin):
    """A table that is shown and searched and never written from here.

    `hidden` names fields that are neither shown nor filtered by; JSON and binary values are shown as text.
    """

    hidden: ClassVar[tuple[str, ...]] = ()
    actions = None
    list_per_page = 50
    show_full_result_count = False
    view_on_site = False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [shown_as(field) for field in _fields(self.model) if field.name not in self.hidden]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Return the rows, in a list without their documents."""
        rows = super().get_queryset(request)
        match = request.resolver_match
        if match is None or not str(match.url_name).endswith("_changelist"):
            return rows
        joined = self.get_list_select_related(request)
        related = joined if isinstance(joined, (list, tuple)) else ()
        return rows.defer(*_documents(self.model, ""), *(name for path in related for name in _along(self.model, path)))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Refuse to filter by what is hidden: a filter answers questions about it, too."""
        if lookup.split("__", 1)[0] in self.hidden:
            return False
        return super().lookup_allowed(lookup, value, cast("Any", request))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show the list. Nothing is done from it, so it takes no POST."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if any("\0" in text for texts in request.GET.lists() for text in texts[1]):
            return redirect(f"{request.path}?e=1")
        return super().changelist_view(request, extra_context)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        """Lead to the object's part of the audit trail: it is the history, there is no second one."""
        return redirect(audit_trail_of(self.opts.db_table, unquote(object_id)))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        original = context.get("original")
        if original is not None:
            context["object_links"] = [*self.object_links(original), ("Audit trail", self.audit_trail(original))]
        return super().render_change_form(request, context, *args, **kwargs)

    def object_links(self, row: Any) -> list[tuple[str, str]]:
        """Return the (label, address) pairs above the form of one row, besides its audit trail."""
        return []

    def audit_trail(self, row: Any) -> str:
        """Return the address of this row's entries in the audit trail."""
        return audit_trail_of(self.opts.db_table, row.pk)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        raise PermissionDenied

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Write nothing: whatever belongs to a row is saved by its service."""

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        raise PermissionDenied

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        raise PermissionDenied

    # The audit trail knows who did what, more exactly than Django's own log of the admin.
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return None


class ServiceForm(forms.ModelForm):
    """A form whose save is a service call; what the service refuses is shown at the fields it names.

    `aliases` maps a field of the service to the form's own where they differ.
    """

    refusal: ClassVar[DomainError | None] = None
    aliases: ClassVar[dict[str, str]] = {}

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # Django's own hook, unknown to the stubs
        if self.refusal is not None:
            add_refusal(self, self.refusal, self.aliases)


def add_refusal(form: forms.BaseForm, refusal: DomainError, aliases: dict[str, str] | None = None) -> None:
    """Put a service's refusal on the form: texts at the fields they are about, the rest above all of them."""
    for name, texts in refusal.errors.items():
        field = (aliases or {}).get(name, name)
        if field in form.fields:
            form.add_error(field, texts)
        else:
            form.add_error(None, [text if name == "__all__" else f"{name}: {text}" for text in texts])
    if not refusal.errors:
        form.add_error(None, refusal.detail)


class ServiceAdmin(RecordAdmin):
    """A table that ML admins write, through its services alone.

    A subclass gives `may_add`, `may_change`, `may_delete` and the calls that go with them: `create`, `edit`, `remove`.
    """

    may_add: ClassVar[bool] = False
    may_change: ClassVar[bool] = False
    may_delete: ClassVar[bool] = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_add and self.admin_site.has_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_change and self.admin_site.has_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_delete and self.admin_site.has_permission(request)

    def create(self, actor: Actor, form: Any) -> models.Model:
        """Call the service that makes what the form describes."""
        raise NotImplementedError

    def edit(self, actor: Actor, row: Any, form: Any) -> None:
        """Call the service that changes a row."""
        raise NotImplementedError

    def remove(self, actor: Actor, row: Any) -> None:
        """Call the service that takes a row away."""
        raise NotImplementedError

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        refusal = getattr(request, "console_refusal", None)
        return form if refusal is None else type(form.__name__, (form,), {"refusal": refusal})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show and save the form; what the service refused is shown in it and has changed nothing."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as refusal:
            # The transaction of the attempt is undone; the same form, now knowing the refusal, is not valid.
            cast("Any", request).console_refusal = refusal
            return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Hand the form to the service, with the signed-in admin as the actor."""
        if change:
            self.edit(actor_of(request), obj, form)
        else:
            obj.pk = self.create(actor_of(request), form).pk

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Hand the row to the service, with the signed-in admin as the actor."""
        self.remove(actor_of(request), obj)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        """Ask for confirmation and remove; a refusal is said on the row's page."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except DomainError as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", quote(unquote(object_id)))


class Given(admin.SimpleListFilter):
    """A filter that an address brings along: it is shown while it is on, to be taken off."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        value = request.GET.get(str(self.parameter_name))
        return [(value, value)] if value else []

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        value = self.value()
        return queryset.filter(**{str(self.parameter_name): value}) if value else queryset


def shown_as(field: models.Field[Any, Any]) -> str | Callable[[Any], object]:
    """Return how a field is shown in a form that cannot be edited: JSON indented, binary as hex, others by name."""
    if isinstance(field, models.JSONField):
        return _described(field, lambda row: None if (value := getattr(row, field.name)) is None else pretty(value))
    if isinstance(field, models.BinaryField):
        return _described(field, lambda row: None if (value := getattr(row, field.name)) is None else value.hex())
    return field.name


def _described(field: models.Field[Any, Any], show: Callable[[Any], object]) -> Callable[[Any], object]:
    shown = admin.display(description=str(field.verbose_name))(show)
    shown.__name__ = field.name
    return shown


def _fields(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    return [*model._meta.concrete_fields, *model._meta.many_to_many]


def _documents(model: type[models.Model], prefix: str) -> Iterator[str]:
    return (f"{prefix}{field.name}" for field in model._meta.concrete_fields if isinstance(field, models.JSONField))


def _along(model: type[models.Model], path: str) -> Iterator[str]:
    """Return the documents of the row that a path of select_related ends at, and of those on the way."""
    prefix = ""
    for step in path.split("__"):
        model = cast("type[models.Model]", model._meta.get_field(step).related_model)
        prefix += f"{step}__"
        yield from _documents(model, prefix)


console = Console(name="admin")
