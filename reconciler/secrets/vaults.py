"""Secrets of HashiCorp Vault or OpenBao, and of AWS Secrets Manager."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any
from urllib.parse import quote

from reconciler.errors import SecretUnavailable
from reconciler.secrets.local import Documents, ResolverContext

_SECONDS = 15
_KEY_VALUE = ("kv", "generic")
"""Types of the mounts that references may lead to; `generic` is what old servers say."""


class VaultSecrets:
    """Reads secrets with the settings that Vault's own programs read; BAO_ names win over VAULT_ ones."""

    def __init__(self, context: ResolverContext) -> None:
        self._context = context
        self._documents = Documents(self._read)
        self._lock = Lock()
        self._client: Any = None

    def resolve(self, target: str) -> str:
        """The value at PATH#KEY."""
        return self._documents.resolve(target)

    def _read(self, path: str) -> Any:
        if any(step in ("", ".", "..") for step in path.split("/")):
            raise SecretUnavailable("its path has an empty step, . or ..", hint="write it out")
        client = self._open()
        with _in_words(path):
            return _read_key_value(client, path)

    def _open(self) -> Any:
        """One client, logged in once, for all threads. That it cannot be had is remembered too: no second attempt."""
        with self._lock:
            if self._client is None:
                try:
                    self._client = self._log_in()
                except SecretUnavailable as failure:
                    self._client = failure
        if isinstance(self._client, SecretUnavailable):
            raise SecretUnavailable(self._client.message, hint=self._client.hint)
        return self._client

    def _log_in(self) -> Any:
        try:
            import hvac
        except ImportError:
            raise SecretUnavailable("hvac is not installed", hint="run: pip install 'reconciler[vault]'") from None
        address = self._setting("ADDR")
        if not address:
            raise SecretUnavailable("VAULT_ADDR is not set", hint="set VAULT_ADDR and VAULT_TOKEN")
        with _in_words():
            client = hvac.Client(
                url=address,
                token=self._setting("TOKEN") or None,
                namespace=self._setting("NAMESPACE") or None,
                verify=self._setting("CACERT") or True,
                timeout=_SECONDS,
            )
            client.session.hooks["response"].append(_refuse_downgrade)
            if not client.token:
                self._use_app_role(client)
            return client

    def _setting(self, name: str) -> str:
        return self._context.lookup(f"BAO_{name}", f"VAULT_{name}")

    def _use_app_role(self, client: Any) -> None:
        from hvac.exceptions import Forbidden, InvalidPath, InvalidRequest

        role, secret = self._setting("ROLE_ID"), self._setting("SECRET_ID")
        if not role:
            hint = "set VAULT_TOKEN, or VAULT_ROLE_ID and VAULT_SECRET_ID"
            raise SecretUnavailable("there is no token for Vault", hint=hint)
        try:
            client.auth.approle.login(role_id=role, secret_id=secret or None)
        except (Forbidden, InvalidPath, InvalidRequest):
            hint = "check VAULT_ROLE_ID and VAULT_SECRET_ID"
            raise SecretUnavailable("Vault does not accept the AppRole", hint=hint) from None


@contextmanager
def _in_words(path: str = "") -> Iterator[None]:
    """Failures of hvac, which may carry answers of the server, become words of ours."""
    from hvac import exceptions
    from requests import RequestException

    try:
        yield
    except exceptions.Forbidden:
        raise SecretUnavailable("Vault does not allow it", hint="check VAULT_TOKEN and its policies") from None
    except exceptions.InvalidPath:
        raise SecretUnavailable("there is no such secret", hint=f"look for it: vault kv get {path}") from None
    except exceptions.VaultDown:
        raise SecretUnavailable("Vault is sealed or down", hint="look at it: vault status") from None
    except exceptions.VaultError as failure:
        raise SecretUnavailable(f"Vault refused the request ({type(failure).__name__})", hint="see Vault's audit log") from None  # fmt: skip
    except (RequestException, OSError, ValueError) as failure:
        raise SecretUnavailable(f"Vault does not answer ({type(failure).__name__})", hint="check VAULT_ADDR and VAULT_CACERT") from None  # fmt: skip
    except (AttributeError, LookupError, TypeError):  # hvac passes on what is no JSON, or JSON of another form
        raise SecretUnavailable("what answers is not Vault", hint="check VAULT_ADDR") from None


