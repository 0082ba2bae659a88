"""Secrets of this machine: variables of the environment, and files."""

from reconciler.errors import SecretUnavailable
from reconciler.secrets.context import Context


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
        self._context = context

    def resolve(self, target: str) -> str:
        """The file's text."""
        path, data = self._context.own.read(target)
        try:
            value = without_line_break(data.decode("utf-8"))
        except UnicodeDecodeError:
            # the cause would carry the bytes
            raise SecretUnavailable("it is not UTF-8", hint="name a text file") from None
        if not value:
            raise SecretUnavailable("it is empty", hint=f"write the secret to {path}")
        return value


def without_line_break(text: str) -> str:
    """The text without one final line break."""
    return text.removesuffix("\n").removesuffix("\r")


def _is_text(value: str) -> bool:
    """Whether `value` is text; bytes of the environment that are not UTF-8 become lone surrogates."""
    return not any("\ud800" <= char <= "\udfff" for char in value)
