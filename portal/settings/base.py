"""Settings every environment shares; values come from the environment and nowhere else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from kombu import Exchange, Queue

from portal.schedule import as_wished, late_after

from .environment import Environment, anchors_storage, database_from_url, evidence_storage, packs_storage

BASE_DIR = Path(__file__).resolve().parents[2]
ENVIRONMENT = Environment()  # type: ignore[call-arg]  # every field comes from the environment

SECRET_KEY = ENVIRONMENT.secret_key
# Secrets that encrypt private keys at rest, newest first; without any, the secret key does.
PORTAL_KEY_ENCRYPTION_KEYS = ENVIRONMENT.key_encryption_keys
DEBUG = False
ALLOWED_HOSTS = ENVIRONMENT.allowed_hosts
CSRF_TRUSTED_ORIGINS = ENVIRONMENT.trusted_origins
PORTAL_PUBLIC_URL = ENVIRONMENT.public_url
# Requests at once to one service of one account and region, from one process.
PORTAL_AWS_CONCURRENCY = ENVIRONMENT.aws_concurrency
# How long the answer to a POST with an Idempotency-Key is given again.
PORTAL_IDEMPOTENCY = timedelta(hours=ENVIRONMENT.idempotency_hours)
# How long an answer of the gate may be relied on.
PORTAL_GATE_MINUTES = ENVIRONMENT.gate_minutes
# Networks, such as 10.20.0.0/16, that signed webhooks may go to although they are not public; there also over http.
PORTAL_WEBHOOK_ALLOWED_NETWORKS = ENVIRONMENT.webhook_allowed_networks
PORTAL_TRACKING_ALLOWED_NETWORKS = ENVIRONMENT.tracking_allowed_networks
# People are reminded so long before a request is due; one overdue for so long is escalated to ML admins as well.
PORTAL_REMINDER = timedelta(hours=ENVIRONMENT.reminder_hours)
PORTAL_ESCALATION = timedelta(hours=ENVIRONMENT.escalation_hours)
PORTAL_REVIEW_REMINDER = timedelta(days=ENVIRONMENT.review_reminder_days)
# Without a server no e-mail is made: people read in the portal, and their settings say so.
PORTAL_EMAIL_IS_ON = bool(ENVIRONMENT.email_host)
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if ENVIRONMENT.email_host else 'dummy'}.EmailBackend"
EMAIL_HOST, EMAIL_PORT = ENVIRONMENT.email_host, ENVIRONMENT.email_port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = ENVIRONMENT.email_user, ENVIRONMENT.email_password
EMAIL_USE_TLS = ENVIRONMENT.email_security == "starttls"
EMAIL_USE_SSL = ENVIRONMENT.email_security == "tls"
# Seconds for each step of talking to the server.
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENVIRONMENT.email_from
# A finding opens when a decision waits longer than this for its way to AWS, or a deployment to be reported.
PORTAL_WRITE_BACK_PATIENCE_MINUTES = ENVIRONMENT.write_back_patience_minutes
PORTAL_DEPLOYMENT_PATIENCE_DAYS = ENVIRONMENT.deployment_patience_days
# How many worker processes may copy artifacts at once; fewer than there are, so that a decision never waits for one.
OUTBOX_SLOW_TASKS = ENVIRONMENT.outbox_slow_tasks
# How far an incremental sync reads back behind the last one: the search index follows writes with a delay.
PORTAL_SYNC_OVERLAP = timedelta(minutes=ENVIRONMENT.sync_overlap_minutes)
# How many lists and descriptions one pass asks of AWS at the same time.
PORTAL_AWS_READS_AT_ONCE = ENVIRONMENT.aws_reads_at_once
# POST /api/v1/auth/token/ changes a password into a token; an organisation with single sign-on switches it off.
PORTAL_TOKEN_ENDPOINT = ENVIRONMENT.token_endpoint
# Requests a minute that one token, one session or one unknown address may make of the API (0: as many as it likes), and
# how many of them at once.
PORTAL_API_RATE = 1_200 if ENVIRONMENT.api_rate is None else ENVIRONMENT.api_rate
PORTAL_API_BURST = ENVIRONMENT.api_burst or max(1, PORTAL_API_RATE // 6)
# Separation of duties: whether who last modified a version in AWS may decide on it. Who registered it never may.
PORTAL_MODIFIER_MAY_DECIDE = ENVIRONMENT.modifier_may_decide

INSTALLED_APPS = [
    "portal.core.apps.CoreConfig",
    "registry.apps.RegistryConfig",
    "governance.apps.GovernanceConfig",
    "portal.dashboard.apps.DashboardConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "guardian",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "template_partials",
    "django_tables2",
    "crispy_forms",
    "crispy_bootstrap5",
    "axes",
    "csp",
]

MIDDLEWARE = [
    # A call with a token goes from here to its view; all the others go on.
    "portal.api.middleware.TokenCalls",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.core.middleware.CorrelationMiddleware",
    "portal.core.middleware.DomainErrorMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.navigation.navigation",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

DATABASES = {"default": database_from_url(ENVIRONMENT.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = ENVIRONMENT.redis_url
CACHES = {
    "default": {
        "BACKEND": "portal.core.redis_cache.RedisCache",
        "LOCATION": REDIS_URL,
        # Seconds: what counts in Redis goes on without it, and must not wait for one that hangs.
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 5},
    }
}

AUTH_USER_MODEL = "registry.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign_in"
ANONYMOUS_USER_NAME = None  # guardian: nobody holds rights without signing in

# Ten wrong passwords for one name from one address within the cool-off lock that pair out.
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_HANDLER = "axes.handlers.cache.AxesCacheHandler"
AXES_IPWARE_PROXY_COUNT = ENVIRONMENT.proxy_count
AXES_VERBOSE = False
AXES_LOCKOUT_TEMPLATE = "registration/lockout.html"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT: Path | None = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "portal" / "static"]
MEDIA_ROOT = ENVIRONMENT.home / "media"
# Bytes. The handler bounds what one request may carry in files, before anybody asks who sends them.
PORTAL_EVIDENCE_MAX_BYTES = ENVIRONMENT.evidence_max_mb * 1024 * 1024
# How long the file of an audit pack is kept, and how many bytes of evidence one may hold.
PORTAL_PACK_DAYS = ENVIRONMENT.pack_days
PORTAL_PACK_EVIDENCE_MAX_BYTES = ENVIRONMENT.pack_evidence_max_mb * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "portal.core.uploads.BoundedUploads",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FILES = 4
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "evidence": evidence_storage(ENVIRONMENT),
    "packs": packs_storage(ENVIRONMENT),
    # The signed anchors of the audit trail: out of the database's reach, and in a bucket with Object Lock out of ours.
    "anchors": anchors_storage(ENVIRONMENT),
}

CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"
DJANGO_TABLES2_TEMPLATE = "django_tables2/portal.html"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "portal.core.error_views.csrf_failure"

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "portal.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["portal.api.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["portal.api.parsers.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "portal.api.negotiation.ContentNegotiation",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_FILTER_BACKENDS": [
        "portal.api.filtering.Filtering",
        "portal.api.filtering.Searching",
        "portal.api.ordering.StableOrdering",
    ],
    "DEFAULT_PAGINATION_CLASS": "portal.api.pagination.CursorPagination",
    "DEFAULT_SCHEMA_CLASS": "portal.core.openapi.PortalSchema",
    "DEFAULT_THROTTLE_CLASSES": ["portal.api.throttling.RequestRate"],
    "DEFAULT_THROTTLE_RATES": {"sign_in": "30/min"},
    # Behind no proxy the X-Forwarded-For header is only what the caller says of himself.
    "NUM_PROXIES": ENVIRONMENT.proxy_count,
    "EXCEPTION_HANDLER": "portal.api.problem.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Model Governance Portal",
    "DESCRIPTION": "Send `Authorization: Token <token>`;"
    + (
        " `POST /api/v1/auth/token/` changes a password into one."
        if ENVIRONMENT.token_endpoint
        else " tokens are made in the pages, under Profile, API tokens."
    )
    + " What you may not see is 404, what you may see but not do 403, a legal call at the wrong moment 409, an edit of"
    " what changed meanwhile 412. Query parameters and fields that are not known are refused with 400.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "portal.core.openapi.any_value_once"],
    "ENUM_NAME_OVERRIDES": {
        "Stage": "portal.core.vocabulary.Stage.choices",
        "LivingStage": "governance.choices.LIVING_STAGE_CHOICES",
        "ModelStage": "governance.choices.MODEL_STAGE_CHOICES",
        "Status": "portal.core.vocabulary.Status.choices",
        "RiskClass": "portal.core.vocabulary.RiskClass.choices",
        "RiskRating": "portal.core.vocabulary.RiskRating.choices",
        "Role": "portal.core.vocabulary.Role.choices",
        "SubjectKind": "portal.core.vocabulary.SubjectKind.choices",
        "CardStatus": "registry.choices.CardStatus.choices",
        "Serves": "governance.serving_words.Serves.choices",
        "AuditCheckScope": "governance.choices.AuditCheckScope.choices",
        "AuditCheckState": "governance.choices.AuditCheckState.choices",
        "AccountPurpose": "registry.choices.AccountPurpose.choices",
        "AskedState": "registry.choices.AskedState.choices",
        "AttributeType": "registry.choices.AttributeType.choices",
        "ObjectKind": "registry.choices.ObjectKind.choices",
        "DeclarationState": "registry.choices.DeclarationState.choices",
        "DeploymentMode": "registry.choices.DeploymentMode.choices",
        "DeploymentState": "registry.choices.DeploymentState.choices",
        "DocumentKind": "registry.choices.DocumentKind.choices",
        "ShareState": "registry.choices.ShareState.choices",
        "SyncKind": "registry.choices.SyncKind.choices",
        "TrackingLogin": "registry.choices.TrackingLogin.choices",
        "SyncState": "registry.choices.SyncState.choices",
        "EventProblem": "registry.choices.EventProblem.choices",
        "ParkedEventState": "registry.choices.ParkedEventState.choices",
        "CallbackOutcome": "governance.choices.CallbackOutcome.choices",
        "CallbackSource": "governance.choices.CallbackSource.choices",
        "ChannelKind": "governance.choices.ChannelKind.choices",
        "OrderAction": "governance.choices.OrderAction.choices",
        "Agreement": "governance.choices.Agreement.choices",
        "DecisionSource": "governance.choices.DecisionSource.choices",
        "OutsideOutcome": "governance.choices.OutsideOutcome.choices",
        "OutsideResponse": "governance.choices.OutsideResponse.choices",
        "EvidenceKind": "portal.core.vocabulary.EvidenceKind.choices",
        "EvidenceSource": "governance.choices.EvidenceSource.choices",
        "FindingKind": "governance.choices.FindingKind.choices",
        "FindingState": "governance.choices.FindingState.choices",
        "GateDecision": "governance.choices.GateDecision.choices",
        "MetricKind": "governance.choices.MetricKind.choices",
        "OutboxKind": "governance.choices.OutboxKind.choices",
        "OutboxState": "governance.choices.OutboxState.choices",
        "PackScope": "governance.choices.PackScope.choices",
        "PackState": "governance.choices.PackState.choices",
        "PolicyState": "governance.choices.PolicyState.choices",
        "RequestState": "governance.choices.REQUEST_STATE_CHOICES",
        "SearchKind": "governance.api.search.KIND_CHOICES",
        "NotificationKind": "portal.core.vocabulary.NotificationKind.choices",
        "ChatKind": "portal.core.vocabulary.ChatKind.choices",
        "WebhookState": "portal.core.vocabulary.WebhookState.choices",
        "DeliveryState": "portal.core.vocabulary.DeliveryState.choices",
        "ShareVerb": "registry.sharing.verbs.Verb.choices",
        "Severity": "governance.choices.Severity.choices",
        "SigningAlgorithm": "governance.choices.SigningAlgorithm.choices",
        "SigningKeyState": "governance.choices.SigningKeyState.choices",
        "Verdict": "governance.choices.Verdict.choices",
    },
}
KNOX_TOKEN_MODEL = "registry.ApiToken"
REST_KNOX = {
    "TOKEN_MODEL": KNOX_TOKEN_MODEL,
    "TOKEN_TTL": timedelta(hours=10),
    "TOKEN_LIMIT_PER_USER": 20,
    "AUTO_REFRESH": False,
    "AUTH_HEADER_PREFIX": "Token",
}

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# The broker redelivers a task that was not acknowledged within this time, so no task may run as long.
CELERY_TASK_TIME_LIMIT = 600
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 900}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
# What is read of AWS beside the registry waits in a queue of its own: a worker takes from both by turns.
CELERY_TASK_QUEUES = tuple(Queue(name, Exchange(name), routing_key=name) for name in ("celery", "readings"))
CELERY_TASK_ROUTES = {"governance.read_aws": {"queue": "readings"}}
CELERY_BEAT_SCHEDULE = as_wished(ENVIRONMENT.readings)
# After how long without a reading of a kind its page says that it is late.
PORTAL_READINGS_LATE = late_after(CELERY_BEAT_SCHEDULE)
# How many worker processes may be reading at once; fewer than there are, so that a decision never waits for them.
PORTAL_READINGS_AT_ONCE = ENVIRONMENT.readings_at_once
# Kinds of readings of AWS that this portal does without; "Sync now" leaves them out as well.
PORTAL_READINGS_OFF = frozenset(kind for kind, minutes in ENVIRONMENT.readings.items() if not minutes)
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": ENVIRONMENT.log_level},
    "loggers": {
        "botocore": {"level": "WARNING"},
        # A role that cannot be assumed is on its account's page, and refused in words; here it is a traceback a minute.
        "botocore.credentials": {"level": "ERROR"},
        "celery.beat": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}
