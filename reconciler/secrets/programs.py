"""Programs that give secrets: helpers that reconciler.yaml allows, sops, age."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from threading import Event, Timer
from typing import Any

from reconciler.core.references import OWN_VARIABLES
from reconciler.errors import SecretUnavailable
from reconciler.secrets.keys import MAX_SECRET_BYTES, read_regular
from reconciler.secrets.local import Documents, ResolverContext, without_line_break

SECONDS = 60
_ALWAYS = (
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "LC_*", "TZ", "TMPDIR", "XDG_*",
    "SYSTEMROOT", "WINDIR", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA",
)  # fmt: skip
OF_SOPS = (
    "SOPS_*", "AWS_*", "VAULT_*", "GOOGLE_*", "CLOUDSDK_*", "AZURE_*", "GNUPGHOME", "GPG_*",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip
"""Variables of sops and of the key services that it asks: https://getsops.io/docs/."""
_SAFE_GIT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.bareRepository", "GIT_CONFIG_VALUE_0": "explicit",
}  # fmt: skip
"""Git asks nobody, and takes no folder for a repository that only looks like one: its settings could name programs."""


def environment_of(context: ResolverContext, names: Sequence[str]) -> dict[str, str]:
    """The variables of a program that is started.

    Args:
        names: what it gets beside what every program gets; a final * stands for any end.
    """
    found = {
        name: value
        for name, value in context.variables().items()
        if any(fnmatchcase(name, wanted) for wanted in (*_ALWAYS, *names)) and not name.startswith(OWN_VARIABLES)
    }
    return {**found, "PATH": _outside(found.get("PATH", os.defpath), context.root)}


def _outside(path: str, root: Path) -> str:
    """The directories of PATH that no pull request can put programs into."""
    folders = (folder for folder in path.split(os.pathsep) if os.path.isabs(folder))
    return os.pathsep.join(folder for folder in folders if not Path(os.path.realpath(folder)).is_relative_to(root))


def run_program(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    stdin: str = "",
    limit: int = MAX_SECRET_BYTES,
    seconds: float = SECONDS,
) -> tuple[int, bytes]:
    """Exit code and output of a program, which gets no terminal to ask on.

    Args:
        stdin: at most a few kilobytes.

    Raises:
        SecretUnavailable: it cannot be started, takes longer than `seconds` or says more than `limit` bytes.
    """
    child = _start(command, folder, {**environment, **_SAFE_GIT})
    late = Event()

    def end() -> None:
        late.set()
        _kill(child)

    timer = Timer(seconds, end)
    timer.daemon = True  # an interrupt while it starts must not leave the process waiting for it
    try:
        timer.start()
        output = _talk(child, stdin, limit)
        if len(output) <= limit:
            child.wait()
    finally:
        timer.cancel()
        if child.poll() is None:
            _kill(child)
            child.wait()
    if late.is_set():
        raise SecretUnavailable(f"the program {command[0]} took longer than {seconds:g} s", hint="does it wait for input?")  # fmt: skip
    if len(output) > limit:
        raise SecretUnavailable(f"the program {command[0]} says more than {limit // 1024} KiB", hint="is it the right one?")  # fmt: skip
    return child.returncode, output


def _start(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    from shutil import which

    program = which(command[0], path=environment.get("PATH")) if "/" not in command[0] else command[0]
    if program is None:
        raise SecretUnavailable(f"the program {command[0]} is not installed", hint=f"install {command[0]}, or add its directory to PATH")  # fmt: skip
    try:
        return subprocess.Popen(
            [program, *command[1:]],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as failure:
        reason = getattr(failure, "strerror", None) or "a name with a NUL character"
        raise SecretUnavailable(f"the program {command[0]} cannot be started: {reason}", hint="check its path and mode") from None  # fmt: skip


def _talk(child: "subprocess.Popen[bytes]", stdin: str, limit: int) -> bytes:
    """What the program says, or one byte more than `limit` of it."""
    assert child.stdin is not None and child.stdout is not None
    with child.stdout as said:
        with suppress(BrokenPipeError), child.stdin as asked:
            asked.write(stdin.encode())
        return said.read(limit + 1)


def _kill(child: "subprocess.Popen[bytes]") -> None:
    """End the program and what it has started."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


class ExecSecrets:
    """Asks helpers."""

    def __init__(self, context: ResolverContext) -> None:
        self._context = context

    def resolve(self, target: str) -> str:
        """What the helper says."""
        helper, _, name = target.partition(":")
        if not name or name.startswith("-") or not name.isprintable():
            raise SecretUnavailable(
                "it wants HELPER:NAME, and a NAME begins with no hyphen", hint="check the reference"
            )
        settings = self._context.helpers.get(helper)
        if settings is None:
            allowed = ", ".join(sorted(self._context.helpers)) or "none"
            hint = f"allow it in reconciler.yaml:  secrets: {{helpers: {{{helper}: {{command: [...]}}}}}}; allowed are: {allowed}"
            raise SecretUnavailable(f"the helper '{helper}' is not allowed", hint=hint)
        git = settings.get("protocol") == "git-credential"
        program, *words = settings["command"]
        command = [program, *(word.replace("{name}", name) for word in words)]
        stdin = f"url={name}\n\n" if git else ""
        code, output = run_program(
            command,
            folder=self._context.root,
            environment=environment_of(self._context, settings.get("variables", ())),
            stdin=stdin,
            seconds=settings.get("timeoutSeconds", SECONDS),
        )
        if code != 0:
            raise SecretUnavailable(f"the helper '{helper}' ended with exit code {code}", hint=f"run it by hand: {' '.join(command)}")  # fmt: skip
        try:
            text = output.decode("utf-8")
        except UnicodeDecodeError:
            raise SecretUnavailable(f"what the helper '{helper}' says is not UTF-8") from None
        value = _password(text) if git else without_line_break(text)
        if not value:
            raise SecretUnavailable(f"the helper '{helper}' says nothing", hint=f"run it by hand: {' '.join(command)}")
        return value


def _password(text: str) -> str:
    """The password attribute of git's credential protocol: https://git-scm.com/docs/git-credential#IOFMT."""
    found = (line.removeprefix("password=") for line in text.splitlines() if line.startswith("password="))
    return next(found, "")


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

    def __init__(self, context: ResolverContext) -> None:
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

    def __init__(self, context: ResolverContext) -> None:
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


def _read_identities(context: ResolverContext) -> list[Any]:
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
