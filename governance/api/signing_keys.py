"""The keys the portal signs with, as those who manage them see them."""

from __future__ import annotations

from django.db.models import QuerySet

from portal.core.filters import Filters, exactly, one_of
from portal.core.viewsets import Listed

from ..choices import SigningAlgorithm, SigningKeyState
from ..models import SigningKey
from ..selectors.signing_keys import signing_keys
from .gate import SigningKeyOutput


class SigningKeyFilters(Filters):
    """Filters of the list."""

    kid = exactly("kid", "The id of a key.")
    state = one_of(SigningKeyState, "state")
    algorithm = one_of(SigningAlgorithm, "algorithm")


class SigningKeys(Listed):
    """Every signing key without its private half, newest first."""

    noun = "signing key"
    problem_statuses = (403,)
    serializer_class = SigningKeyOutput
    filterset_class = SigningKeyFilters
    ordering_fields = {"id": "pk", "created_at": "created_at", "state": "state"}

    def get_queryset(self) -> QuerySet[SigningKey]:
        return signing_keys(self.actor)
