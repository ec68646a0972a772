"""Who asks: a token in the Authorization header, stored hashed."""

from __future__ import annotations

from hmac import compare_digest
from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from knox.crypto import hash_token
from rest_framework.exceptions import AuthenticationFailed

from governance.selectors.tokens import presented
from governance.services import api_tokens

from .throttling import refuse_guessing

# Far more than a token has; what is longer is not worth hashing.
_LONGEST = 256


class TokenAuthentication(KnoxTokenAuthentication):
    """Accept `Authorization: Token <token>`. An expired one is refused, and cleared away when its owner signs in again;
    one that may only read changes nothing.

    A token is looked up by the hash of all of it, as knox stores it (SHA-512), so that what the database compares tells
    a guesser nothing about a token; token, terms, user and grants are one question.
    """

    def authenticate(self, request: Any) -> Any:
        try:
            found = super().authenticate(request)
        except AuthenticationFailed:
            refuse_guessing(request)
            raise
        if found is not None:
            view = request.parser_context.get("view")
            revokes_itself = getattr(view, "revokes_its_token", False)
            api_tokens.used(found[1], request.method or "", revokes_itself=revokes_itself)
        return found

    def authenticate_credentials(self, token: bytes) -> Any:
        """Return the user and the token. Raises AuthenticationFailed for what is none, or holds no more."""
        if len(token) > _LONGEST or not token.isascii() or b"\x00" in token:
            raise AuthenticationFailed("Invalid token.")
        digest = hash_token(token.decode("ascii"))
        found = presented(digest)
        if found is None or not compare_digest(found.digest, digest):
            raise AuthenticationFailed("Invalid token.")
        if found.expiry is not None and found.expiry < timezone.now():
            raise AuthenticationFailed("Invalid token.")
        return self.validate_user(found)


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # untyped registry
    """How the OpenAPI document describes the token."""

    target_class = "portal.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> Any:
        return build_bearer_security_scheme_object(header_name="Authorization", token_prefix="Token")
