"""AWS Lambda that asks the governance gate for a step of a SageMaker pipeline (Python 3.12).

Environment: GOVERNANCE_URL, the portal; GOVERNANCE_TOKEN_SECRET, a secret of Secrets Manager that is a read-only token
of a service account which may see the model's project; EVIDENCE_BUCKET, which keeps the signed answers.
Beside this file: governance-jwks.json, the portal's public keys (`curl -sf $GOVERNANCE_URL/api/v1/gate/keys/`), and, as
a layer, PyJWT with cryptography.

A deny is an answer: it is returned, and the pipeline's condition stops there. A portal that does not answer, or an
answer that is not genuine, raises: the step fails, and the pipeline stops here.
"""

import json
import os
import urllib.parse
import urllib.request
from pathlib import Path

import boto3
import jwt

KEYS = Path(__file__).with_name("governance-jwks.json")
SECONDS = 10
# A Fail step shows some 3,000 characters; all rules are in the log and in the signed answer.
LONGEST = 2500


class Nowhere(urllib.request.HTTPRedirectHandler):
    """The token goes to the portal's address alone."""

    def redirect_request(self, *args):
        return None


def handler(event, context):
    """Return {decision, reasons, attestation} for {model_package_arn, stage, account}; the last is an S3 URI."""
    question = {name: event[name] for name in ("model_package_arn", "stage", "account")}
    token = boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["GOVERNANCE_TOKEN_SECRET"])
    signed = ask(os.environ["GOVERNANCE_URL"], token["SecretString"].strip(), question)["attestation"]
    answer = verified(signed, question)
    bucket, key = os.environ["EVIDENCE_BUCKET"], f"gate/{answer['jti']}.jws"
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=signed.encode())
    reasons = [f"{each['rule']}: {each['detail']}" for each in answer["reasons"]]
    print(answer["decision"], question, *reasons, sep="\n")
    return {
        "decision": answer["decision"],
        "reasons": "\n".join(reasons)[:LONGEST],
        "attestation": f"s3://{bucket}/{key}",
    }


def ask(url, token, question):
    """Return the portal's answer; raises for every status but 200, and after ten seconds of silence."""
    if not url.startswith(("https://", "http://127.0.0.1:")):
        raise ValueError("GOVERNANCE_URL must begin with https://: the token travels with the question.")
    address = f"{url.rstrip('/')}/api/v1/gate/?{urllib.parse.urlencode(question)}"
    request = urllib.request.Request(address, headers={"Authorization": f"Token {token}"})
    with urllib.request.build_opener(Nowhere).open(request, timeout=SECONDS) as answer:
        return json.load(answer)


def verified(signed, question):
    """Return what an answer says; raises unless it is genuine, in force, and for this version, stage and account."""
    header = jwt.get_unverified_header(signed)
    key = jwt.PyJWKSet.from_json(KEYS.read_text())[header["kid"]]
    answer = jwt.decode(
        signed,
        key,
        [key.algorithm_name],  # the key says how it signs, never the token
        {"require": ["iat", "exp", "sub", "aud", "jti"]},
        audience=f"{question['stage']}@{question['account']}",
        subject=question["model_package_arn"],
        leeway=5,
    )
    if header.get("typ") != "gate+jwt" or answer["decision"] not in ("allow", "deny"):
        raise ValueError("This is no answer of the gate.")
    return answer