def _refuse_downgrade(answer: Any, **_: Any) -> None:
    """A standby server sends its clients on to the active one; requests would take Vault's token to plain http too."""
    target = answer.headers.get("Location", "").lower()
    if answer.is_redirect and answer.url.startswith("https:") and target.startswith("http:"):
        raise SecretUnavailable("Vault redirects to plain http", hint="check VAULT_ADDR, and Vault's api_addr")


def _read_key_value(client: Any, path: str) -> Any:
    """The data of a secret, in either version of the store."""
    mount, version = _mount(client, path)
    below = path.removeprefix(mount).strip("/")
    if version == "2":
        answer = client.secrets.kv.v2.read_secret_version(below, mount_point=mount.strip("/"), raise_on_deleted_version=True)  # fmt: skip
        found = answer["data"]["data"]
    else:
        found = client.secrets.kv.v1.read_secret(below, mount_point=mount.strip("/"))["data"]
    if not isinstance(found, dict):
        raise TypeError
    return found


def _mount(client: Any, path: str) -> tuple[str, str]:
    """Where the store that holds `path` is mounted, and its version, asked as Vault's own programs ask.

    A server that does not say has it at the first step of the path, in version 2.

    Raises:
        SecretUnavailable: something else is mounted there. Reading may have effects in it, or give away Vault's
            own tokens.
    """
    from hvac.exceptions import VaultDown, VaultError

    try:
        found = client.adapter.get(f"/v1/sys/internal/ui/mounts/{quote(path)}")["data"]
        mount, sort, options = found["path"], found.get("type"), found.get("options") or {}
    except VaultDown:
        raise
    except VaultError:
        return path.partition("/")[0] + "/", "2"
    if sort not in _KEY_VALUE:
        raise SecretUnavailable("its path leads to no key-value store", hint="look for one: vault secrets list")
    return mount, str(options.get("version", "1"))


_HINTS = {
    "ResourceNotFoundException": "check the name and AWS_REGION",
    "AccessDeniedException": "it wants the permission secretsmanager:GetSecretValue",
    "UnrecognizedClientException": "check the AWS credentials",
    "InvalidSignatureException": "check the AWS credentials",
    "ExpiredTokenException": "renew the AWS credentials",
}


class AwsSecrets:
    """Reads secrets of Secrets Manager."""

    def __init__(self, context: ResolverContext) -> None:
        self._context = context
        self._documents = Documents(self._read)
        self._lock = Lock()
        self._client: Any = None

    def resolve(self, target: str) -> str:
        """The secret NAME, or a key of the JSON that it holds."""
        return self._documents.resolve(target)

    def _read(self, name: str) -> str:
        try:
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError:
            raise SecretUnavailable("boto3 is not installed", hint="run: pip install 'reconciler[aws]'") from None
        try:
            answer = self._open().get_secret_value(SecretId=name)
        except ClientError as failure:
            code = str(failure.response.get("Error", {}).get("Code", "ClientError"))
            raise SecretUnavailable(f"AWS answered {code}", hint=_HINTS.get(code, "see the AWS console")) from None
        except (BotoCoreError, ValueError) as failure:
            hint = "set AWS_REGION and the AWS credentials"
            raise SecretUnavailable(f"AWS cannot be asked ({type(failure).__name__})", hint=hint) from None
        if not isinstance(answer.get("SecretString"), str):
            raise SecretUnavailable("it holds bytes, not a text", hint="store it as SecretString")
        text: str = answer["SecretString"]
        return text

    def _open(self) -> Any:
        """One client for all threads, which boto3 allows."""
        with self._lock:
            if self._client is None:
                import boto3
                from botocore.config import Config

                look = self._context.lookup
                session = boto3.Session(
                    aws_access_key_id=look("AWS_ACCESS_KEY_ID") or None,
                    aws_secret_access_key=look("AWS_SECRET_ACCESS_KEY") or None,
                    aws_session_token=look("AWS_SESSION_TOKEN") or None,
                    region_name=look("AWS_REGION", "AWS_DEFAULT_REGION") or None,
                    profile_name=look("AWS_PROFILE") or None,
                )
                self._client = session.client(
                    "secretsmanager",
                    endpoint_url=look("AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL") or None,
                    config=Config(connect_timeout=10, read_timeout=15, retries={"total_max_attempts": 3}),
                )
            return self._client
