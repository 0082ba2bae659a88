"""Where secret references may lead, and which values can be sent."""

import posixpath
import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from reconciler.core.secret import REFERENCE_KEYS

OF_FILES = ("file", "sops", "age")
"""Keys of the references that begin with a path."""
TO_FILES = tuple(f'{{"{scheme}":"'.encode() for scheme in OF_FILES)
"""How such references begin in a canonical body."""
BOUNDS_HINT = "whoever runs this sets the bounds: secretsAllowed in reconciler.yaml, and RECONCILER_SECRETS_ALLOWED"
OWN_VARIABLES = "RECONCILER_"
"""How the names of the tool's own variables begin."""
PG_VARIABLE = "PGPASSWORD"
"""Holds the password of a store on a server, as its client library has it."""
_OF_THE_SYSTEM = ("/proc", "/sys", "/dev")
_BOUND = re.compile(rf"({'|'.join(REFERENCE_KEYS)}):(?:\*|[^*\s][^*]*\*?)", re.DOTALL)


def own(scheme: str, target: str) -> str:
    """What of the tool's own a reference names, or of what runs beside it; "" where that cannot be seen in its text."""
    if scheme == "env":
        name = target.upper()
        return "the tool's own settings and keys" if name.startswith(OWN_VARIABLES) or name == PG_VARIABLE else ""
    return own_place(path_of(target) if scheme == "sops" else target) if scheme in OF_FILES else ""


def own_place(path: str) -> str:
    """What stands at a path that no secret may be read from; "" where it may.

    Names count without regard to case, and to what some file systems leave away at their ends.
    """
    whole = posixpath.normpath(path.replace("\\", "/")).lower()
    whole = f"/{whole.lstrip('/')}" if whole.startswith("/") else whole
    steps = [step.rstrip(". ") for step in whole.split("/")]
    if ".git" in steps:
        return "git's own files"
    if ".reconciler" in steps:
        return "the tool's own files"
    for folder in _OF_THE_SYSTEM:
        if _is_below(whole, folder) and steps[1:3] != ["dev", "shm"]:  # which holds files, in memory: a good place
            return "files of the running system"
    return ""


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def path_of(target: str) -> str:
    """The path in FILE#KEY."""
    return target.partition("#")[0]


def is_bound(text: str) -> bool:
    """Whether a text says what references may lead to: KEY:TARGET, or KEY:BEGINNING* for all that begin so."""
    return _BOUND.fullmatch(text) is not None


class Bounds(Struct, frozen=True):
    """What an operator lets references lead to.

    Attributes:
        root: where relative paths start, absolute.
        lists: of bounds; a reference has to fit into one of each. Without a list everything may be named.
    """

    root: str
    lists: tuple[tuple[str, ...], ...] = ()

    def is_inside(self, path: str) -> bool:
        """Whether a path lies in the repository, as far as its text tells."""
        return _is_below(absolute(self.root, path), self.root)

    def permit(self, scheme: str, target: str) -> bool:
        """Whether a reference may be read, as far as its text tells."""
        return all(self._fits(bounds, scheme, target) for bounds in self.lists)

    def _fits(self, bounds: Sequence[str], scheme: str, target: str) -> bool:
        wanted = self._written_out(scheme, target)
        climbs = scheme not in OF_FILES and ".." in re.split(r"[/\\:]", target)
        for bound in bounds:
            key, _, allowed = bound.partition(":")
            if key != scheme:
                continue
            if not allowed.endswith("*"):
                if self._written_out(scheme, allowed) == wanted:
                    return True
            elif allowed == "*" or (not climbs and wanted.startswith(self._beginning(scheme, allowed[:-1]))):
                return True
        return False

    def _written_out(self, scheme: str, target: str) -> str:
        """The target with its path from the top, without links being looked at."""
        if scheme not in OF_FILES:
            return target
        path, mark, key = target.partition("#") if scheme == "sops" else (target, "", "")
        return absolute(self.root, path) + mark + key

    def _beginning(self, scheme: str, text: str) -> str:
        if scheme not in OF_FILES or "#" in text:
            return self._written_out(scheme, text)
        folder, _, name = text.rpartition("/")
        above = absolute(self.root, f"{folder}/" if text.startswith("/") else folder)
        return f"{above.rstrip('/')}/{name}"


def absolute(root: str, path: str) -> str:
    """A path from the top of the file system, without `..`."""
    whole = posixpath.normpath(posixpath.join(root, path))
    return f"/{whole.lstrip('/')}" if whole.startswith("/") else whole


def only(reference: Mapping[str, str]) -> tuple[str, str]:
    """Key and target of a reference."""
    ((scheme, target),) = reference.items()
    return scheme, target


_FAULTS = (
    (re.compile(r"\A\ufeff"), "begins with a byte order mark", True),
    (re.compile(r"[\r\n]\Z"), "ends with a line break", True),
    (re.compile(r"[\r\n]"), "holds a line break", True),
    (re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"), "holds a control character", True),
    (re.compile(r"[\ud800-\udfff]"), "is not UTF-8", True),
    (re.compile(r"\A[\t ]"), "begins with a blank", False),
    (re.compile(r"[\t ]\Z"), "ends with a blank", False),
    (re.compile(r"[^\t\x20-\x7e]"), "holds letters beyond ASCII", False),
)
"""What of a text is looked for, how it is told, and whether it is a fault anywhere or only in a header."""

HINT = "set it without that; printf '%s' writes no line break, and encode what is not ASCII"


def unsendable(text: str, *, in_header: bool) -> str:
    """Why `text` cannot be sent, as the rest of a sentence that begins with it; "" where it can.

    Args:
        in_header: whether it goes into a header as it is (RFC 9110, section 5.5); else it is encoded on the way, so
            that only what no credential may hold is a fault (RFC 6749, appendix A; RFC 7617, section 2).
    """
    return next((told for found, told, anywhere in _FAULTS if (anywhere or in_header) and found.search(text)), "")
