"""The gate: may this version run at that stage in that account now; and the keys that verify what it answers."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.errors import InvalidInput
from portal.core.serializers import LONGEST_TEXT, Input, Output, text, word
from portal.core.viewsets import PortalView

from ..choices import GateDecision, SigningAlgorithm, SigningKeyState
from ..lifecycle import MODEL_STAGES
from ..services import gate, signing

QUESTION = {
    "model_package_arn": "The ARN of a SageMaker model package.",
    "stage": f"One of {', '.join(MODEL_STAGES)}.",
    "account": "The twelve digits of the AWS account it is to run in.",
}
# Verifiers fetch the keys again after this many seconds; a revoked key is gone from their caches by then.
KEYS_MAX_AGE = 300


class ReasonOutput(Output):
    """One rule that failed."""

    code = serializers.CharField(help_text="Stable, for programs; what is not known begins with unknown_.")
    rule = serializers.CharField(help_text="The rule, or the key of the policy's check, that failed.")
    detail = serializers.CharField()


class UsedOverrideOutput(Output):
    """One check that does not hold and was set aside by break-glass."""

    id = serializers.CharField()
    check = serializers.CharField()
    reason = serializers.CharField()
    granted_by = serializers.CharField()
    expires_at = serializers.DateTimeField()


class GateOutput(Output):
    """The decision, every rule that failed, and the same signed."""

    decision = word(GateDecision)
    reasons = ReasonOutput(many=True, help_text="Every rule that failed, empty when it is allowed.")
    version = serializers.CharField(allow_null=True, help_text="Group and number, null when it is not known.")
    model_version = serializers.IntegerField(allow_null=True)
    model_package_arn = serializers.CharField(help_text="As it was asked about.")
    stage = serializers.CharField(help_text="As it was asked about.")
    account = serializers.CharField(help_text="As it was asked about.")
    digest = serializers.CharField(allow_null=True, help_text="Of the content as it is now.")
    policy_version = serializers.IntegerField(
        allow_null=True, help_text="The policy its approval ran under; without an approval, the one in force."
    )
    overrides = UsedOverrideOutput(many=True, help_text="What the decision rests on beside rules that hold.")
    checked_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(help_text="Ask again after this.")
    attestation = serializers.CharField(help_text="All of this as a compact JWS of type gate+jwt.")


class KeyOutput(Output):
    """One public key (RFC 7517)."""

    kty = serializers.CharField()
    crv = serializers.CharField()
    x = serializers.CharField()
    y = serializers.CharField(required=False)
    kid = serializers.CharField()
    use = serializers.CharField()
    alg = word(SigningAlgorithm)


class KeySetOutput(Output):
    """The keys that verify what the portal signs, and signed before they were retired."""

    keys = KeyOutput(many=True)


class SigningKeyOutput(Output):
    """One signing key, without its private half."""

    kid = serializers.CharField()
    algorithm = word(SigningAlgorithm)
    state = word(SigningKeyState)
    created_at = serializers.DateTimeField()
    retired_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)
    revocation_reason = serializers.CharField()


class RotateInput(Input):
    """How the next key signs."""

    algorithm = word(SigningAlgorithm, required=False, default=SigningAlgorithm.ES256)
    reason = text()


class RevokeInput(Input):
    """Why a key is not to be trusted any more."""

    reason = serializers.CharField(max_length=LONGEST_TEXT)


class Gate(PortalView):
    """The gate for pipelines."""

    query_parameters = tuple(QUESTION)
    problem_statuses = (503,)

    @extend_schema(
        operation_id="gate",
        responses={200: GateOutput},
        parameters=[
            OpenApiParameter(name, OpenApiTypes.STR, required=True, description=words)
            for name, words in QUESTION.items()
        ],
    )
    def get(self, request: Request) -> Response:
        """Say whether a version may run at a stage in an account now. Whatever is not known is denied, with 200."""
        given = {name: request.query_params.get(name) for name in QUESTION}
        absent = {name: [words] for name, words in QUESTION.items() if given[name] is None}
        if absent:
            raise InvalidInput("Say which version, which stage and which account.", errors=absent)
        answer = gate.ask(self.actor, *(str(value) for value in given.values()))
        # What is signed is what is shown; a serializer would only copy it.
        return Response({**answer.as_json(), "attestation": answer.attestation})


class GateKeys(PortalView):
    """The public keys of the portal's signatures; for anybody, signed in or not."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="gate_keys", responses={200: KeySetOutput}, auth=[])
    def get(self, request: Request) -> Response:
        """Return the key set (JWKS) that verifies attestations and anchors, also offline once it is kept."""
        return Response(signing.jwks(), headers={"Cache-Control": f"public, max-age={KEYS_MAX_AGE}"})


class GateKeyRotation(PortalView):
    """Signs with a new key from now on."""

    @extend_schema(operation_id="gate_keys_rotate", request=RotateInput, responses={201: SigningKeyOutput})
    def post(self, request: Request) -> Response:
        """Retire the signing key and make a new one. What was signed stays verifiable."""
        given = self.read(RotateInput)
        made = signing.rotate(actor=self.actor, algorithm=SigningAlgorithm(given["algorithm"]), reason=given["reason"])
        return Response(SigningKeyOutput(made).data, status=201)


class GateKeyRevocation(PortalView):
    """Takes a key out of the key set for good."""

    @extend_schema(operation_id="gate_keys_revoke", request=RevokeInput, responses={200: SigningKeyOutput})
    def post(self, request: Request, id: str, **kwargs: Any) -> Response:  # noqa: A002 - the name in every address
        """Revoke a key: nothing it signed verifies any more."""
        given = self.read(RevokeInput)
        key = signing.revoke(actor=self.actor, kid=id, reason=given["reason"])
        return Response(SigningKeyOutput(key).data)
