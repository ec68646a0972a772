"""What every address of the REST API stands on: an actor, a selector, named refusals.

A viewset parses input, calls one service and shows the row again. It decides nothing: lists start at a selector
that starts at `visible_to`, what is missing and what is hidden are the same 404, and services refuse the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, ClassVar, Protocol

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers, status
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from .actors import Actor
from .conditional import PreconditionRequired, agreed, agreed_mark, conditional, revision_tag
from .csv_export import CsvRenderer, plain, streamed
from .errors import InvalidInput, NotFound
from .filters import CURSOR, PAGE_SIZE, refuse_unknown_parameters
from .serializers import public_number, read_by
from .sparse import narrowed

__all__ = [
    "ROW_ID",
    "ByPublicId",
    "Detailed",
    "Listed",
    "Marked",
    "PortalView",
    "PreconditionRequired",
    "Resource",
    "Revised",
]

# A row's own number, no longer than the database can hold.
ROW_ID = r"[0-9]{1,18}"
IDEMPOTENCY_KEY = "Idempotency-Key"
# Rows of a file are read from the database so many at a time.
_CHUNK = 500


Handler = Callable[..., HttpResponseBase]


class Keeper(Protocol):
    """Makes of a view's handler of POST one that does its work once for each Idempotency-Key."""

    def __call__(self, view: PortalView, handler: Handler, /) -> Handler: ...


class PortalView(APIView):
    """One address: knows its actor, and refuses query parameters it does not know."""

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    # Query parameters besides a list's own, and refusals besides those its method and address imply.
    query_parameters: tuple[str, ...] = ()
    problem_statuses: tuple[int, ...] = ()
    # Whether a POST minds an Idempotency-Key; not where nobody is known yet whose key it could be.
    takes_keys: ClassVar[bool] = True
    # Whether such a POST is answered again to the very token it came with alone, because the answer is worth one.
    answers_its_token_alone: ClassVar[bool] = False
    # What does such a POST once; the API puts it in where its addresses are composed.
    keeper: ClassVar[Keeper | None] = None
    # What the schema says of query parameters that no filter set declares.
    described_parameters: tuple[OpenApiParameter, ...] = ()

    @property
    def actor(self) -> Actor:
        """The one who asks; the system's own while only the schema is being written."""
        if getattr(self, "swagger_fake_view", False):
            return Actor.system("schema")
        actor: Actor = self.request.user.actor  # type: ignore[union-attr]  # never anonymous here
        return actor

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        refuse_unknown_parameters(self, request)
        if request.method == "POST" and self.takes_keys and IDEMPOTENCY_KEY in request.headers:
            assert self.keeper is not None, "portal.api.urls puts it in"
            vars(self)["post"] = self.keeper(self, getattr(self, "post", self.http_method_not_allowed))

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, and render the answer here: what goes wrong in rendering is refused like everything else."""
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        if isinstance(answer, Response) and not answer.is_rendered:
            try:
                answer.render()
            except Exception as error:  # noqa: BLE001 - the handler names it, or logs it as a fault
                answer = self.finalize_response(self.request, self.handle_exception(error), *args, **kwargs)
        if isinstance(answer, HttpResponse) and answer.has_header("ETag") and answer.status_code < 300:
            answer = conditional(self.request, answer)
        self._let_go(answer)
        return answer

    def _let_go(self, answer: HttpResponseBase) -> None:
        # View, request and answer name each other, and would all wait with their rows for the garbage collector.
        if isinstance(answer, Response):
            answer.renderer_context = {}  # type: ignore[attr-defined]  # DRF's, not in its stubs
        for name in ("response", *self.http_method_names):
            vars(self).pop(name, None)
        self.request.parser_context = {}

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        # What one person may see must not wait in a cache for the next.
        answer.headers.setdefault("Cache-Control", "private, no-store")
        return answer

    def read(self, serializer: type[serializers.Serializer], *, partial: bool = False) -> dict[str, Any]:
        """Return the body as this serializer reads it. Raises DRF's ValidationError naming the fields."""
        return read_by(serializer, self.request.data, {"view": self, "actor": self.actor}, partial=partial)


