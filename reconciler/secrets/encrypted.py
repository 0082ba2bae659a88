"""Files that are encrypted in the repository: {sops: FILE#KEY} by the program sops, {age: FILE} by pyrage."""

import json
from typing import Any

from reconciler.errors import SecretUnavailable
from reconciler.secrets.context import Context
from reconciler.secrets.documents import Documents
from reconciler.secrets.local import without_line_break
from reconciler.secrets.programs import OF_SOPS, environment_of, run_program
from reconciler.secrets.regular import read_regular

_MAX_FILE_BYTES = 4 * 1024 * 1024
_SOPS_CODES = {
    24: "it was altered after it was encrypted",
    25: "it was altered after it was encrypted",
    51: "it was altered after it was encrypted",
    128: "none of its keys is at hand",
}
"""Of sops: https://github.com/getsops/sops/blob/main/cmd/sops/codes/codes.go."""
_IDENTITY_MARK = "AGE-SECRET-KEY-1"
"""A key file may hold comments, and identities of plug-ins that pyrage cannot use."""
_IDENTITIES = ("SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE")


class SopsSecrets:
    """Decrypts files with the program sops."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._values = Documents(self._decrypt)
        self._whole = Documents(self._decrypt_whole)

    def resolve(self, target: str) -> str:
        """The value at FILE#KEY, or the whole file."""
        return (self._values if "#" in target else self._whole).resolve(target)

    def _decrypt(self, file: str) -> Any:
        try:
            return json.loads(self._run(file, "--output-type", "json"))
        except ValueError:
            raise SecretUnavailable("it holds no keys", hint="remove the part behind #") from None

    def _decrypt_whole(self, file: str) -> str:
        return without_line_break(self._run(file))

    def _run(self, file: str, *options: str) -> str:
        path, _ = self._context.own.read(file, _MAX_FILE_BYTES)
        command = ["sops", "decrypt", *options, path]
        environment = environment_of(self._context, OF_SOPS)
        code, output = run_program(command, folder=self._context.root, environment=environment, limit=_MAX_FILE_BYTES)
        if code != 0:
            reason = _SOPS_CODES.get(code, f"sops ended with exit code {code}")
            raise SecretUnavailable(reason, hint=f"try by hand: sops decrypt {file}; for age set SOPS_AGE_KEY_FILE")
        return output.decode("utf-8", "replace")


class AgeSecrets:
    """Decrypts files of age."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._identities: list[Any] | None = None

    def resolve(self, target: str) -> str:
        """The file's text."""
        try:
            import pyrage
        except ImportError:
            raise SecretUnavailable("pyrage is not installed", hint="run: pip install 'reconciler[age]'") from None
        _, data = self._context.own.read(target, _MAX_FILE_BYTES)
        try:
            value = without_line_break(pyrage.decrypt(data, self._own_identities()).decode("utf-8"))
        except pyrage.DecryptError:
            hint = f"{' or '.join(_IDENTITIES)} should hold the identity that it was encrypted for"
            raise SecretUnavailable("it cannot be decrypted with the identity at hand", hint=hint) from None
        except UnicodeDecodeError:
            raise SecretUnavailable("it is not UTF-8", hint="encrypt a text") from None
        if not value:
            raise SecretUnavailable("it is empty", hint="encrypt the secret")
        return value

    def _own_identities(self) -> list[Any]:
        if self._identities is None:
            self._identities = _read_identities(self._context)
        return self._identities


def _read_identities(context: Context) -> list[Any]:
    from pyrage import IdentityError, x25519

    text = context.lookup("SOPS_AGE_KEY")
    if not text:
        file = context.lookup("SOPS_AGE_KEY_FILE")
        if not file:
            raise SecretUnavailable("there is no identity to decrypt it with", hint=f"set {' or '.join(_IDENTITIES)}")
        try:
            text = read_regular(context.root / file).decode("utf-8", "replace")
        except OSError as failure:
            raise SecretUnavailable(f"SOPS_AGE_KEY_FILE: {failure.strerror}", hint="check it") from None
        except SecretUnavailable as failure:
            raise SecretUnavailable(f"SOPS_AGE_KEY_FILE: {failure.message}", hint=failure.hint) from None
    lines = [line.strip() for line in text.splitlines()]
    try:
        found = [x25519.Identity.from_str(line) for line in lines if line.startswith(_IDENTITY_MARK)]
    except IdentityError:
        found = []
    if not found:
        raise SecretUnavailable(f"{' or '.join(_IDENTITIES)} holds no age identity", hint="make one with age-keygen")
    return found
