"""Signing in to the API: a password becomes a token, a token is taken back."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle

from governance.services import api_tokens
from portal.core.errors import DomainError, NotFound, WrongState
from portal.core.serializers import Input, NoInput, Output
from portal.core.viewsets import PortalView
from registry.models import ApiToken, User
from registry.services import tokens


class TooManyAttempts(DomainError):
    """Too many wrong passwords; the name is locked out for a while."""

    code = "too-many-attempts"
    title = "Too many attempts"
    status = 429
    retry_after = int(settings.AXES_COOLOFF_TIME.total_seconds())


class SignIn(Input):
    """A name and its password."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1024, trim_whitespace=False, style={"input_type": "password"})
    name = serializers.CharField(
        max_length=100, required=False, allow_blank=True, default="", help_text="To recognise the token by."
    )


class IssuedToken(Output):
    """A token, shown this once."""

    token = serializers.CharField()
    expiry = serializers.DateTimeField(allow_null=True)


class TokenView(PortalView):
    """Changes a password into a token; answers 404 where the organisation has switched this off."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "sign_in"
    takes_keys = False
    problem_statuses = (401, 404, 429)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if not settings.PORTAL_TOKEN_ENDPOINT:
            raise NotFound("Tokens are not given for passwords here. Make one in the portal's pages.")
        super().initial(request, *args, **kwargs)

    def get_authenticate_header(self, request: Request) -> str:
        return "Token"

    @extend_schema(
        operation_id="auth_token_create", request=SignIn, responses={200: IssuedToken}, description="Sign in."
    )
    def post(self, request: Request) -> Response:
        """Sign in. A wrong password is 401; too many of them lock the name out for a while."""
        reader = SignIn(data=request.data)
        reader.is_valid(raise_exception=True)
        given = reader.validated_data
        http = request._request  # noqa: SLF001 - axes marks Django's own request
        user = authenticate(request=http, username=given["username"], password=given["password"])
        if getattr(http, "axes_locked_out", False):
            # Answered here as a problem document; the middleware would answer with a page.
            http.axes_locked_out = False  # type: ignore[attr-defined]  # axes sets it
            raise TooManyAttempts("Too many wrong passwords for this name. Wait before trying again.")
        if not isinstance(user, User):
            raise AuthenticationFailed("The name or the password is wrong.")
        token, text = api_tokens.with_terms(actor=user.actor, name=given["name"])
        user_logged_in.send(sender=User, request=http, user=user)
        return Response(IssuedToken({"token": text, "expiry": token.expiry}).data)


class LogoutView(PortalView):
    """Revokes the token that the request came with; also one that may only read ends itself."""

    revokes_its_token = True

    @extend_schema(operation_id="auth_logout", request=NoInput, responses={204: None}, description="Revoke this token.")
    def post(self, request: Request) -> Response:
        """Revoke the token of this request."""
        self.read(NoInput)
        if not isinstance(request.auth, ApiToken):
            raise WrongState("This request came with a session, not with a token. Sign out in the pages.")
        tokens.revoke(actor=self.actor, token_key=request.auth.token_key)
        return Response(status=204)


class LogoutEverywhereView(PortalView):
    """Revokes every token of the one who asks, as when a laptop is lost."""

    @extend_schema(
        operation_id="auth_logout_all", request=NoInput, responses={204: None}, description="Revoke every token."
    )
    def post(self, request: Request) -> Response:
        """Revoke all your tokens, this one included; a token held to projects reaches those held within them."""
        self.read(NoInput)
        api_tokens.revoke_all(actor=self.actor)
        return Response(status=204)