class Resource(PortalView, GenericViewSet):
    """One kind of thing: `get_queryset` is a selector's answer for `self.actor`.

    `ordering_fields` maps the names of the API to columns that are never NULL, or to expressions (see orderings) that
    never are; `ordering` is the default, in the
    API's names; `tie_breaker` are the columns that make every ordering total.
    """

    # Named for what it shows in a list; the detail may show more.
    list_serializer_class: ClassVar[type[serializers.Serializer] | None] = None
    noun: ClassVar[str] = "object"
    lookup_url_kwarg = "id"
    id_example: ClassVar[str] = "1"
    is_list: bool = False
    # The actions that ask for If-Match, and whether one that is declared by itself does; the schema says so of them.
    conditional_actions: ClassVar[frozenset[str]] = frozenset()
    is_conditional: bool = False
    filterset_class: Any = None
    search_fields: tuple[str, ...] = ()
    ordering_fields: Mapping[str, Any] = {}
    ordering: tuple[str, ...] = ("-id",)
    tie_breaker: tuple[str, ...] = ("pk",)

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        prepared = super().initialize_request(request, *args, **kwargs)
        if self.action == "list":
            self.is_list = True
        return prepared

    @property
    def is_sparse(self) -> bool:
        """Whether this answer is a list or a detail, of which `?fields=` may ask for a part."""
        return self.is_list or getattr(self, "action", None) in {"list", "retrieve"}

    def further_filters(self) -> Iterable[str]:
        """Return the names of filters that are known only at run time; read when a list is asked."""
        return ()

    def get_serializer_class(self) -> type[serializers.Serializer]:
        if self.action == "list" and self.list_serializer_class is not None:
            return self.list_serializer_class
        return super().get_serializer_class()  # type: ignore[return-value]  # stubs say BaseSerializer

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "actor": self.actor}

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """Return the serializer of this answer, with no more fields than were asked for."""
        return self.narrowed(super().get_serializer(*args, **kwargs))

    def narrowed(self, serializer: Any) -> Any:
        """Drop from a serializer what `?fields=` does not name. Raises InvalidInput for a name it does not have."""
        if not self.is_sparse or getattr(self, "swagger_fake_view", False):
            return serializer
        return narrowed(serializer, self.request)

    def lookup(self) -> dict[str, Any]:
        """Return what names the row in the address."""
        return {self.lookup_field: self.kwargs[self.lookup_url_kwarg]}

    def get_object(self) -> Any:
        """Return the row of the address. Raises NotFound for what is missing and for what is hidden, alike."""
        try:
            return self.get_queryset().get(**self.lookup())
        except (ObjectDoesNotExist, ValueError, OverflowError):
            raise NotFound(f"There is no such {self.noun}.") from None

    def show(self, row: Any, code: int = status.HTTP_200_OK) -> Response:
        """Answer with a row as a detail shows it now, read again through the selector."""
        fresh = self.get_queryset().get(pk=row.pk)
        return Response(self.get_serializer(fresh).data, status=code, headers=self.headers_of(fresh))

    def headers_of(self, row: Any) -> dict[str, str]:
        """Return the headers that go with a detail."""
        return {}

    def get_renderers(self) -> list[BaseRenderer]:
        """Return what an answer may be written as; every list is also a file."""
        renderers = super().get_renderers()
        is_list = self.is_list or getattr(self, "action", None) == "list"
        return [*renderers, CsvRenderer()] if is_list else renderers

    def paginated(
        self, rows: QuerySet[Any], serializer: Callable[..., serializers.BaseSerializer] | None = None
    ) -> HttpResponseBase:
        """Answer with one page of rows, or with a file of all of them where CSV is asked for.

        Raises InvalidInput for a page of a file.
        """
        shown: Any = (serializer or self.get_serializer_class())(many=True, context=self.get_serializer_context())
        self.narrowed(shown)
        if self.request.accepted_renderer.format == CsvRenderer.format:
            return self.as_file(rows, shown.child)
        page = self.paginate_queryset(rows)
        assert page is not None
        shown.instance = list(self.presented(page))
        return self.get_paginated_response(shown.data)

    def presented(self, rows: Iterable[Any]) -> Iterable[Any]:
        """Return a page's rows, or a file's, with what is shown beside their own columns."""
        return rows

    def as_file(self, rows: QuerySet[Any], row: Any) -> HttpResponseBase:
        """Answer with every row as CSV, in the columns of the rows' serializer, written while it is sent.

        Raises InvalidInput for a page of it.
        """
        if paged := [name for name in (CURSOR, PAGE_SIZE) if name in self.request.query_params]:
            raise InvalidInput(
                "Some query parameters cannot be used; nothing was done.",
                errors={name: ["A file holds every row that matches: leave this out."] for name in paged},
            )
        return streamed(f"{self.file_name()}-{timezone.now():%Y-%m-%d}.csv", *self.cells(rows, row))

    def file_name(self) -> str:
        """Return how the name of a list's file begins: as its address ends, `model-versions`."""
        return self.request.path.rstrip("/").rpartition("/")[2]

    def cells(self, rows: QuerySet[Any], row: Any) -> tuple[Sequence[str], Iterator[Mapping[str, Any]]]:
        """Return the columns of a file, and its rows as they are read; `row` is the serializer of one of them."""
        return list(row.fields), self._written(iter(self.presented(rows.iterator(chunk_size=_CHUNK))), row)

    def _written(self, found: Iterator[Any], row: Any) -> Iterator[Mapping[str, Any]]:
        # What a serializer reads for all the rows of a page at once, it reads here for those of a chunk.
        while chunk := list(islice(found, _CHUNK)):
            row.parent.instance = chunk
            for one in chunk:
                yield {name: plain(value) for name, value in row.to_representation(one).items()}


