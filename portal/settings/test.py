"""The test suite: real PostgreSQL and Valkey, cheap password hashing."""

from __future__ import annotations

from .local import *  # noqa: F403
from .local import REST_FRAMEWORK, STORAGES

SECRET_KEY = "test-only-not-a-secret-and-refused-by-the-production-settings"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["*"]
AXES_ENABLED = False
# Every test client makes the middleware anew: listing all static files each time was half of the pages' tests.
WHITENOISE_AUTOREFRESH = True
# What a test rolls back must not stay anchored: in memory, and emptied for each module.
STORAGES = {**STORAGES, "anchors": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
REST_FRAMEWORK = {**REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": {"sign_in": None}}
