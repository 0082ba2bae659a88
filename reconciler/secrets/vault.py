"""{vault: PATH#KEY}: the key-value store of HashiCorp Vault or OpenBao, by hvac."""

from typing import Any

from reconciler.errors import SecretUnavailable
from reconciler.secrets.context import Context
from reconciler.secrets.documents import Documents

_SECONDS = 15
_NOT_FOUND = "there is no such secret"


class VaultSecrets:
    """Reads secrets with the settings that Vault's own programs read; BAO_ names win over VAULT_ ones."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._documents = Documents(self._read)

    def resolve(self, target: str) -> str:
        """The value at PATH#KEY."""
        return self._documents.resolve(target)

    def _read(self, path: str) -> Any:
        try:
            import hvac
            from hvac import exceptions
            from requests import RequestException
        except ImportError:
            raise SecretUnavailable("hvac is not installed", hint="run: pip install 'reconciler[vault]'") from None
        address = self._setting("ADDR")
        if not address:
            raise SecretUnavailable("VAULT_ADDR is not set", hint="set VAULT_ADDR and VAULT_TOKEN")
        try:
            client = hvac.Client(
                url=address,
                token=self._setting("TOKEN") or None,
                namespace=self._setting("NAMESPACE") or None,
                verify=self._setting("CACERT") or True,
                timeout=_SECONDS,
            )
            self._log_in(client)
            return _read_key_value(client, path)
        except exceptions.Forbidden:
            raise SecretUnavailable("Vault does not allow it", hint="check VAULT_TOKEN and its policies") from None
        except exceptions.InvalidPath:
            raise SecretUnavailable(_NOT_FOUND, hint=f"look for it: vault kv get {path}") from None
        except exceptions.VaultDown:
            raise SecretUnavailable("Vault is sealed or down", hint="look at it: vault status") from None
        except exceptions.VaultError as failure:
            raise SecretUnavailable(f"Vault refused the request ({type(failure).__name__})", hint="see Vault's audit log") from None  # fmt: skip
        except (RequestException, OSError, ValueError) as failure:
            raise SecretUnavailable(f"Vault does not answer ({type(failure).__name__})", hint="check VAULT_ADDR and VAULT_CACERT") from None  # fmt: skip

    def _setting(self, name: str) -> str:
        return self._context.lookup(f"BAO_{name}", f"VAULT_{name}")

    def _log_in(self, client: Any) -> None:
        """By AppRole, when there is no token."""
        role, secret = self._setting("ROLE_ID"), self._setting("SECRET_ID")
        if client.token:
            return
        if not role:
            hint = "set VAULT_TOKEN, or VAULT_ROLE_ID and VAULT_SECRET_ID"
            raise SecretUnavailable("there is no token for Vault", hint=hint)
        client.auth.approle.login(role_id=role, secret_id=secret or None)


def _read_key_value(client: Any, path: str) -> Any:
    """The data of a secret, in either version of the store."""
    mount, version = _mount(client, path)
    below = path.removeprefix(mount).strip("/")
    if version == "2":
        answer = client.secrets.kv.v2.read_secret_version(below, mount_point=mount.strip("/"), raise_on_deleted_version=True)  # fmt: skip
        return answer["data"]["data"]
    return client.secrets.kv.v1.read_secret(below, mount_point=mount.strip("/"))["data"]


def _mount(client: Any, path: str) -> tuple[str, str]:
    """Where the store that holds `path` is mounted, and its version, asked as Vault's own programs ask.

    A server that does not say has it at the first step of the path, in version 2.
    """
    from hvac.exceptions import VaultError

    try:
        found = client.adapter.get(f"/v1/sys/internal/ui/mounts/{path}")["data"]
        return found["path"], str((found.get("options") or {}).get("version", "1"))
    except (VaultError, KeyError, TypeError):
        return path.partition("/")[0] + "/", "2"
