"""What was filled in so far, step by step, as people read it back before they register."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.text import Truncator

from registry.choices import DocumentKind, DraftStep

from .register_forms import TITLES, DraftForms

_ICONS = {
    DraftStep.PURPOSE: "target-arrow",
    DraftStep.PEOPLE: "users",
    DraftStep.DOCUMENTS: "clipboard-list",
}


def summary(forms: DraftForms, address: Callable[[str], str]) -> list[dict[str, Any]]:
    """Return the steps but the last with their values for `key_values`; the AI Act is shown by what follows from it."""
    return [
        {"key": step.value, "title": TITLES[step], "icon": _ICONS[step], "url": address(step), "items": items}
        for step, items in (
            (DraftStep.PURPOSE, _purpose(forms)),
            (DraftStep.PEOPLE, _people(forms)),
            (DraftStep.DOCUMENTS, _documents(forms)),
        )
    ]


def _values(forms: DraftForms, step: DraftStep) -> dict[str, Any]:
    form = forms.held(step)
    form.is_valid()
    return form.cleaned_data


def _purpose(forms: DraftForms) -> list[dict[str, Any]]:
    given = _values(forms, DraftStep.PURPOSE)
    project = given.get("project")
    return [
        {"label": "Name", "value": given.get("name"), "missing": "missing"},
        {"label": "Intended purpose", "value": given.get("intended_purpose"), "missing": "missing"},
        {"label": "Project", "value": project.name if project else None, "missing": "missing"},
    ]


def _people(forms: DraftForms) -> list[dict[str, Any]]:
    given = _values(forms, DraftStep.PEOPLE)
    groups = ", ".join(group.name for group in given.get("groups") or ())
    found: list[dict[str, Any]] = [
        {"label": "Description", "value": given.get("description"), "missing": "none yet"},
        {"label": "Business owner", "value": given.get("business_owner"), "missing": "not named"},
        {"label": "Model owner", "value": given.get("model_owner"), "kind": "person", "missing": "not named"},
        {"label": "Next review", "value": given.get("next_review_on"), "kind": "time", "missing": "not planned"},
        {"label": "Built from", "value": groups, "missing": "new models only"},
    ]
    for name, field in forms.held(DraftStep.PEOPLE).fields.items():
        if name.startswith("attributes."):
            missing = "missing" if field.required else "not given"
            found.append({"label": str(field.label), "value": given.get(name), "missing": missing})
    return found


def _documents(forms: DraftForms) -> list[dict[str, Any]]:
    given, fields = _values(forms, DraftStep.DOCUMENTS), forms.held(DraftStep.DOCUMENTS).fields
    return [
        {
            "label": str(fields[kind.value].label),
            "value": Truncator(given.get(kind.value) or "").chars(240),
            "missing": "not written yet",
        }
        for kind in DocumentKind
    ]
