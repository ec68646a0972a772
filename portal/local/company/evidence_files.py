"""The files people attach: reports of the validation team, data sheets, what SageMaker's own jobs wrote."""

from __future__ import annotations

import json
from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile

from governance.services import evidence
from portal.core.actors import Actor
from portal.core.vocabulary import EvidenceKind
from registry.models import ModelVersion, UseCase

_FILES = Path(__file__).resolve().parents[1] / "demo_data"
_KINDS = (
    (EvidenceKind.TEST_REPORT, "validation_report.pdf", "Independent validation"),
    (EvidenceKind.DATA_SHEET, "", "Data sheet"),
    (EvidenceKind.BIAS_REPORT, "data_bias_analysis.json", "Bias before training"),
    (EvidenceKind.OVERSIGHT, "oversight_procedure.pdf", "Human oversight procedure"),
    (EvidenceKind.SECURITY_REVIEW, "", "Security review"),
    (EvidenceKind.OTHER, "constraint_violations.json", "Violations of the data quality baseline"),
)
_TYPES = {"pdf": "application/pdf", "json": "application/json", "md": "text/markdown"}


def attach(
    actor: Actor, subject: ModelVersion | UseCase, name: str, turn: int, values: dict[str, float] | None = None
) -> None:
    """Attach the file whose turn it is; what has no file of its own is written for this subject."""
    kind, filename, title = _KINDS[turn % len(_KINDS)]
    body = (_FILES / filename).read_bytes() if filename else _written(title, name, values or {}).encode()
    filename = filename or f"{title.lower().replace(' ', '_')}.md"
    upload = SimpleUploadedFile(filename, body, content_type=_TYPES[filename.rpartition(".")[2]])
    evidence.attach_upload(
        actor=actor,
        subject_type=type(subject),
        subject_id=subject.pk,
        kind=kind,
        file=upload,
        title=f"{title}, {name}"[:200],
    )


def _written(title: str, name: str, values: dict[str, float]) -> str:
    figures = "\n".join(f"| {metric} | {value} |" for metric, value in values.items())
    table = f"\n| metric | value |\n|---|---|\n{figures}\n" if figures else ""
    return (
        f"# {title}: {name}\n\nRead and signed by the team. Sources, owners and retention are those of the data"
        f" catalogue; nothing was bought.\n{table}\n```json\n{json.dumps(values)}\n```\n"
    )
