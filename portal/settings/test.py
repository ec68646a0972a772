"""The test suite: real PostgreSQL and Valkey, cheap password hashing."""

from __future__ import annotations

from .local import *  # noqa: F403
from .local import REST_FRAMEWORK

SECRET_KEY = "test-only-not-a-secret-and-refused-by-the-production-settings"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["*"]
AXES_ENABLED = False
WHITENOISE_AUTOREFRESH = False
REST_FRAMEWORK = {**REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": {"sign_in": None}}
