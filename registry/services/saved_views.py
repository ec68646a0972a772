"""Saved views of lists: kept by whoever saved them, offered to a project or to everybody by those who may.

A view is an address, not a permission: what it shows is decided anew for whoever opens it.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import parse_qsl, urlencode

from django.db.models import QuerySet

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import Forbidden, InvalidInput, StaleEdit, WrongState
from portal.core.operations import operation
from portal.core.permissions import Act, require

from ..choices import ViewAudience
from ..models import Project, SavedView, User, UsualView
from ..models.saved_view import LONGEST_NAME, LONGEST_QUERY

# Of one person and one list: more would not be found again in a menu.
MOST_VIEWS = 30
_MOST_PARAMETERS = 100


class TooManyViews(WrongState):
    """A person keeps a bounded number of views of a list."""

    code = "too-many-views"
    title = "Too many views"


def save(*, actor: Actor, list_key: str, name: str, query: str, known: Collection[str]) -> SavedView:
    """Keep a list as its address has it under a name; the same once more returns what is kept already.

    `known` are the parameters the list has; anything else in `query` is refused. Raises Forbidden for the system,
    InvalidInput for a name that is taken, TooManyViews.
    """
    name, query = _name(name), cleaned(query, known)
    with operation(actor, "save view"):
        person = _locked(actor)
        mine = SavedView.objects.filter(owner=person, list_key=list_key)
        if (same := _called(mine, name)) is not None:
            if same.query == query:
                return same
            raise _taken(same)
        if mine.count() >= MOST_VIEWS:
            raise TooManyViews(f"You keep {MOST_VIEWS} views of this list. Delete one that is no longer used.")
        return SavedView.objects.create(owner=person, list_key=list_key, name=name, query=query)


def update(*, actor: Actor, view_id: int, revision: int, query: str, known: Collection[str]) -> SavedView:
    """Have one's own view show what its list shows now. Raises NotFound, Forbidden, InvalidInput, StaleEdit.

    What is offered to others is changed by who may still offer it to them.
    """
    query = cleaned(query, known)
    with operation(actor, "change view"):
        view = _own(actor, view_id, revision)
        _require_offering(actor, ViewAudience(view.audience), view.project_id)
        view.query = query
        return _kept(view)


def edit(
    *, actor: Actor, view_id: int, revision: int, name: str, audience: ViewAudience, project_id: int | None = None
) -> SavedView:
    """Rename one's own view and say who else may apply it.

    Offering it to a project needs any role there, to everybody the right to `Act.OFFER_VIEW`. Raises NotFound,
    Forbidden, InvalidInput, StaleEdit.
    """
    name = _name(name)
    with operation(actor, "change view"):
        view = _own(actor, view_id, revision)
        same = _called(
            SavedView.objects.filter(owner_id=view.owner_id, list_key=view.list_key).exclude(pk=view.pk), name
        )
        if same is not None:
            raise _taken(same)
        project = _project(actor, project_id) if audience is ViewAudience.PROJECT else None
        _require_offering(actor, audience, None)
        view.name, view.audience, view.project = name, audience.value, project
        _kept(view)
        _forget_where_unseen(view)
        return view


def delete(*, actor: Actor, view_id: int, revision: int | None = None) -> SavedView:
    """Delete one's own view, also for those it was shared with. Raises NotFound, Forbidden, StaleEdit."""
    with operation(actor, "delete view"):
        view = _own(actor, view_id, revision)
        kept = view.pk
        view.delete()
        view.pk = kept
        return view


def open_with(*, actor: Actor, list_key: str, view_id: int | None) -> SavedView | None:
    """Have a list open with a view that one may apply, or, without one, with everything. Raises NotFound."""
    with operation(actor, "choose usual view"):
        person = _locked(actor)
        if view_id is None:
            UsualView.objects.filter(person=person, list_key=list_key).delete()
            return None
        view = access.get(SavedView, actor, pk=view_id, list_key=list_key)
        UsualView.objects.update_or_create(person=person, list_key=list_key, defaults={"view": view})
        return view


def cleaned(query: str, known: Collection[str]) -> str:
    """Return a query with what is empty left out. Raises InvalidInput for what a list does not know or cannot keep."""
    try:
        pairs = parse_qsl(query, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        raise InvalidInput("This is too much for a view.", errors={"query": ["Set fewer filters."]}) from None
    unknown = sorted({name for name, _ in pairs if name not in known})
    if unknown:
        shown = ", ".join(name[:40] for name in unknown[:5])
        raise InvalidInput("A view keeps what its list knows.", errors={"query": [f"This list has no {shown}."]})
    if any("\x00" in value for _, value in pairs):
        raise InvalidInput("This cannot be kept.", errors={"query": ["Null characters are not allowed."]})
    written = urlencode(pairs, safe=",")
    if len(written) > LONGEST_QUERY:
        raise InvalidInput("This is too much for a view.", errors={"query": ["Set fewer or shorter filters."]})
    return written


def _name(name: str) -> str:
    words = " ".join(name.split())
    if not words or len(words) > LONGEST_NAME or "\x00" in words:
        raise InvalidInput(
            "A view needs a name.", errors={"name": [f"Give a name of at most {LONGEST_NAME} characters."]}
        )
    return words


def _taken(view: SavedView) -> InvalidInput:
    return InvalidInput(
        f"You already keep a view of this list called {view.name}.",
        errors={"name": [f"You already keep a view called {view.name}. Choose another name."]},
    )


def _called(views: QuerySet[SavedView], name: str) -> SavedView | None:
    return views.filter(name__iexact=name).first()


def _locked(actor: Actor) -> User:
    """Return the person, locked: his views are counted and named one after another."""
    if actor.user_id is None:
        raise Forbidden("Only a person keeps views.")
    return User.objects.select_for_update(no_key=True).get(pk=actor.user_id)


def _own(actor: Actor, view_id: int, revision: int | None = None) -> SavedView:
    _locked(actor)
    view = access.get(SavedView, actor, pk=view_id)
    if view.owner_id != actor.user_id:
        raise Forbidden("Only who saved a view changes it. Apply it, and save it under a name of your own.")
    view = SavedView.objects.select_for_update(no_key=True).get(pk=view.pk)
    if revision is not None and view.revision != revision:
        raise StaleEdit("You changed this view in another window. Open it again.")
    return view


def _kept(view: SavedView) -> SavedView:
    view.revision += 1
    view.save()
    return view


def _project(actor: Actor, project_id: int | None) -> Project:
    found = None if project_id is None else Project.objects.visible_to(actor).filter(pk=project_id).first()
    if found is None or not actor.roles_on(found.pk):
        raise InvalidInput(
            "Choose a project of yours.", errors={"project": ["Choose a project on which you have a role."]}
        )
    return found


def _require_offering(actor: Actor, audience: ViewAudience, project_id: int | None) -> None:
    """Whoever lost his role keeps his views, and no longer says what stands above the lists of others."""
    if audience is ViewAudience.EVERYBODY:
        require(actor, Act.OFFER_VIEW)
    elif audience is ViewAudience.PROJECT and project_id is not None and not actor.roles_on(project_id):
        raise Forbidden("You have no role on the project this view is offered to. Offer it to nobody but you first.")


def _forget_where_unseen(view: SavedView) -> None:
    """A list does not go on opening with a view that is no longer shared."""
    if view.audience == ViewAudience.OWNER.value:
        UsualView.objects.filter(view=view).exclude(person_id=view.owner_id).delete()
