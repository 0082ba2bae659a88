"""What a failure becomes: words and an exit code, here and nowhere else."""

import sys
from collections.abc import Callable

from reconciler.cli.output import give_up_stdout, say_error
from reconciler.errors import ExitCode, ReconcilerError


def told(command: Callable[[], int | None]) -> int:
    """Run a command whose command line was understood; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace")
    try:
        result = command()
        sys.stdout.flush()
        return int(result or 0)
    except ReconcilerError as failure:
        say_error(failure.message, failure.details, failure.hint)
        return failure.exit_code
    except KeyboardInterrupt:
        say_error("interrupted; nothing was changed that is not reported above")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        give_up_stdout()
        return ExitCode.WORLD
    except OSError as failure:
        give_up_stdout()  # it may be what failed
        say_error(f"{failure.strerror or failure}" + (f": {failure.filename}" if failure.filename else ""))
        return ExitCode.WORLD
    except Exception:  # noqa: BLE001 (the one place where a bug becomes a message)
        from reconciler.cli.crash import keep_log

        say_error(
            f"this is a bug in reconciler; the details are in {keep_log()}", hint="please report it with that file"
        )
        return ExitCode.BUG
