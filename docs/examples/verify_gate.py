"""Judge a kept answer of the gate, offline: verify_gate.py TOKEN_FILE JWKS_FILE ARN STAGE ACCOUNT [TIME+00:00]"""

import sys
from datetime import UTC, datetime
from pathlib import Path

import jwt  # PyJWT with cryptography

try:
    token, keys, arn, stage, account, at = (*sys.argv[1:], datetime.now(UTC).isoformat())[:6]
    header = jwt.get_unverified_header(token := Path(token).read_text().strip())
    key = jwt.PyJWKSet.from_json(Path(keys).read_text())[header["kid"]]
    rules = {"verify_exp": False, "verify_iat": False, "require": ["iat", "exp", "sub", "aud"]}
    answer = jwt.decode(token, key, [key.algorithm_name], rules, audience=f"{stage}@{account}", subject=arn)
    moment = datetime.fromisoformat(at) - datetime.fromtimestamp(0, UTC)  # without an offset this fails
    timely = header["typ"] == "gate+jwt" and answer["iat"] <= moment.total_seconds() < answer["exp"]
except (jwt.PyJWTError, LookupError, ValueError, TypeError, OSError) as refusal:
    sys.exit(f"refused: {refusal}\n{__doc__}")
print(answer["decision"] if timely else "refused: no answer of the gate for that moment", *answer["reasons"], sep="\n")
sys.exit(not (timely and answer["decision"] == "allow"))
