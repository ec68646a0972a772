"""The environment variables the portal reads, typed, with one error naming every bad one at start."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Environment(BaseSettings):
    """Everything the portal takes from its environment."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)

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
    anchors_bucket: str = Field("", alias="PORTAL_ANCHORS_BUCKET")
    anchors_prefix: str = Field("audit-anchors", alias="PORTAL_ANCHORS_PREFIX")
    token_endpoint: bool = Field(True, alias="PORTAL_TOKEN_ENDPOINT")
    write_back_patience_minutes: int = Field(15, alias="PORTAL_WRITE_BACK_PATIENCE_MINUTES", ge=1, le=10_080)
    deployment_patience_days: int = Field(7, alias="PORTAL_DEPLOYMENT_PATIENCE_DAYS", ge=1, le=365)
    modifier_may_decide: bool = Field(False, alias="PORTAL_MODIFIER_MAY_DECIDE")
    gate_minutes: int = Field(15, alias="PORTAL_GATE_MINUTES", ge=1, le=1440)
    public_url: str = Field("http://127.0.0.1:8000", alias="PORTAL_PUBLIC_URL")
    log_level: str = Field("INFO", alias="PORTAL_LOG_LEVEL")

    @field_validator("allowed_hosts", "trusted_origins", "key_encryption_keys", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("key_encryption_keys")
    @classmethod
    def _hard_to_guess(cls, value: list[str]) -> list[str]:
        if any(len(secret) < 32 for secret in value):
            # The value itself must not be in the message.
            raise ValueError("each of the secrets must have at least 32 random characters")
        return value


def database_from_url(url: str) -> dict[str, object]:
    """Turn `postgresql://user:password@host:port/name?sslmode=...` into a Django DATABASES entry.

    Raises ValueError for any other scheme: the guard and audit triggers need PostgreSQL.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError(f"DATABASE_URL must start with postgresql://, not {parts.scheme}://")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "portal",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": dict(parse_qsl(parts.query)),
    }
