"""What exceptions and signals become: words, a log of a bug, and an exit code, here and nowhere else."""

import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

from reconciler.cli.descriptors import warn
from reconciler.cli.output import answer_failure, say_error
from reconciler.cli.streams import Border
from reconciler.core.secret import mask_text
from reconciler.errors import ExitCode, ReconcilerError


def told(failure: BaseException) -> int:
    """Say what went wrong; returns the exit code. It has to be the exception that is being handled."""
    match failure:
        case ReconcilerError():
            say_error(failure.message, failure.details, failure.hint)
            answer_failure(failure)
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

    say_error(f"this is a bug in reconciler; {keep_log()}", hint="please report it with that file")
    return ExitCode.BUG


def code_with_answer(code: int, stdout: Border) -> int:
    """The exit code once it is known whether the answer arrived. A failure's own code says more than a lost answer."""
    if stdout.failure is None or code == ExitCode.WORLD:
        return code
    done = "; what was asked for is done" if code == ExitCode.OK else ""
    say_error(f"the answer cannot be written{done}: {stdout.failure.strerror}")
    return ExitCode.WORLD if code == ExitCode.OK else code


_OF_THE_CODE = (TypeError, AttributeError, NameError, ImportError, RecursionError)
"""Exceptions whose words speak of the program; those of the others may repeat what was in a file or an answer."""


def keep_log() -> str:
    """Keep a log of the present exception where only its owner can read it; returns a few words that say where.

    It holds the lines of the program and the types of the exceptions, and no values of variables. Their words are
    left out where they could hold a secret.
    """
    try:
        import tempfile

        descriptor, path = tempfile.mkstemp(prefix="reconciler-", suffix=".log")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as log:
            log.writelines(_told(sys.exception()))
    except OSError as failure:
        return f"no log of it can be kept: {failure.strerror}"
    return f"the details are in {path}"


def _told(exception: BaseException | None) -> Iterator[str]:
    """The latest exception last, as Python tells them."""
    if exception is None:
        return
    earlier = exception.__cause__ or (None if exception.__suppress_context__ else exception.__context__)
    if earlier is not None:
        yield from _told(earlier)
        yield "\nand then:\n"
    yield from traceback.format_tb(exception.__traceback__)
    kind = type(exception)
    words = f": {mask_text(str(exception))}" if isinstance(exception, _OF_THE_CODE) else ""
    yield f"{kind.__module__}.{kind.__qualname__}{words}\n"


SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_LAST_WARNING = 3


class SignalInterrupts:
    """What signals do.

    Attributes:
        noted: whether one came after `hold`.
    """

    def __init__(self) -> None:
        """Catch nothing yet."""
        self.noted = False
        self._count = 0
        self._shields = 0
        self._waiting = False
        self._holding = False

    def catch(self) -> None:
        """Catch the signals that are not ignored, as nohup ignores them."""
        for number in (getattr(signal, name) for name in SIGNALS if hasattr(signal, name)):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """They wait until the block ends, and are raised then."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
            if self._waiting and not self._shields:
                self._waiting = False
                raise KeyboardInterrupt

    def hold(self) -> None:
        """From now on they are noted alone.

        Raises:
            KeyboardInterrupt: one came before, and Python lost it, as it does in a finalizer.
        """
        if self._count:
            raise KeyboardInterrupt
        self._holding = True

    def end(self) -> None:
        """From now on nothing interrupts: the process is about to end."""
        self._holding = True

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._holding:
            self.noted = True
            return
        self._count += 1
        if self._count >= _LAST_WARNING:
            warn(b"error: interrupted again and again; ended at once\n")
            os._exit(ExitCode.INTERRUPTED)
        if self._count == 1:
            self._waiting = self._shields > 0
            if not self._waiting:
                raise KeyboardInterrupt
