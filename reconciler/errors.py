"""The exceptions that a run ends with, each with its exit code.

The codes are part of the interface; docs/reference/exit-codes.md and the command ``explain exit-codes`` list them.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells its caller."""

    OK = 0
    BUG = 1
    CHANGES_PENDING = 2
    INVALID = 3
    NOT_PERMITTED = 4
    GUARDED = 5
    CONFLICT = 6
    PARTLY_APPLIED = 7
    LOCKED = 8
    NOT_CONVERGED = 9
    WORLD = 10
    DRIFTED = 11
    UNCONFIRMED = 12
    USAGE = 64
    INTERRUPTED = 130


EXIT_CODES: dict[ExitCode, str] = {
    ExitCode.OK: "done, or nothing to do",
    ExitCode.BUG: "a bug in reconciler; a log with the details is kept",
    ExitCode.CHANGES_PENDING: "changes are pending, or `drift` found some (only with --detailed-exitcode)",
    ExitCode.INVALID: "definitions are invalid",
    ExitCode.NOT_PERMITTED: "not permitted",
    ExitCode.GUARDED: "stopped by a guard",
    ExitCode.CONFLICT: "the plan is stale or a record conflicts",
    ExitCode.PARTLY_APPLIED: "partly applied",
    ExitCode.LOCKED: "the store is locked by another run",
    ExitCode.NOT_CONVERGED: "applied records did not come out as planned; nothing was kept",
    ExitCode.WORLD: "the world said no: network, credentials, files or the store; or the answer cannot be written",
    ExitCode.DRIFTED: "a plan would only take back drift; git has nothing new (only with --detailed-exitcode)",
    ExitCode.UNCONFIRMED: "not known whether it was applied: the store's server cannot say; the next command finds out first",
    ExitCode.USAGE: "wrong usage",
    ExitCode.INTERRUPTED: "interrupted",
}


class ReconcilerError(Exception):
    """A failure that the user can understand and act on.

    Attributes:
        message: what is wrong and where; one sentence, never a secret value.
        hint: what to do about it, or "".
        details: further lines, one fact each.
    """

    exit_code: ExitCode = ExitCode.BUG

    def __init__(self, message: str, *, hint: str = "", details: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details


class UsageError(ReconcilerError):
    """The command line or the settings ask for something that cannot be done."""

    exit_code = ExitCode.USAGE


class InvalidDefinitions(ReconcilerError):
    """Documents of the source are wrong; the diagnostics say how."""

    exit_code = ExitCode.INVALID


class NotPermitted(ReconcilerError):
    """Nobody is named who may do what was asked for, or whoever is named may not."""

    exit_code = ExitCode.NOT_PERMITTED


class GuardStopped(ReconcilerError):
    """A limit of the run stops the plan from being applied."""

    exit_code = ExitCode.GUARDED


class Declined(ReconcilerError):
    """Somebody answered no, or nobody could be asked."""

    exit_code = ExitCode.GUARDED


class Interrupted(ReconcilerError):
    """Ctrl-C, or a signal that means the same, ended what was being carried out."""

    exit_code = ExitCode.INTERRUPTED


class RecordConflict(ReconcilerError):
    """A live record stands in the way, or moved after planning."""

    exit_code = ExitCode.CONFLICT


class StoreLocked(ReconcilerError):
    """Another run is writing to the store, or has taken the right to from a run that stood still."""

    exit_code = ExitCode.LOCKED


class NotConverged(ReconcilerError):
    """What was written does not read back as planned."""

    exit_code = ExitCode.NOT_CONVERGED


class StoreUnavailable(ReconcilerError):
    """The store cannot be opened, read or written."""

    exit_code = ExitCode.WORLD


class Unconfirmed(ReconcilerError):
    """The connection went away in the commit, and nobody can say yet whether it was carried out."""

    exit_code = ExitCode.UNCONFIRMED


class SecretUnavailable(ReconcilerError):
    """A secret reference leads to nothing."""

    exit_code = ExitCode.WORLD

    def again(self, before: str = "") -> "SecretUnavailable":
        """The same failure, to be raised once more, with a text before its message."""
        return SecretUnavailable(before + self.message, hint=self.hint)


class SecretRefused(SecretUnavailable):
    """A secret reference leads to where none may."""

    exit_code = ExitCode.NOT_PERMITTED

    def again(self, before: str = "") -> "SecretRefused":
        """The same failure, to be raised once more, with a text before its message."""
        return SecretRefused(before + self.message, hint=self.hint)


class KeyUnavailable(ReconcilerError):
    """The key of the store's secrets is missing or is not the one they were encrypted with."""

    exit_code = ExitCode.WORLD


class SourceUnavailable(ReconcilerError):
    """Git or the file system does not give what was asked for."""

    exit_code = ExitCode.WORLD


class ReportLost(ReconcilerError):
    """What was asked for is done, but whoever asked cannot be told."""

    exit_code = ExitCode.WORLD


class NetworkFailure(ReconcilerError):
    """A server does not answer, or not as it should.

    Attributes:
        transient: whether another try may help.
        unsent: whether it is known that the server was told nothing.
    """

    exit_code = ExitCode.WORLD

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        details: tuple[str, ...] = (),
        transient: bool = False,
        unsent: bool = False,
    ) -> None:
        super().__init__(message, hint=hint, details=details)
        self.transient = transient
        self.unsent = unsent


class CertificateUnusable(ReconcilerError):
    """A private authority or a client certificate cannot be used."""

    exit_code = ExitCode.WORLD


class CredentialsRefused(ReconcilerError):
    """A server does not accept the credentials of a connector, or gives no token for them.

    Attributes:
        of_request: whether it is about what was asked for, such as a scope, and says nothing of the credentials.
    """

    exit_code = ExitCode.WORLD

    def __init__(
        self, message: str, *, hint: str = "", details: tuple[str, ...] = (), of_request: bool = False
    ) -> None:
        super().__init__(message, hint=hint, details=details)
        self.of_request = of_request
