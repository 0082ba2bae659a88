"""What a failure becomes: words and an exit code, here and nowhere else."""

from collections.abc import Callable

from reconciler.cli.output import say_error
from reconciler.cli.streams import Border, bordered
from reconciler.errors import ExitCode, ReconcilerError


def told(command: Callable[[], int | None]) -> int:
    """Run a command whose command line was understood; returns the exit code."""
    with bordered() as stdout:
        code = _outcome(command)
        stdout.flush()
        return _with_answer(code, stdout)


def _outcome(command: Callable[[], int | None]) -> int:
    try:
        return int(command() or 0)
    except ReconcilerError as failure:
        say_error(failure.message, failure.details, failure.hint)
        return failure.exit_code
    except KeyboardInterrupt:
        say_error("interrupted; nothing was changed that is not reported above")
        return ExitCode.INTERRUPTED
    except OSError as failure:
        say_error(f"{failure.strerror or failure}" + (f": {failure.filename}" if failure.filename else ""))
        return ExitCode.WORLD
    except UnicodeEncodeError as failure:
        return _undecodable(failure)
    except Exception:  # noqa: BLE001 (the one place where a bug becomes a message)
        return _bug()


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


def _with_answer(code: int, stdout: Border) -> int:
    """The exit code once it is known whether the answer arrived. A failure's own code says more than a lost answer."""
    if stdout.failure is None or code == ExitCode.WORLD:
        return code
    done = "; what was asked for is done" if code == ExitCode.OK else ""
    say_error(f"the answer cannot be written{done}: {stdout.failure.strerror}")
    return ExitCode.WORLD if code == ExitCode.OK else code
