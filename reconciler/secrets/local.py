"""Secrets of this machine: variables of the environment, and files."""

import os
import stat

from reconciler.errors import SecretUnavailable
from reconciler.secrets.context import Context

MAX_SECRET_BYTES = 64 * 1024
_NEVER_WAIT = getattr(os, "O_NONBLOCK", 0)  # opening a pipe would wait for somebody to write to it


class EnvSecrets:
    """{env: NAME}: from the environment, then from the env file: a pipeline's own variables win over an example."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def resolve(self, target: str) -> str:
        """The variable's value."""
        value = self._context.lookup(target)
        if not value:
            state = "is empty" if target in self._context.environment else "is not set"
            where = f" and not in {self._context.env_file}" if self._context.env_file else ""
            raise SecretUnavailable(f"{target} {state}{where}", hint=f"set {target}, or name a file with --env-file")
        if not value.isascii() and not _is_text(value):
            raise SecretUnavailable(f"{target} is not UTF-8", hint="encode it, e.g. in base64")
        return value


class FileSecrets:
    """{file: PATH}. One final line break is not part of the secret."""

    def __init__(self, context: Context) -> None:
        self._root = context.root

    def resolve(self, target: str) -> str:
        """The file's text."""
        path = self._root / target
        data = read_regular(path)
        try:
            value = without_line_break(data.decode("utf-8"))
        except UnicodeDecodeError:
            # the cause would carry the bytes
            raise SecretUnavailable("it is not UTF-8", hint="name a text file") from None
        if not value:
            raise SecretUnavailable("it is empty", hint=f"write the secret to {path}")
        return value


def read_regular(path: "str | os.PathLike[str]", limit: int = MAX_SECRET_BYTES) -> bytes:
    """The bytes of a file that is no device and no pipe.

    Raises:
        SecretUnavailable: there is none, or it holds more than `limit` bytes.
    """
    try:
        with open(os.open(path, os.O_RDONLY | _NEVER_WAIT), "rb") as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise SecretUnavailable("it is not a regular file", hint="name a file")
            data = opened.read(limit + 1)
    except OSError as failure:
        raise SecretUnavailable(f"{failure.strerror}", hint=f"provide the file {os.fspath(path)}") from failure
    except ValueError:
        raise SecretUnavailable("no file can have this name", hint="it holds a NUL character") from None
    if len(data) > limit:
        raise SecretUnavailable(f"it holds more than {limit // 1024} KiB", hint="name the right file")
    return data


def without_line_break(text: str) -> str:
    """The text without one final line break."""
    return text.removesuffix("\n").removesuffix("\r")


def _is_text(value: str) -> bool:
    """Whether `value` is text; bytes of the environment that are not UTF-8 become lone surrogates."""
    return not any("\ud800" <= char <= "\udfff" for char in value)
