"""The first ML admin comes from the command line; everybody else from him."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from governance.models import AuditEvent
from portal.core.vocabulary import Role
from registry.models import User

pytestmark = pytest.mark.django_db


def test_the_first_admin_can_sign_in_and_is_audited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_ADMIN_PASSWORD", "correct horse battery")
    call_command("create_admin", "first.admin", email="first.admin@example.com")
    user = User.objects.get(username="first.admin")
    assert user.check_password("correct horse battery")
    assert user.actor.grants.everywhere == {Role.ML_ADMIN}
    assert not user.is_superuser
    trail = AuditEvent.objects.filter(table="registry_user", object_id=str(user.pk))
    assert {event.actor for event in trail} == {"system:command line"}


def test_a_taken_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_ADMIN_PASSWORD", "correct horse battery")
    call_command("create_admin", "first.admin")
    with pytest.raises(CommandError, match="already exists"):
        call_command("create_admin", "first.admin")


def test_a_weak_password_is_refused(monkeypatch: pytest.MonkeyPatch, settings) -> None:
    settings.AUTH_PASSWORD_VALIDATORS = [
        {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}}
    ]
    monkeypatch.setenv("PORTAL_ADMIN_PASSWORD", "short")
    with pytest.raises(CommandError, match="at least 12 characters"):
        call_command("create_admin", "first.admin")
    assert not User.objects.filter(username="first.admin").exists()
