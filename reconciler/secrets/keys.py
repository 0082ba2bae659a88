"""Where a store's key is: in a variable, in the target's key file, or in the embedded store's own."""

import errno
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from reconciler.core.secret import Secret
from reconciler.errors import KeyUnavailable, SecretUnavailable

MAX_SECRET_BYTES = 64 * 1024
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def read_regular(
    path: "str | os.PathLike[str]", limit: int = MAX_SECRET_BYTES, known: os.stat_result | None = None
) -> bytes:
    """The bytes of a file that is no device and no pipe.

    Args:
        known: what was at the path when it was judged; then it leads through no link.

    Raises:
        SecretUnavailable: it is no such file, or holds more than `limit` bytes.
        OSError: there is none, or a directory.
    """
    wanted = known or os.stat(path)
    if stat.S_ISDIR(wanted.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(wanted.st_mode):
        raise SecretUnavailable("it is not a regular file", hint="name a file")
    with open(os.open(path, _FLAGS | _NO_LINK if known else _FLAGS), "rb") as opened:
        if not os.path.samestat(os.fstat(opened.fileno()), wanted):
            raise SecretUnavailable("it was replaced while it was read", hint="run the command again")
        data = opened.read(limit + 1)
    if (
        len(data) > wanted.st_size and len(data) <= limit
    ):  # as files do that a running system makes up when they are read
        raise SecretUnavailable("it holds more than it says", hint="name a file that nobody is writing to")
    if len(data) > limit:
        raise SecretUnavailable(f"it holds more than {limit // 1024} KiB", hint="name the right file")
    return data


KEY_VARIABLE = "RECONCILER_STORE_KEY"
NEW_KEY_VARIABLE = "RECONCILER_NEW_STORE_KEY"
RANDOM_HINT = "use a random key, e.g. from: openssl rand -base64 32"
_DIGITS = 16


class KeyPlace(Struct, frozen=True):
    """Where the key is.

    Attributes:
        file: None where it is in the variable.
        private: whether nobody else may be able to read the file.
    """

    file: Path | None
    private: bool = False

    @property
    def name(self) -> str:
        """The file, or the variable."""
        return str(self.file) if self.file else KEY_VARIABLE

    def beside(self, check: str, suffix: str) -> Path:
        """The file beside the key file for the key with this key check."""
        assert self.file is not None
        file = self.file.resolve()  # where it is a link, the file that it leads to is replaced
        return file.with_name(f"{file.name}.{check[:_DIGITS]}.{suffix}")


def find_place(environment: Mapping[str, str], key_file: Path | None, embedded_key: Path | None) -> KeyPlace:
    """Where the key is, or would be made.

    Raises:
        KeyUnavailable: nowhere.
    """
    if environment.get(KEY_VARIABLE):
        return KeyPlace(None)
    if key_file is not None:
        return KeyPlace(key_file)
    if embedded_key is None:
        raise KeyUnavailable("there is no store key", hint=f"set {KEY_VARIABLE}, or keyFile in reconciler.yaml")
    return KeyPlace(embedded_key, private=True)


def key_in_variable(environment: Mapping[str, str], name: str) -> Secret:
    """The key that a variable holds.

    Raises:
        KeyUnavailable: it is not UTF-8.
    """
    key = environment[name].strip()
    if any("\ud800" <= char <= "\udfff" for char in key):
        raise KeyUnavailable(f"the store key in {name} is not UTF-8", hint=RANDOM_HINT)
    return Secret(key)


def read_key(path: Path, *, private: bool = False) -> Secret:
    """The key in a file.

    Raises:
        KeyUnavailable: it cannot be read, or others can read it who must not.
    """
    try:
        if private and os.name == "posix" and path.stat().st_mode & 0o077:
            raise KeyUnavailable(f"others can read the key file {path}", hint=f"run: chmod 600 {path}")
        return Secret(read_regular(path).decode("utf-8").strip())
    except FileNotFoundError as failure:
        raise KeyUnavailable(f"there is no key file {path}", hint=f"restore it, or set {KEY_VARIABLE}") from failure
    except OSError as failure:
        raise KeyUnavailable(f"the key file {path} cannot be read: {failure.strerror}") from failure
    except (SecretUnavailable, UnicodeDecodeError):
        raise KeyUnavailable(f"the key file {path} is not a text file", hint="restore it") from None


def key_beside(place: KeyPlace, check: str, suffix: str) -> Secret | None:
    """A key that stands beside the key file, or None.

    Raises:
        KeyUnavailable: it cannot be read.
    """
    try:
        return read_key(place.beside(check, suffix), private=place.private)
    except KeyUnavailable as failure:
        if isinstance(failure.__cause__, FileNotFoundError):
            return None
        raise


def random_key() -> Secret:
    """A new key."""
    from base64 import b64encode

    return Secret(b64encode(os.urandom(32)).decode())


def create_key(path: Path) -> None:
    """Make a random key file, and see to it that it lasts before anything is sealed with it.

    Also where there is one: another process may have made it just now.
    """
    from reconciler.durable import create_file, make_folder, sync_folder

    try:
        make_folder(path.parent)
        if path.exists():
            sync_folder(path.parent)
        else:
            create_file(path, _content(random_key()))
    except OSError as failure:
        raise KeyUnavailable(f"the key file {path} cannot be made: {failure.strerror}") from failure


def draft_key(place: KeyPlace, key: Secret, check: str) -> None:
    """Write a new key beside the key file, and see to it that it lasts.

    Raises:
        KeyUnavailable: it cannot be written.
    """
    from reconciler.durable import replace_file

    assert place.file is not None
    draft = place.beside(check, "new")
    try:
        replace_file(draft, _content(key), place.file.stat().st_mode & 0o777)
    except OSError as failure:
        raise KeyUnavailable(f"the key file {draft} cannot be made: {failure.strerror}") from failure


def put_in_place(place: KeyPlace, check: str, there: str) -> None:
    """Make the draft that the store has changed to the key file, and keep the key that is there.

    Args:
        check: key check of the draft.
        there: key check of what is in the key file.

    Raises:
        OSError: that cannot be done; the draft is found all the same.
    """
    from reconciler.durable import create_file, sync_folder

    assert place.file is not None
    with suppress(FileNotFoundError):  # another process has put the draft in its place
        draft = place.beside(check, "new")
        draft.stat()
        create_file(place.beside(there, "old"), place.file.read_bytes())
        draft.replace(place.file.resolve())
        sync_folder(draft.parent)


def _content(key: Secret) -> bytes:
    return key.reveal().encode() + b"\n"