class Listed(Resource):
    """A resource with a list: page by page as JSON, or every row that matches as CSV."""

    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return self.paginated(self.filter_queryset(self.get_queryset()))


class Detailed(Resource):
    """A resource with a detail."""

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        row = self.get_object()
        return Response(self.get_serializer(row).data, headers=self.headers_of(row))


class Marked(Detailed):
    """A resource whose rows count no revisions: the ETag of a detail is made of what can be edited."""

    conditional_actions: ClassVar[frozenset[str]] = frozenset({"partial_update"})

    def mark_of(self, row: Any) -> str:
        """Return the `mark` of what can be edited, as the service computes it again under its lock."""
        raise NotImplementedError

    def headers_of(self, row: Any) -> dict[str, str]:
        return {"ETag": revision_tag(0, self.mark_of(row))}

    def agreed_mark(self, row: Any) -> str:
        """Return the mark an edit was made on. Raises PreconditionRequired without If-Match, StaleEdit."""
        return agreed_mark(self.request, self.noun, self.mark_of(row))


class Revised(Detailed):
    """A resource whose rows count their revisions: the ETag of a detail, and the If-Match an edit must carry."""

    conditional_actions: ClassVar[frozenset[str]] = frozenset({"partial_update", "destroy"})

    def headers_of(self, row: Any) -> dict[str, str]:
        return {"ETag": revision_tag(row.revision)}

    def agreed_revision(self, row: Any) -> int:
        """Return the revision an edit was made on, which the service compares again under its lock.

        Raises PreconditionRequired without If-Match, StaleEdit when it names none but older revisions.
        """
        return agreed(self.request, self.noun, row.revision)


class ByPublicId(Resource):
    """A resource whose address carries a public id."""

    public_id_prefix: ClassVar[str] = ""
    public_id_width: ClassVar[int] = 6
    lookup_value_regex = r"[A-Z]{2,3}-[0-9]{1,18}"

    def lookup(self) -> dict[str, Any]:
        number = public_number(self.kwargs[self.lookup_url_kwarg], self.public_id_prefix, self.public_id_width)
        if number is None:
            raise NotFound(f"There is no such {self.noun}.")
        return {self.lookup_field: number}
