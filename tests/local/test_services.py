"""What is given by the environment is used, what is not is started, and demo data needs the local settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError

from portal.local.demo_users import DEMO_USERS
from portal.local.errors import LocalError
from portal.local.home import Home
from portal.local.ports import Ports, free_ports
from portal.local.prepare import load_demo
from portal.local.sandbox_process import aws_given
from portal.local.services import Services
from portal.local.up import Up, require_local_settings

PORTS = Ports.following(8000)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


def test_everything_is_started_when_nothing_is_given(home: Home) -> None:
    services = Services.chosen_by({}, home, PORTS)
    assert list(services.embedded) == ["PostgreSQL", "Valkey", "the sandbox AWS"]
    environment = services.environment({"PATH": "/bin", "AWS_DEFAULT_REGION": "eu-west-1"}, "portal.settings.local")
    assert environment["DATABASE_URL"].endswith("@127.0.0.1:8001/portal")
    assert environment["DATABASE_URL"].startswith("postgresql://portal:")
    portal = services.portal_environment(environment)
    assert portal["DATABASE_URL"].startswith("postgresql://portal_app:"), "web, worker and beat do not own the tables"
    assert {**portal, "DATABASE_URL": environment["DATABASE_URL"]} == environment
    assert environment["REDIS_URL"].endswith("@127.0.0.1:8002/0")
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:8003"
    assert environment["AWS_ACCESS_KEY_ID"] == "testing"
    assert environment["AWS_DEFAULT_REGION"] == "us-east-1"
    assert environment["PORTAL_HOME"] == str(home.path)
    assert environment["PORTAL_SECRET_KEY"] == home.secret("secret-key")
    assert environment["DJANGO_SETTINGS_MODULE"] == "portal.settings.local"
    assert environment["NO_PROXY"] == "127.0.0.1,localhost"


def test_what_is_given_is_used_and_not_started(home: Home) -> None:
    given = {
        "DATABASE_URL": "postgresql://me@db/portal",
        "REDIS_URL": "redis://cache/0",
        "AWS_PROFILE": "hub",
        "PORTAL_SECRET_KEY": "mine",
        "NO_PROXY": "example.org",
    }
    services = Services.chosen_by(given, home, PORTS)
    assert services.embedded == {}
    environment = services.environment(given, "portal.settings.local")
    assert {name: environment[name] for name in given if name != "NO_PROXY"} == {
        name: value for name, value in given.items() if name != "NO_PROXY"
    }
    assert services.portal_environment(environment) == environment
    assert environment["NO_PROXY"] == "example.org,127.0.0.1,localhost"
    assert "AWS_ENDPOINT_URL" not in environment


@pytest.mark.parametrize(
    "name",
    ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SAGEMAKER", "AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_ROLE_ARN"],
)
def test_an_endpoint_or_credentials_of_aws_replace_the_sandbox(name: str) -> None:
    assert aws_given({name: "x", "AWS_DEFAULT_REGION": "us-east-1"}) == name
    assert aws_given({name: "", "AWS_REGION": "us-east-1"}) is None


def test_a_database_that_was_given_and_does_not_answer_is_named_without_its_password(home: Home) -> None:
    given = {"DATABASE_URL": f"postgresql://me:pass-word@127.0.0.1:{free_ports(1)[0]}/portal"}
    with pytest.raises(LocalError, match="DATABASE_URL does not answer") as refusal:
        Services.chosen_by(given, home, PORTS).require_given(given)
    assert "pass-word" not in str(refusal.value)


def test_a_broker_that_was_given_and_does_not_answer_is_named(home: Home) -> None:
    given = {"REDIS_URL": f"redis://:pass-word@127.0.0.1:{free_ports(1)[0]}/0"}
    with pytest.raises(LocalError, match="REDIS_URL does not answer") as refusal:
        Services.chosen_by(given, home, PORTS).require_given(given)
    assert "pass-word" not in str(refusal.value)


@pytest.mark.parametrize("settings", ["portal.settings.production", "portal.settings.test", "mine"])
def test_make_up_refuses_other_settings_before_it_starts_anything(settings: str, tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=f"{settings}.*demo passwords"):
        Up({"DJANGO_SETTINGS_MODULE": settings, "PORTAL_HOME": str(tmp_path / "home")})
    assert not (tmp_path / "home").exists()
    require_local_settings({})
    require_local_settings({"DJANGO_SETTINGS_MODULE": "portal.settings.local"})


def test_demo_data_is_refused_where_the_settings_do_not_allow_it(tmp_path: Path, settings: object) -> None:
    settings.PORTAL_ALLOW_DEMO = False  # type: ignore[attr-defined]
    with pytest.raises(CommandError, match="local settings"):
        load_demo(tmp_path, sandbox=True)


def test_the_demo_people_cover_every_role() -> None:
    assert {user.role for user in DEMO_USERS} == {
        "data_scientist",
        "model_owner",
        "ml_engineer",
        "governance_officer",
        "ml_admin",
        "auditor",
    }
    assert len({user.username for user in DEMO_USERS}) == len(DEMO_USERS) == 7
