"""The words of an audit pack, for somebody who has never seen the portal."""

from __future__ import annotations

GLOSSARY: tuple[tuple[str, str], ...] = (
    ("Anchor", "A signed statement, kept outside the database, of which entries the audit trail held at a moment."),
    ("Approval request", "Somebody asks that a use case or a version be approved at a stage. Its id begins with AR."),
    ("Audit trail", "The entries the database writes about every change of a governed row: who, when, why, from, to."),
    ("Break-glass", "An officer sets a failed rule of the policy aside for a while, with a reason. Its id begins BG."),
    ("Chain", "The entries about one object. Each names the hash of the one before it, so none can be taken out."),
    ("Decision", "One person's word on one request, in one role. Written once and never edited."),
    ("Delegation", "A deciding role in somebody else's hands for some days. His word counts as the delegator's."),
    ("Digest", "A hash of everything a decision was about. If what it was about changes, so does the digest."),
    ("Evidence", "A file or a pinned object in S3 that shows something. Known by its SHA-256, or version and ETag."),
    ("Finding", "Where reality, SageMaker and the portal's word do not agree. Its id begins with FND."),
    ("Model group, version", "SageMaker's model package group, and one model package of it."),
    ("Policy", "What each kind of subject needs at each stage and tier of risk. Published ones never change."),
    ("Separation of duties", "Nobody decides on what he asked for, registered or, unless allowed, changed last."),
    ("Stage", "Where something is on its way: POC, development, QA, pre-production, production, retired."),
    ("Use case", "What models are for. Its id begins with UC; its class is that of the EU AI Act."),
    ("Write-back", "The portal's word carried to SageMaker, so that its approval status says the same."),
)
