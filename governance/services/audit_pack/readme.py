"""The first thing somebody reads who is given an audit pack."""

from __future__ import annotations

from django.conf import settings

from ...models import AuditPack

_TEXT = """\
AUDIT PACK {pack}
{rule}

What it is about: {scope}
Asked for by:     {who}
Made by:          Model Governance Portal, {url}

WHAT IS IN IT

  pack.pdf       a reading of all of it, for people
  data/*.json    the records, each row as the portal's database has it
  data/*.csv     the same in lists that a spreadsheet opens; nothing in them is a formula
  evidence/      the files that were attached, under their ids; data/evidence.json says what each one is
  chain/         every entry of the audit trail about these records, and what shows that none is missing:
                   entries.jsonl   number, previous hash, hash, and exactly the text that was hashed behind it
                   heads.json      where the chain of each record ends
                   hashes.txt      number and hash of all entries the anchors cover, also of other records
                   anchors/        signed anchors, which lie outside of the portal's database
                   keys.json       the public keys that signed them (JWKS)
                   tables.json     which table each file of data/ is, and which columns the trail does not copy
  manifest.json  every file with its SHA-256, as of which entry and moment, what is left out and why
  manifest.jws   the signature of the manifest
  verify.py      checks all of this, on any machine with Python 3.9 or newer, without a network

HOW TO CHECK IT

  1. Ask the portal, or whoever runs it, for the key id and the SHA-256 of this archive. Do not take them from here.
     The portal shows both on the page of this pack, and its keys at {keys}
  2. Take verify.py from the portal too, or read the one in this archive first: it is one file.
  3. Have the Python package `cryptography` at hand; without it signatures are not checked, and verify.py says so.
  4. Run:

       python verify.py audit-pack-{number:06d}.zip --sha256 SHA256 --key-id KEY-ID

It says SOUND and ends with 0, or names what does not hold and ends with 1.

WHAT IT CANNOT SHOW

  It shows that what is here is what the portal recorded, that nothing of these records is missing up to the entry it
  names, and that nobody decided on his own request. It does not show that what people wrote is true. Whether somebody
  held his role on the day he decided was enforced by the portal's database then; the pack does not prove it again.
  Of people it holds their names; the entries of a period of the whole portal also hold what was changed about them.
"""


def readme(pack: AuditPack, scope: str) -> str:
    """Return README.txt of a pack."""
    title = f"AUDIT PACK {pack.public_id}"
    return _TEXT.format(
        pack=pack.public_id,
        rule="=" * len(title),
        scope=scope,
        who=f"{pack.requested_by} ({pack.requested_by.username})",
        url=settings.PORTAL_PUBLIC_URL,
        keys=f"{settings.PORTAL_PUBLIC_URL}/api/v1/gate/keys/",
        number=pack.pk,
    )
