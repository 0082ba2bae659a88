"""{exec: HELPER:NAME}: programs that reconciler.yaml allows.

A definition chooses one of them by name and gives it one word; it can neither name a program nor add an option.
"""

from reconciler.errors import SecretUnavailable
from reconciler.secrets.context import Context
from reconciler.secrets.local import without_line_break
from reconciler.secrets.programs import SECONDS, environment_of, run_program


class ExecSecrets:
    """Asks helpers."""

    def __init__(self, context: Context) -> None:
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
