"""Production: every secret from the environment, HTTPS only."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from .base import *  # noqa: F403
from .base import ALLOWED_HOSTS, ENVIRONMENT, SECRET_KEY, STORAGES

if len(SECRET_KEY) < 50 or SECRET_KEY.startswith(("local-only", "test-only")):
    raise ImproperlyConfigured("Set PORTAL_SECRET_KEY to a random value of at least 50 characters.")
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("Set PORTAL_ALLOWED_HOSTS to the host names this portal answers to, comma separated.")
if not ENVIRONMENT.evidence_bucket and not ENVIRONMENT.evidence_on_disk:
    raise ImproperlyConfigured(
        "Set PORTAL_EVIDENCE_BUCKET and PORTAL_EVIDENCE_REGION to where evidence is kept, or"
        " PORTAL_EVIDENCE_ON_DISK=true when PORTAL_HOME is a disk that every process of the portal shares and that is"
        " backed up."
    )
if not ENVIRONMENT.packs_bucket and not ENVIRONMENT.packs_on_disk and not ENVIRONMENT.evidence_on_disk:
    raise ImproperlyConfigured(
        "Set PORTAL_PACKS_BUCKET and PORTAL_PACKS_REGION to where audit packs are kept, or PORTAL_PACKS_ON_DISK=true"
        " when PORTAL_HOME is a disk that every process of the portal shares."
    )

SECURE_SSL_REDIRECT = True
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
if ENVIRONMENT.proxy_count:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
