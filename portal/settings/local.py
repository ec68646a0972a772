"""A laptop: demo data and demo passwords are allowed here and nowhere else."""

from __future__ import annotations

from .base import *  # noqa: F403
from .base import AUTH_PASSWORD_VALIDATORS, ENVIRONMENT, INSTALLED_APPS

# Read by `load_demo` and `make up`: any other settings refuse demo data.
PORTAL_ALLOW_DEMO = True
SECRET_KEY = ENVIRONMENT.secret_key or "local-only-not-a-secret-and-refused-by-the-production-settings"
ALLOWED_HOSTS = ENVIRONMENT.allowed_hosts or ["127.0.0.1", "localhost", "[::1]"]
INSTALLED_APPS = [*INSTALLED_APPS, "portal.local.apps.LocalConfig"]
AUTH_PASSWORD_VALIDATORS = AUTH_PASSWORD_VALIDATORS[:0]
# One token is the whole load of a benchmark here: ten thousand requests a second.
PORTAL_API_RATE = 600_000 if ENVIRONMENT.api_rate is None else ENVIRONMENT.api_rate
PORTAL_API_BURST = ENVIRONMENT.api_burst or max(1, PORTAL_API_RATE // 6)
# Served from the source folders: nobody waits for collectstatic on a laptop.
# Nothing is collected, so there is no folder of collected files.
STATIC_ROOT = None
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
# E-mails go to the worker's log, unless a server is named.
PORTAL_EMAIL_IS_ON = True
if not ENVIRONMENT.email_host:
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
