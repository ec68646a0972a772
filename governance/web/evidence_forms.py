"""What people fill in about evidence: a file or an object in S3, and why one counts no more."""

from __future__ import annotations

from typing import Any

from django import forms

from ..choices import EvidenceKind
from ..services.evidence import LONGEST_TEXT, LONGEST_TITLE, LONGEST_URI, largest_file
from ..services.evidence_files import TYPES, too_large


class AttachForm(forms.Form):
    """Attach one file, or one object in S3. Types and sizes are the service's business."""

    kind = forms.ChoiceField(label="What it shows", choices=[("", "Choose a kind"), *EvidenceKind.choices()])
    file = forms.FileField(
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ",".join(f".{ending}" for ending in TYPES)}),
    )
    s3_uri = forms.CharField(
        required=False,
        max_length=LONGEST_URI,
        label="Address in S3",
        widget=forms.TextInput(attrs={"placeholder": "s3://bucket/key"}),
        help_text="In an artifact bucket of a registered account.",
    )
    s3_version_id = forms.CharField(
        required=False, max_length=1024, label="Version id", help_text="The newest unless given."
    )
    s3_etag = forms.CharField(required=False, max_length=130, label="ETag", help_text="What S3 says unless given.")
    title = forms.CharField(required=False, max_length=LONGEST_TITLE, help_text="The file's name unless given.")
    note = forms.CharField(
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What should those who decide look at? On which data was it made?",
    )

    def __init__(self, *args: Any, kind: EvidenceKind | None = None, oversize: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._oversize = oversize
        endings = ", ".join(TYPES)
        self.fields["file"].help_text = f"At most {largest_file() // (1024 * 1024)} MB: {endings}."
        if kind is not None:
            # A later edition is of the same kind as the earlier ones.
            self.fields["kind"].disabled = True
            self.initial["kind"] = kind

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if self._oversize:
            self.add_error("file", too_large(largest_file()))
        elif given.get("file") is not None and given.get("s3_uri"):
            self.add_error("file", "Give a file or an address in S3, not both.")
        elif given.get("file") is None and not given.get("s3_uri") and not self.errors.keys() & {"file", "s3_uri"}:
            self.add_error("file", "Choose a file, or give an address in S3 below.")
        return given


class WithdrawForm(forms.Form):
    """Say why evidence counts no more."""

    reason = forms.CharField(
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="It stays readable with this reason beside it.",
    )
