"""Check a folder of audit anchors, offline: verify_anchor.py JWKS_FILE ANCHOR_FOLDER [FILE OF LINES "NUMBER HASH"]"""

import sys
from hashlib import sha256
from pathlib import Path

import jwt  # PyJWT with cryptography

try:
    keys = jwt.PyJWKSet.from_json(Path(sys.argv[1]).read_text())
    lines = Path(sys.argv[3]).read_text().split("\n") if len(sys.argv) > 3 else []
    entries = [(int(number), bytes.fromhex(digest)) for number, digest in (line.split() for line in lines if line)]
    previous, last, number = "", 0, 0
    for path in sorted(Path(sys.argv[2]).glob("*.jwt")):
        text = path.read_text()
        header = jwt.get_unverified_header(text)
        key = keys[header["kid"]]
        anchor = jwt.decode(text, key, [key.algorithm_name], {"verify_iat": False})
        number += 1
        if header["typ"] != "anchor+jwt" or anchor["number"] != number or anchor["previous"] != previous:
            sys.exit(f"{path.name} is not the anchor that continues the one before it")
        if number > 1 and anchor["first"] != last + 1:
            sys.exit(f"{path.name} leaves entries out")
        previous, last = sha256(text.encode()).hexdigest(), anchor["last"]
        if entries:
            covered = [(at, digest) for at, digest in entries if anchor["first"] <= at <= last]
            content = b"".join(at.to_bytes(8, "big", signed=True) + digest for at, digest in sorted(covered))
            if (len(covered), sha256(content).hexdigest()) != (anchor["rows"], anchor["digest"]):
                sys.exit(f"{path.name} covers entries {anchor['first']} to {last}: they are not what it signed")
except (jwt.PyJWTError, LookupError, ValueError, TypeError, OSError) as refusal:
    sys.exit(f"refused: {refusal!r}\n{__doc__}")
print(
    f"{number} anchors hold, up to entry {last}" if number else "there is no anchor",
    "" if entries else "(entries not read)",
)
sys.exit(not number)
