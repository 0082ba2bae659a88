"""What a failure becomes: words and an exit code, here and nowhere else."""

import sys

import click

from reconciler.cli.output import say_error
from reconciler.cli.streams import Border
from reconciler.errors import ExitCode, ReconcilerError


def told(failure: BaseException) -> int:
    """Say what went wrong; returns the exit code. It has to be the exception that is being handled."""
    match failure:
        case ReconcilerError():
            say_error(failure.message, failure.details, failure.hint)
            return failure.exit_code
        case click.ClickException():
            return _usage(failure)
        case KeyboardInterrupt() | click.Abort():
            say_error("interrupted; nothing was changed that is not reported above")
            return ExitCode.INTERRUPTED
        case OSError():
            say_error(f"{failure.strerror or failure}" + (f": {failure.filename}" if failure.filename else ""))
            return ExitCode.WORLD
        case UnicodeEncodeError():
            return _undecodable(failure)
        case _:
            return _bug()


def _usage(failure: click.ClickException) -> int:
    message = failure.format_message()
    if isinstance(failure, click.exceptions.NoArgsIsHelpError):
        print(message, file=sys.stderr)
        return ExitCode.USAGE
    context = getattr(failure, "ctx", None)
    words = " ".join(message.split()).removesuffix(".")  # click's may be of several lines
    say_error(words[:1].lower() + words[1:], hint=f"see: {context.command_path} --help" if context else "")
    return ExitCode.USAGE


def _undecodable(failure: UnicodeEncodeError) -> int:
    """What stands for bytes that are no text comes from outside alone: it was to be stored, sent or asked for."""
    if failure.reason != "surrogates not allowed":
        return _bug()
    found = failure.object[failure.start : failure.end]
    say_error(
        f"'{found}' in an argument, a variable or a name is not UTF-8",
        hint="see that the command line and the environment are in UTF-8",
    )
    return ExitCode.USAGE


def _bug() -> int:
    from reconciler.cli.crash import keep_log

    say_error(f"this is a bug in reconciler; {keep_log()}", hint="please report it with that file")
    return ExitCode.BUG


def code_with_answer(code: int, stdout: Border) -> int:
    """The exit code once it is known whether the answer arrived. A failure's own code says more than a lost answer."""
    if stdout.failure is None or code == ExitCode.WORLD:
        return code
    done = "; what was asked for is done" if code == ExitCode.OK else ""
    say_error(f"the answer cannot be written{done}: {stdout.failure.strerror}")
    return ExitCode.WORLD if code == ExitCode.OK else code
