"""How the REST API describes itself: every address with the refusals it can answer."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated

from .csv_export import CsvRenderer
from .filters import FORMAT
from .sparse import FIELDS_PARAMETER
from .viewsets import IDEMPOTENCY_KEY, Marked, Resource, Revised

PROBLEM_JSON = "application/problem+json"
# What each status means, wherever it is answered.
PROBLEMS: dict[int, str] = {
    400: "The input cannot be used; `errors` names the fields or query parameters.",
    401: "Nobody is signed in: send `Authorization: Token <token>`.",
    403: "Visible, but not yours to do.",
    404: "There is no such thing, or none that you may see.",
    406: "There is no such representation: ask for what the operation answers.",
    409: "Legal, but not at this moment; `detail` says why and `code` which rule.",
    412: "It was changed since the ETag in If-Match.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "The Idempotency-Key belongs to a request with another address or body.",
    428: "The edit does not say which state it was made on: send If-Match.",
    429: "Too many requests or attempts; wait as long as Retry-After says.",
    503: "Something the portal needs does not answer; nothing was lost.",
}

FORMAT_PARAMETER = OpenApiParameter(
    FORMAT,
    OpenApiTypes.STR,
    enum=["json", CsvRenderer.format],
    description="`csv` sends every row that matches as one file, as `Accept: text/csv` does; `fields` chooses its"
    " columns, and what is nested is JSON in its cell. A page of a file cannot be asked for.",
)
NONE_MATCH_PARAMETER = OpenApiParameter(
    "If-None-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag of what you have: answers 304 without a body while nothing of it changed.",
)
TAG_HEADER = OpenApiParameter(
    "ETag",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200],
    description="Of this very answer; send it as If-Match with an edit, or as If-None-Match to ask again.",
)
KEY_PARAMETER = OpenApiParameter(
    IDEMPOTENCY_KEY,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="1 to 255 printable ASCII characters, such as a UUID, of your choice. A repetition with the same key"
    " and body does nothing and is told the first answer, with `Idempotency-Replayed: true`; refusals are not kept."
    " What waits for AWS is answered with 202 instead of 201.",
)


class ProblemSerializer(serializers.Serializer):
    """A refusal (RFC 9457)."""

    type = serializers.CharField(help_text="`urn:model-governance:problem:` and the code.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What was refused, and what to do.")
    code = serializers.CharField(help_text="Stable, for programs.")
    errors = serializers.DictField(  # type: ignore[assignment]  # a field of that name
        child=serializers.ListField(child=serializers.CharField()), help_text="What is wrong, by field."
    )


class PortalSchema(AutoSchema):
    """Documents on every operation the refusals that its method and address can meet."""

    def get_override_parameters(self) -> list[Any]:
        parameters = list(super().get_override_parameters())
        if CsvRenderer.format in self.map_renderers("format") and self.method == "GET":
            parameters.append(FORMAT_PARAMETER)
        if self.method == "GET":
            parameters.extend(getattr(self.view, "described_parameters", ()))
            if getattr(self.view, "is_sparse", False):
                parameters.append(FIELDS_PARAMETER)
        if "{id}" in self.path and isinstance(self.view, Resource):
            example = self.view.id_example
            kind = OpenApiTypes.INT if example == "1" else OpenApiTypes.STR
            described = f"Such as `{example}`."
            parameters.append(OpenApiParameter("id", kind, OpenApiParameter.PATH, description=described))
        if self._has_tag():
            parameters += [TAG_HEADER, NONE_MATCH_PARAMETER]
        if self.method == "POST" and getattr(self.view, "takes_keys", False):
            parameters.append(KEY_PARAMETER)
        if self._is_conditional():
            parameters.append(
                OpenApiParameter(
                    "If-Match",
                    OpenApiTypes.STR,
                    OpenApiParameter.HEADER,
                    required=True,
                    description="The ETag of the representation the edit was made on.",
                )
            )
        return parameters

    def get_problem_statuses(self) -> list[int]:
        """Return the statuses an operation can refuse with."""
        # Whatever is asked: it may be asked for in a form there is not, or while the database is away.
        statuses = {400, 406, 503}
        if IsAuthenticated in self.view.permission_classes:
            statuses.add(401)
        if "{" in self.path:
            statuses.add(404)
        if self.method not in {"GET", "HEAD"}:
            statuses |= {403, 409, 413, 415}
        if self.method == "POST" and getattr(self.view, "takes_keys", False):
            statuses.add(422)
        if self.view.throttle_classes:
            statuses.add(429)
        if self._is_conditional():
            statuses |= {412, 428}
        return sorted(statuses | set(getattr(self.view, "problem_statuses", ())))

    def _has_tag(self) -> bool:
        return isinstance(self.view, Revised | Marked) and self.view.action == "retrieve"

    def _is_conditional(self) -> bool:
        if not isinstance(self.view, Resource) or self.method == "GET":
            return False
        return self.view.is_conditional or self.view.action in self.view.conditional_actions

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        for status in self.get_problem_statuses():
            described = OpenApiResponse(ProblemSerializer, description=PROBLEMS[status])
            body = self._get_response_for_code(described, str(status), [PROBLEM_JSON], direction)  # type: ignore[no-untyped-call]
            bodies.setdefault(str(status), body)
        if self._has_tag():
            bodies["304"] = {"description": "It is as If-None-Match says."}
        content = bodies.get("200", {}).get("content", {})
        if CsvRenderer.media_type in content and self.method == "GET":
            content[CsvRenderer.media_type] = {"schema": {"type": "string"}}
        return bodies

    def get_summary(self) -> str | None:
        summary: str | None = super().get_summary()
        return summary or self.get_description().partition(".")[0] or None

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/v1/").split("/", 1)[0]]


def any_value_once(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Write "anything, or null" as "anything": null is anything, and what fits both of `oneOf` fits neither."""

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if {} in node.get("oneOf", ()):
                del node["oneOf"]
            for inner in node.values():
                walk(inner)
        elif isinstance(node, list):
            for inner in node:
                walk(inner)

    walk(result)
    return result
