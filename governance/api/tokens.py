"""Tokens of the REST API: one's own, and those of service accounts. One is shown once, in the answer that makes it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.functional import SimpleLazyObject
from django_filters import BooleanFilter
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.errors import NotFound
from portal.core.filters import Filters
from portal.core.serializers import Input, Output
from portal.core.viewsets import Detailed, Listed
from registry.api.serializers import ProjectField
from registry.models import ApiToken, ServiceAccount
from registry.selectors import service_accounts as accounts
from registry.selectors.resources import projects
from registry.services import tokens

from ..models.token_terms import FASTEST
from ..selectors import tokens as selectors
from ..services import api_tokens

KEY = r"[0-9A-Za-z]{1,25}"


class TokenOutput(Output):
    """A token without its secret."""

    id = serializers.CharField(source="token_key", help_text="How the token begins.")
    name = serializers.CharField(help_text="Empty: it came from signing in.")
    is_read_only = serializers.SerializerMethodField()
    projects = serializers.SerializerMethodField(help_text="The keys of those it is held to; null: it is held to none.")
    rate = serializers.SerializerMethodField(help_text="Requests a minute; null: as many as is usual.")
    created = serializers.DateTimeField()
    expiry = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.SerializerMethodField(help_text="To within five minutes.")
    made_by = serializers.SerializerMethodField()

    def get_is_read_only(self, token: ApiToken) -> bool:
        terms = getattr(token, "terms", None)
        return terms is not None and terms.is_read_only

    def get_projects(self, token: ApiToken) -> list[str] | None:
        terms = getattr(token, "terms", None)
        if terms is None or terms.project_ids is None:
            return None
        keys: dict[int, str] = self.context["project_keys"]
        return sorted(keys[pk] for pk in terms.project_ids if pk in keys)

    def get_rate(self, token: ApiToken) -> int | None:
        terms = getattr(token, "terms", None)
        return None if terms is None else terms.rate

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_last_used_at(self, token: ApiToken) -> Any:
        terms = getattr(token, "terms", None)
        return None if terms is None else self.fields["created"].to_representation(terms.last_used_at)

    def get_made_by(self, token: ApiToken) -> str:
        terms = getattr(token, "terms", None)
        return "" if terms is None else terms.made_by


class TokenMade(TokenOutput):
    """A new token with its secret, shown this once."""

    token = serializers.SerializerMethodField()

    def get_token(self, token: ApiToken) -> str:
        return str(self.context["text"])


class TokenInput(Input):
    """A token that is to be made."""

    name = serializers.CharField(max_length=api_tokens.LONGEST_NAME, help_text="To recognise it by.")
    days = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=api_tokens.LONGEST_DAYS,
        help_text="How long it holds. Left out: as long as the token that makes it; for a session, 30 days.",
    )
    is_read_only = serializers.BooleanField(required=False, default=True)
    projects = serializers.ListField(
        child=ProjectField(),
        required=False,
        allow_null=True,
        default=None,
        min_length=1,
        max_length=500,
        help_text="Keys of the projects it is held to: only roles on these, and nothing beyond them. Left out: all.",
    )


class AccountTokenInput(TokenInput):
    """A token that is to be made for a service account."""

    rate = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=FASTEST,
        help_text="Requests a minute. Left out: as many as is usual.",
    )


class TokenFilters(Filters):
    """Filters of the list."""

    is_read_only = BooleanFilter(field_name="terms__is_read_only", help_text="Whether it may only read.")


class Tokens(Listed, Detailed):
    """Your own tokens. One that is held to projects sees those that are held within them."""

    answers_its_token_alone = True
    noun = "token"
    lookup_field = "token_key"
    lookup_value_regex = KEY
    id_example = "3f9c0a7d2b61e84"
    serializer_class = TokenOutput
    filterset_class = TokenFilters
    search_fields = ("name", "token_key")
    ordering = ("-created",)
    ordering_fields = {"created": "created", "name": "name"}
    tie_breaker = ("token_key",)

    def get_queryset(self) -> QuerySet[ApiToken]:
        return selectors.own_tokens(self.actor)

    def get_serializer_context(self) -> dict[str, Any]:
        keys = SimpleLazyObject(lambda: dict(projects(self.actor).values_list("pk", "key")))
        return {**super().get_serializer_context(), "project_keys": keys}

    @extend_schema(request=TokenInput, responses={201: TokenMade})
    def create(self, request: Request, **kwargs: Any) -> Response:
        """Make a token of your own; made with another token, it has at most what that one has."""
        made, text = api_tokens.issue(actor=self.actor, **self.read(TokenInput))
        return self._made(made, text)

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, **kwargs: Any) -> Response:
        """Revoke a token of your own, at once."""
        tokens.revoke(actor=self.actor, token_key=self.get_object().token_key)
        return Response(status=204)

    def _made(self, made: ApiToken, text: str) -> Response:
        context = {**self.get_serializer_context(), "text": text}
        return Response(TokenMade(self.get_queryset().get(pk=made.pk), context=context).data, status=201)


_TOKEN = OpenApiParameter("token", OpenApiTypes.STR, OpenApiParameter.PATH, description="Such as `3f9c0a7d2b61e84`.")


class AccountTokens(Tokens):
    """The tokens of one service account, which ML admins make and revoke."""

    lookup_url_kwarg = "token"
    id_example = "1"

    def get_queryset(self) -> QuerySet[ApiToken]:
        if getattr(self, "swagger_fake_view", False):
            return selectors.own_tokens(self.actor)
        return selectors.tokens_of(self.actor, self._account().user)

    @extend_schema(request=AccountTokenInput, responses={201: TokenMade})
    def create(self, request: Request, **kwargs: Any) -> Response:
        """Make a token for a service account. You will not decide on anything the account does."""
        account = self._account()
        made, text = api_tokens.issue_for(actor=self.actor, account=account, **self.read(AccountTokenInput))
        return self._made(made, text)

    @extend_schema(parameters=[_TOKEN])
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return one token."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(request=None, responses={204: None}, parameters=[_TOKEN])
    def destroy(self, request: Request, **kwargs: Any) -> Response:
        """Revoke a token of a service account, at once."""
        account = self._account()
        tokens.revoke_for(actor=self.actor, account=account, token_key=self.get_object().token_key)
        return Response(status=204)

    def _account(self) -> ServiceAccount:
        account = accounts.accounts(self.actor).filter(pk=self.kwargs["id"]).first()
        if account is None:
            raise NotFound("There is no such service account.")
        return account
