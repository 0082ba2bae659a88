"""Settings; what differs between runs comes from the environment."""

import os

SECRET_KEY = "only for the tests"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "servers.django_oauth.urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "oauth2_provider"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["OAUTH_DATABASE"],
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
    }
}
# The tables are made from the models, not by replaying years of migrations: seconds a start.
MIGRATION_MODULES = {"contenttypes": None, "auth": None, "oauth2_provider": None}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick; nothing here is worth protecting
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
OAUTH2_PROVIDER = {
    "ACCESS_TOKEN_EXPIRE_SECONDS": int(os.environ["OAUTH_LIFETIME"]),
    "REFRESH_TOKEN_EXPIRE_SECONDS": 86400,
    "ROTATE_REFRESH_TOKEN": True,
    "SCOPES": {"read": "Reading", "write": "Writing"},
    "DEFAULT_SCOPES": ["read"],
}
