"""MLflow tracking servers: registered, changed, tried and taken away by ML admins, and asked for everybody."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from portal.core import access, fetching, sealing, webhooks
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, StaleEdit, WrongState
from portal.core.operations import operation
from portal.core.permissions import Act, require

from ..choices import TrackingLogin
from ..models import Project, TrackingServer, TrackingServerProject, VersionRun
from ..tracking import limits, naming, server
from ..tracking.errors import AddressNotAllowed, AnswerUnreadable, ServerUnreachable, TrackingError
from ..tracking.server import Fetch

EDITABLE = ("name", "url", "login", "username", "is_enabled")
PURPOSE = "tracking-server"
SETTING = "PORTAL_TRACKING_ALLOWED_NETWORKS"
# For one question and its answer, from the first address to the last byte: people wait for some of them.
SECONDS = 10.0
_LONGEST_SECRET = 4096


def register(*, actor: Actor, projects: Collection[Project] = (), secret: str = "", **values: Any) -> TrackingServer:
    """Register a tracking server; `values` are fields of EDITABLE, without projects every project may use it.

    `secret` is the token or the password; it is stored encrypted and never shown. Raises Forbidden, InvalidInput naming
    the fields.
    """
    with operation(actor, "register a tracking server"):
        require(actor, Act.MANAGE_TRACKING)
        found = TrackingServer()
        _apply(found, values, secret)
        found.save()
        _set_projects(found, projects)
        return found


def edit(
    *,
    actor: Actor,
    server_id: int,
    revision: int,
    projects: Collection[Project] | None = None,
    secret: str | None = None,
    **values: Any,
) -> TrackingServer:
    """Change a tracking server from the revision it was read at; what is left out stays, the secret too.

    A secret stays with the address it was given for: another host asks for it anew. Raises NotFound, Forbidden,
    StaleEdit, InvalidInput naming the fields.
    """
    with operation(actor, "change a tracking server"):
        found = access.for_update(TrackingServer, actor, Act.MANAGE_TRACKING, pk=server_id)
        if found.revision != revision:
            raise StaleEdit("Somebody changed this tracking server since you read it. Read it again and repeat.")
        _apply(found, values, secret)
        found.revision += 1
        found.save()
        if projects is not None:
            _set_projects(found, projects)
        return found


def remove(*, actor: Actor, server_id: int, revision: int | None = None) -> None:
    """Take away a tracking server that no version's run was ever named on.

    Raises NotFound, Forbidden, StaleEdit, WrongState for one that runs were read from: it can be switched off.
    """
    with operation(actor, "remove a tracking server"):
        found = access.for_update(TrackingServer, actor, Act.MANAGE_TRACKING, pk=server_id)
        if revision is not None and found.revision != revision:
            raise StaleEdit("Somebody changed this tracking server since you read it. Read it again and repeat.")
        if VersionRun.objects.filter(server=found).exists():
            raise WrongState(
                f"Runs of versions were read from {found.name}, so it stays. Switch it off to ask it nothing more."
            )
        found.delete()


def try_out(*, actor: Actor, server_id: int) -> TrackingServer:
    """Ask a tracking server for its experiments and write down what came of it in `check_error`, "" when it answered.

    Raises NotFound, Forbidden. Source: MLflow, experiments/search.
    """
    found = access.get(TrackingServer, actor, pk=server_id)
    require(actor, Act.MANAGE_TRACKING)
    error = ""
    try:
        server.experiments(asking(found))
    except TrackingError as failure:
        error = str(failure)
    with operation(actor, "try a tracking server"):
        TrackingServer.objects.filter(pk=found.pk).update(checked_at=timezone.now(), check_error=error)
    return access.get(TrackingServer, actor, pk=server_id)


def asking(found: TrackingServer) -> Fetch:
    """Return how a tracking server is asked. Raises WrongState for one that is switched off, sealing.Unreadable."""
    if not found.is_enabled:
        raise WrongState(f"The tracking server {found.name} is switched off in the portal.")
    url, headers = found.url, _headers(found)

    def ask(
        path: str, *, query: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
    ) -> tuple[int, bytes]:
        try:
            answer = fetching.fetch(
                f"{url}{path}",
                setting=SETTING,
                query=query,
                body=body,
                headers=headers,
                seconds=SECONDS,
                largest=limits.LARGEST_ANSWER,
            )
        except fetching.AnswerTooLong as error:
            raise AnswerUnreadable(str(error)) from error
        except fetching.FetchFailed as error:
            raise (AddressNotAllowed if error.is_refused else ServerUnreachable)(str(error)) from error
        return answer.status, answer.body

    return ask


def encrypt_anew(*, actor: Actor) -> int:
    """Encrypt the servers' secrets with the newest encryption secret; returns how many.

    Raises Forbidden, sealing.Unreadable when no configured secret opens one of them: nothing is changed then.
    """
    with operation(actor, "encrypt the tracking servers' secrets anew"):
        require(actor, Act.MANAGE_KEYS)
        rows = list(TrackingServer.objects.exclude(secret="").select_for_update().order_by("pk"))
        for row in rows:
            row.secret = sealing.seal(sealing.unseal(row.secret, purpose=PURPOSE), purpose=PURPOSE)
            row.save(update_fields=["secret"])
        return len(rows)


def _headers(found: TrackingServer) -> dict[str, str]:
    if found.login == TrackingLogin.NONE:
        return {}
    secret = sealing.unseal(found.secret, purpose=PURPOSE)
    if found.login == TrackingLogin.TOKEN:
        return {"Authorization": f"Bearer {secret.decode()}"}
    pair = base64.b64encode(found.username.encode() + b":" + secret).decode("ascii")
    return {"Authorization": f"Basic {pair}"}


def _apply(found: TrackingServer, given: Mapping[str, Any], secret: str | None) -> None:
    """Put what was given on a server and check it. Raises InvalidInput naming the fields."""
    unknown = sorted(set(given) - set(EDITABLE))
    if unknown:
        raise InvalidInput("Unknown fields.", errors={name: ["A server has no such field."] for name in unknown})
    before = naming.host_of(found.url)
    for name, value in given.items():
        setattr(found, name, value.strip() if isinstance(value, str) else value)
    found.url = found.url.rstrip("/")
    errors = _problems(found)
    errors |= _settle_login(found, secret, moved=bool(before) and naming.host_of(found.url) != before)
    try:
        found.full_clean(exclude=["secret"], validate_constraints=False)
    except ValidationError as error:
        errors = {**error.message_dict, **errors}
    if errors:
        raise InvalidInput("Some fields need your attention.", errors=errors)


def _problems(found: TrackingServer) -> dict[str, list[str]]:
    if not found.url:
        return {"url": ["Give the address of the tracking server."]}
    if "?" in found.url or "#" in found.url or "@" in found.url:
        return {"url": ["Give the address alone, such as https://mlflow.example.com; no query, fragment or name."]}
    try:
        webhooks.check_url(found.url, setting=SETTING)
    except webhooks.AddressRefused as refusal:
        return {"url": [str(refusal)]}
    return {}


def _settle_login(found: TrackingServer, secret: str | None, *, moved: bool) -> dict[str, list[str]]:
    """Keep, replace or forget the secret, as the way to sign in asks for."""
    if found.login == TrackingLogin.NONE:
        found.secret = ""
        return (
            {"secret": ["A server without sign-in takes neither name nor secret."]} if secret or found.username else {}
        )
    errors: dict[str, list[str]] = {}
    if secret:
        if len(secret) > _LONGEST_SECRET or not secret.isascii() or not secret.isprintable():
            errors["secret"] = ["At most 4096 printable ASCII characters."]
        else:
            found.secret = sealing.seal(secret.encode(), purpose=PURPOSE)
    elif not found.secret:
        errors["secret"] = ["Give the token or the password."]
    elif moved:
        errors["secret"] = ["The address is another server's: give the token or the password for it."]
    if found.login == TrackingLogin.TOKEN and found.username:
        errors["username"] = ["A token goes without a name."]
    if found.login == TrackingLogin.BASIC and (not found.username or ":" in found.username):
        errors["username"] = ["Give the name to sign in with, without a colon."]
    return errors


def _set_projects(found: TrackingServer, projects: Collection[Project]) -> None:
    wanted = {project.pk for project in projects}
    links = TrackingServerProject.objects.filter(server=found)
    there = set(links.values_list("project_id", flat=True))
    links.exclude(project__in=wanted).delete()
    TrackingServerProject.objects.bulk_create(
        [TrackingServerProject(server=found, project_id=pk) for pk in sorted(wanted - there)]
    )
