"""Read a file that somebody else may have chosen: never wait for it, and never take more of it than a limit."""

import errno
import os
import stat

from reconciler.errors import SecretUnavailable

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
