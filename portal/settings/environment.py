"""The environment variables the portal reads, typed, with one error naming every bad one at start."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from portal.schedule import reading_kinds


class Environment(BaseSettings):
    """Everything the portal takes from its environment."""

    # Several of the values are secrets, so an error names the variable and never its value.
    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    database_url: str = Field("postgresql://postgres@127.0.0.1:8001/portal", alias="DATABASE_URL")
    redis_url: str = Field("redis://127.0.0.1:8002/0", alias="REDIS_URL")
    secret_key: str = Field("", alias="PORTAL_SECRET_KEY")
    key_encryption_keys: Annotated[list[str], NoDecode] = Field(
        default_factory=list, alias="PORTAL_KEY_ENCRYPTION_KEYS"
    )
    allowed_hosts: Annotated[list[str], NoDecode] = Field(default_factory=list, alias="PORTAL_ALLOWED_HOSTS")
    trusted_origins: Annotated[list[str], NoDecode] = Field(default_factory=list, alias="PORTAL_TRUSTED_ORIGINS")
    proxy_count: int = Field(0, alias="PORTAL_PROXY_COUNT", ge=0)
    home: Path = Field(Path(".local"), alias="PORTAL_HOME")
    anchors_bucket: str = Field("", alias="PORTAL_ANCHORS_BUCKET", pattern=r"^$|^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    anchors_prefix: str = Field(
        "audit-anchors", alias="PORTAL_ANCHORS_PREFIX", pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$"
    )
    token_endpoint: bool = Field(True, alias="PORTAL_TOKEN_ENDPOINT")
    api_rate: int | None = Field(None, alias="PORTAL_API_RATE", ge=0, le=6_000_000)
    api_burst: int | None = Field(None, alias="PORTAL_API_BURST", ge=1, le=6_000_000)
    write_back_patience_minutes: int = Field(15, alias="PORTAL_WRITE_BACK_PATIENCE_MINUTES", ge=1, le=10_080)
    outbox_slow_tasks: int = Field(1, alias="PORTAL_OUTBOX_SLOW_TASKS", ge=1, le=64)
    deployment_patience_days: int = Field(7, alias="PORTAL_DEPLOYMENT_PATIENCE_DAYS", ge=1, le=365)
    sync_overlap_minutes: int = Field(15, alias="PORTAL_SYNC_OVERLAP_MINUTES", ge=1, le=1440)
    aws_reads_at_once: int = Field(4, alias="PORTAL_AWS_READS_AT_ONCE", ge=1, le=10)
    readings_at_once: int = Field(1, alias="PORTAL_READINGS_AT_ONCE", ge=1, le=64)
    readings: Annotated[dict[str, int], NoDecode] = Field(default_factory=dict, alias="PORTAL_READINGS")
    modifier_may_decide: bool = Field(False, alias="PORTAL_MODIFIER_MAY_DECIDE")
    gate_minutes: int = Field(15, alias="PORTAL_GATE_MINUTES", ge=1, le=1440)
    webhook_allowed_networks: Annotated[list[str], NoDecode] = Field(
        default_factory=list, alias="PORTAL_WEBHOOK_ALLOWED_NETWORKS"
    )
    tracking_allowed_networks: Annotated[list[str], NoDecode] = Field(
        default_factory=list, alias="PORTAL_TRACKING_ALLOWED_NETWORKS"
    )
    idempotency_hours: int = Field(24, alias="PORTAL_IDEMPOTENCY_HOURS", ge=1, le=720)
    aws_concurrency: int = Field(8, alias="PORTAL_AWS_CONCURRENCY", ge=1, le=64)
    public_url: str = Field("http://127.0.0.1:8000", alias="PORTAL_PUBLIC_URL")
    email_host: str = Field("", alias="PORTAL_EMAIL_HOST")
    email_port: int = Field(587, alias="PORTAL_EMAIL_PORT", ge=1, le=65_535)
    email_user: str = Field("", alias="PORTAL_EMAIL_USER")
    email_password: str = Field("", alias="PORTAL_EMAIL_PASSWORD")
    email_security: Literal["starttls", "tls", "none"] = Field("starttls", alias="PORTAL_EMAIL_SECURITY")
    email_from: str = Field(
        "Model Governance Portal <portal@localhost>", alias="PORTAL_EMAIL_FROM", pattern=r"^[^\r\n]*@[^\r\n]+$"
    )
    reminder_hours: int = Field(24, alias="PORTAL_REMINDER_HOURS", ge=1, le=336)
    escalation_hours: int = Field(48, alias="PORTAL_ESCALATION_HOURS", ge=1, le=720)
    review_reminder_days: int = Field(14, alias="PORTAL_REVIEW_REMINDER_DAYS", ge=1, le=90)
    log_level: str = Field("INFO", alias="PORTAL_LOG_LEVEL")
    evidence_max_mb: int = Field(25, alias="PORTAL_EVIDENCE_MAX_MB", ge=1, le=500)
    evidence_bucket: str = Field("", alias="PORTAL_EVIDENCE_BUCKET", pattern=r"^$|^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    evidence_region: str = Field("", alias="PORTAL_EVIDENCE_REGION", pattern=r"^$|^[a-z]{2}(-[a-z]+)+-\d$")
    evidence_prefix: str = Field("", alias="PORTAL_EVIDENCE_PREFIX", pattern=r"^$|^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")
    evidence_kms_key: str = Field(
        "", alias="PORTAL_EVIDENCE_KMS_KEY", pattern=r"^$|^arn:aws[a-z-]*:kms:[^\s]+$|^alias/[^\s]+$|^[0-9a-f-]{36}$"
    )
    evidence_on_disk: bool = Field(False, alias="PORTAL_EVIDENCE_ON_DISK")
    packs_bucket: str = Field("", alias="PORTAL_PACKS_BUCKET", pattern=r"^$|^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    packs_region: str = Field("", alias="PORTAL_PACKS_REGION", pattern=r"^$|^[a-z]{2}(-[a-z]+)+-\d$")
    packs_prefix: str = Field("audit-packs", alias="PORTAL_PACKS_PREFIX", pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")
    packs_kms_key: str = Field(
        "", alias="PORTAL_PACKS_KMS_KEY", pattern=r"^$|^arn:aws[a-z-]*:kms:[^\s]+$|^alias/[^\s]+$|^[0-9a-f-]{36}$"
    )
    packs_on_disk: bool = Field(False, alias="PORTAL_PACKS_ON_DISK")
    pack_days: int = Field(30, alias="PORTAL_PACK_DAYS", ge=1, le=3650)
    pack_evidence_max_mb: int = Field(2048, alias="PORTAL_PACK_EVIDENCE_MAX_MB", ge=1, le=20_480)

    @field_validator(
        "allowed_hosts",
        "trusted_origins",
        "key_encryption_keys",
        "webhook_allowed_networks",
        "tracking_allowed_networks",
        mode="before",
    )
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("readings", mode="before")
    @classmethod
    def _rhythms(cls, value: object) -> object:
        """Read "personas=off,endpoints=30": minutes between two readings of a kind, or none at all (0)."""
        if not isinstance(value, str):
            return value
        found = {}
        for part in filter(None, (part.strip() for part in value.split(","))):
            kind, _, wish = (word.strip() for word in part.partition("="))
            minutes = 0 if wish == "off" else int(wish) if wish.isascii() and wish.isdigit() and len(wish) < 6 else -1
            if kind not in reading_kinds() or not (wish == "off" or 1 <= minutes <= 10_080):
                raise ValueError(
                    f"{part!r} is not a kind with its minutes (1 to 10080) or off, such as personas=off,endpoints=30; "
                    f"kinds are {', '.join(sorted(reading_kinds()))}"
                )
            found[kind] = minutes
        return found

    @field_validator("key_encryption_keys")
    @classmethod
    def _hard_to_guess(cls, value: list[str]) -> list[str]:
        if any(len(secret) < 32 for secret in value):
            raise ValueError("each of the secrets must have at least 32 random characters")
        return value

    @field_validator("webhook_allowed_networks", "tracking_allowed_networks")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        try:
            return [str(ip_network(text)) for text in value]
        except ValueError as error:
            raise ValueError(f"networks are written such as 10.20.0.0/16: {error}") from None

    @model_validator(mode="after")
    def _evidence_in_one_place(self) -> Self:
        details = [self.evidence_region, self.evidence_prefix, self.evidence_kms_key]
        if not self.evidence_bucket and any(details):
            raise ValueError("PORTAL_EVIDENCE_REGION, _PREFIX and _KMS_KEY say nothing without PORTAL_EVIDENCE_BUCKET")
        if self.evidence_bucket and not self.evidence_region:
            raise ValueError("PORTAL_EVIDENCE_BUCKET needs PORTAL_EVIDENCE_REGION")
        if self.evidence_bucket and self.evidence_on_disk:
            raise ValueError("PORTAL_EVIDENCE_BUCKET and PORTAL_EVIDENCE_ON_DISK exclude each other")
        return self

    @model_validator(mode="after")
    def _packs_in_one_place(self) -> Self:
        if not self.packs_bucket and (self.packs_region or self.packs_kms_key):
            raise ValueError("PORTAL_PACKS_REGION and _KMS_KEY say nothing without PORTAL_PACKS_BUCKET")
        if self.packs_bucket and not self.packs_region:
            raise ValueError("PORTAL_PACKS_BUCKET needs PORTAL_PACKS_REGION")
        if self.packs_bucket and self.packs_on_disk:
            raise ValueError("PORTAL_PACKS_BUCKET and PORTAL_PACKS_ON_DISK exclude each other")
        # The check of evidence takes what lies below its prefix, and has no row, for a file that belongs to nothing.
        if self.packs_bucket and self.packs_bucket == self.evidence_bucket:
            below = f"{self.evidence_prefix}/" if self.evidence_prefix else ""
            if f"{self.packs_prefix}/".startswith(below):
                raise ValueError("PORTAL_PACKS_PREFIX must lie outside of PORTAL_EVIDENCE_PREFIX in the same bucket")
        return self


def packs_storage(environment: Environment) -> dict[str, object]:
    """Return the STORAGES entry for audit packs: the bucket named in the environment, or a folder of PORTAL_HOME."""
    if not environment.packs_bucket:
        return {
            "BACKEND": "portal.core.durable_storage.DurableFileSystemStorage",
            "OPTIONS": {
                "location": environment.home.resolve() / "media" / "audit-packs",
                "file_permissions_mode": 0o600,
                "directory_permissions_mode": 0o700,
            },
        }
    key = environment.packs_kms_key
    return {
        "BACKEND": "governance.services.evidence_bucket.EvidenceBucket",
        "OPTIONS": {
            "bucket_name": environment.packs_bucket,
            "region_name": environment.packs_region,
            "location": environment.packs_prefix,
            "file_overwrite": False,
            "default_acl": None,
            "object_parameters": {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {},
        },
    }


def anchors_storage(environment: Environment) -> dict[str, object]:
    """Return the STORAGES entry for the audit trail's signed anchors: a bucket, or a folder of PORTAL_HOME.

    What keeps them in the bucket is its Object Lock with a default retention, which nobody of the portal may shorten.
    """
    if not environment.anchors_bucket:
        return {
            "BACKEND": "portal.core.write_once.WriteOnceStorage",
            "OPTIONS": {
                "location": environment.home.resolve() / "anchors",
                "directory_permissions_mode": 0o700,
            },
        }
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": environment.anchors_bucket,
            "location": environment.anchors_prefix,
            "file_overwrite": False,
            "default_acl": None,
        },
    }


def evidence_storage(environment: Environment) -> dict[str, object]:
    """Return the STORAGES entry for evidence: the bucket named in the environment, or a folder of PORTAL_HOME.

    Nothing is ever written over, and neither has public addresses.
    """
    if not environment.evidence_bucket:
        return {
            "BACKEND": "portal.core.durable_storage.DurableFileSystemStorage",
            "OPTIONS": {
                "location": environment.home.resolve() / "media" / "evidence",
                "file_permissions_mode": 0o600,
                "directory_permissions_mode": 0o700,
            },
        }
    key = environment.evidence_kms_key
    return {
        "BACKEND": "governance.services.evidence_bucket.EvidenceBucket",
        "OPTIONS": {
            "bucket_name": environment.evidence_bucket,
            "region_name": environment.evidence_region,
            "location": environment.evidence_prefix,
            "file_overwrite": False,
            "default_acl": None,
            "object_parameters": {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {},
        },
    }


def database_from_url(url: str) -> dict[str, object]:
    """Turn `postgresql://user:password@host:port/name?sslmode=...` into a Django DATABASES entry.

    Raises ValueError for any other scheme: the guard and audit triggers need PostgreSQL.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError(f"DATABASE_URL must start with postgresql://, not {parts.scheme}://")
    return {
        "ENGINE": "portal.core.database",
        "NAME": unquote(parts.path.lstrip("/")) or "portal",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": dict(parse_qsl(parts.query)),
    }
