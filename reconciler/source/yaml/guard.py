"""What is looked for in the bytes of a file before any parser sees them.

Parsers written in C and Rust crash the interpreter on deep nesting, and loaders disagree on a good
part of YAML. `needs_care` is the cheap test on the hot path: it may say yes too often, never no when
it matters. `guard` is the precise one, with positions, for the few files that need care.
"""

import re
from collections.abc import Iterator
from itertools import islice

from reconciler.diagnostics import MAX_FAULTS, Diagnostic
from reconciler.source.text import SourceText

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 100
MAX_VALUES = 100_000  # of one document, with its aliases written out
CRASH_DEPTH = 5_000  # far below the depth at which any parser in use was seen to crash (10,000)
MAX_SHOWN = 20  # control characters: there are few, or the file is no text
BOM = b"\xef\xbb\xbf"

_CONTROL_BYTES = bytes(sorted((set(range(32)) - {9, 10, 13}) | {127}))
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_NON_ASCII_CONTROL = re.compile(r"[\x80-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_COMPACT_NESTING = re.compile(rb"(?:[-?][ \t]+){%d}" % MAX_DEPTH)
_SURROGATE = re.compile(rb"\\(?:u|U0000)[dD][89a-fA-F]")
_EXPLICIT_KEY = re.compile(rb"[?](?<=[\s,\[{:-][?])")
# In flow, a colon right before an indicator: an error to some loaders, the end of the key to others.
# Anywhere, a value that begins with a colon.
_TIGHT_COLON = re.compile(rb""":(?:[,\]}?]|(?<=[^"'\s}]:)[\[{]|(?<=[\s,\[{:]:))""")
_ALIAS = re.compile(rb"[*&](?<=[\s,\[{:][*&])[^\s,\[\]{}]")
# What loaders read differently, wherever a value or key may begin: a number or date that is not in
# plain decimal form, a tag, a merge key, a lone =, a directive, a document end, .inf and .nan. One class of
# characters first, then what must stand around it: that form lets the engine skip quickly.
# A colon right after a digit begins no value: such digits belong to a longer text, as in a quoted time, or to what
# the digits before the colon have given away already.
_DISPUTED = re.compile(
    rb"""[0-9!<%.=_](?<=[\s,\[{:+.-].)(?:
      (?<=[0-9])(?:(?<=[\s,\[{:].)(?<![0-9]:.)|(?<=[\s,\[{:][-+].)|(?<=[\s,\[{:+-]\..))
        (?:(?<=[+.].)|(?<=0)[0-9bBoOxX_]|[0-9]*(?:[_eE]|:[0-9]|\.(?:[0-9]*[_eE:]|(?![0-9]))|-[0-9]{1,2}-)|[0-9]{15})
      |(?<=_)[0-9_]|(?<=[\s,\[{:]!)|(?<==)(?=[\s,\]}:]|\Z)|(?<=[\s,\[{]<)<|(?<=[\n\r]%)|(?<=[\n\r]\.)\.\.|(?<=[\s,\[{+-]\.)[iInN])""",
    re.VERBOSE,
)


_BLOCK_HEADER = re.compile(rb"[|>][-+0-9]{0,2}[ \t]*(?:[ \t]#[^\r\n]*)?(?:\r?\n|\r)")
_LINE_PREFIX = re.compile(rb"[ ]*(?:[-?][ \t]+)*")
_NEXT_LINE = re.compile(rb"(?:[ \t]*\r?\n|[ \t]*\r)*([ ]*)")
_PLAIN_BLOCK = re.compile(rb"([ ]*(?:- +)*)(?:[\w.-]+: +)?[|>][-+0-9]{0,2} *\Z")
_NOT_PAIRED = bytes(sorted(set(range(256)) - set(b"[]{}'\"\n")))
_NO_BRACKETS = re.compile(rb"[^\[\]{}]*")
_FLOW_DEPTH, _DEEP = 20, b" " * 30
"""Together far less than `MAX_DEPTH`: levels of brackets, and of indentation, of which each takes a space at least."""
_DASHES = re.compile(rb"- +- +- ")
_LONGEST_KEY = 1024  # characters; libyaml takes no longer one that is not marked with a question mark


def _has_odd_block(data: bytes) -> bool:
    """Whether a block scalar is empty, or its sign stands where none can begin: the fast library errs on both.

    The text of a block scalar is indented deeper than what it belongs to; anything else counts as empty.
    """
    returns = b"\r" in data
    for at in _positions(data, b">", b"|"):  # several times as fast as an expression
        if data[at - 1 : at] not in _BEFORE_VALUE:
            continue
        header = _BLOCK_HEADER.match(data, at)
        if header is None or data[max(at - 100, 0) : at].rstrip()[-1:] in _BEFORE_NO_BLOCK:
            return True
        start = max(data.rfind(b"\n", 0, at), data.rfind(b"\r", 0, at) if returns else -1) + 1
        prefix = _LINE_PREFIX.match(data, start)
        following = _NEXT_LINE.match(data, header.end())
        assert prefix is not None and following is not None
        if following.end() >= len(data) or len(following[1]) <= len(prefix[0]):
            return True
    return False


def _positions(data: bytes, *signs: bytes) -> Iterator[int]:
    for sign in signs:
        at = data.find(sign)
        while at >= 0:
            yield at
            at = data.find(sign, at + 1)


_LINE_ENDS = (b"\n", b"\r", b"")
_BEFORE_VALUE = frozenset(bytes((char,)) for char in b" \t\r\n,[{:-?") | {b""}
_BEFORE_NO_BLOCK = (b",", b"[", b"{", b"")


def needs_care(data: bytes) -> bool:
    """Whether the file must go through `guard` and the careful parser. Costs a few microseconds."""
    if len(data) > MAX_BYTES:
        return True
    padded = b"\n" + data.removeprefix(BOM)
    return (
        len(data.translate(None, _CONTROL_BYTES)) != len(data)
        or (not data.isascii() and _has_odd_character(data))
        or b"\t" in data  # loaders disagree on tabs, on explicit keys and on much that concerns block scalars
        or (b"?" in data and _EXPLICIT_KEY.search(padded) is not None)
        or ((b">" in data or b"|" in data) and (data[-1:] not in _LINE_ENDS or _has_odd_block(data)))
        or (b"\\" in data and _SURROGATE.search(data) is not None)
        # The fast library reads an alias inside its own anchor as null, and `&a: b` in ways of its own.
        or ((b"*" in data or b"&" in data) and _ALIAS.search(padded) is not None)
        or _TIGHT_COLON.search(padded) is not None
        or _may_be_too_much(data)
        or _DISPUTED.search(padded) is not None
        or _has_open_brackets(data)
    )


def _may_be_too_much(data: bytes) -> bool:
    """Whether it may be nested too deeply, hold too many values, or have a key that is too long for one parser."""
    return (
        _DEEP in data
        or _DASHES.search(data) is not None
        or _has_long_line(data)
        or (
            len(data) > MAX_VALUES
            and 2 * sum(map(data.count, (b",", b"\n", b"\r", b":", b"[", b"{", b"- "))) > MAX_VALUES
        )
    )


def _has_long_line(data: bytes) -> bool:
    start = 0
    while len(data) - start > _LONGEST_KEY:
        start = data.rfind(b"\n", start, start + _LONGEST_KEY) + 1
        if start == 0:
            return True
    return False


def _has_open_brackets(data: bytes) -> bool:
    """Whether a bracket may be open at the end of a line, outside of block scalars.

    Keys over several lines, and block scalars, are legal within brackets to the fast library alone.
    """
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return _is_open(data) and _is_open(_without_blocks(data))


def _is_open(data: bytes) -> bool:
    """Whether brackets do not pair off line by line, around and within quotes, or stand in one another very deeply."""
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    signs = rest = data.translate(None, _NOT_PAIRED)
    for _ in range(_FLOW_DEPTH):
        fewer = rest.replace(b"{}", b"").replace(b"[]", b"").replace(b'""', b"").replace(b"''", b"")
        if len(fewer) == len(rest):
            break
        rest = fewer
    if not rest.strip():
        return False
    lines = zip(rest.split(b"\n"), signs.split(b"\n"), strict=True)
    return any(left and _NO_BRACKETS.fullmatch(line) is None for left, line in lines)


def _without_blocks(data: bytes) -> bytes:
    """The text without its block scalars, as far as they are written plainly: they are full of brackets."""
    kept = []
    level = -1
    for line in data.split(b"\n"):
        if level >= 0:
            if len(line) - len(line.lstrip(b" ")) > level or not line.strip(b" "):
                continue
            level = -1
        kept.append(line)
        found = _PLAIN_BLOCK.match(line) if line.rstrip(b"+-0123456789 ").endswith((b"|", b">")) else None
        if found:
            level = len(found[1])
    return b"\n".join(kept)


def _has_odd_character(data: bytes) -> bool:
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    return _NON_ASCII_CONTROL.search(text) is not None


def guard(data: bytes, file: str) -> list[Diagnostic]:
    """Faults that keep a file from being parsed at all; empty when parsing is safe.

    Safe means: at most `MAX_BYTES`, UTF-8, no control characters, and no nesting that could crash a parser.
    """
    source = SourceText(file, data[: MAX_BYTES + 4])
    if len(data) > MAX_BYTES:
        size = f"{len(data) / 2**20:.1f} MiB" if len(data) < 2**40 else "very much"
        return [
            _at_start(source, "RC102", f"the file holds {size}; at most 4 MiB are read", "split it into several files")
        ]
    encoding = _encoding_fault(source)
    if encoding:
        return [encoding]
    controls = [_control_fault(source, found) for found in islice(_CONTROL.finditer(source.text), MAX_SHOWN)]
    return controls or _nesting_faults(source)


def _at_start(source: SourceText, code: str, message: str, hint: str) -> Diagnostic:
    found = source.diagnostic(code, message, (1, 1), (1, 2), hint=hint)
    return found if len(found.snippet) <= 200 else Diagnostic(code, message, found.span, "", hint)


def _encoding_fault(source: SourceText) -> Diagnostic | None:
    data = source.data
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as fault:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return _at_start(source, "RC103", "the file is UTF-16", "save it as UTF-8")
        line = data.count(b"\n", 0, fault.start) + 1
        column = len(data[data.rfind(b"\n", 0, fault.start) + 1 : fault.start].decode("utf-8", "replace")) + 1
        message = f"byte 0x{data[fault.start]:02x} is not UTF-8"
        return source.diagnostic("RC103", message, (line, column), (line, column + 1), hint="save the file as UTF-8")
    return None


def _control_fault(source: SourceText, found: re.Match[str]) -> Diagnostic:
    line, column = source.position(found.start())
    character = ord(found[0])
    escape = f"\\x{character:02x}" if character < 256 else f"\\u{character:04x}"
    message = f"control character U+{character:04X}"
    return source.diagnostic(
        "RC112", message, (line, column), (line, column + 1), hint=f'remove it, or write "{escape}" in double quotes'
    )


def _nesting_faults(source: SourceText) -> list[Diagnostic]:
    compact = _COMPACT_NESTING.search(source.data)
    if compact:
        offset = len(source.data[: compact.start()].decode("utf-8").removeprefix("\ufeff"))
        return [too_deep(source, source.position(offset))]
    if source.data.count(b"[") + source.data.count(b"{") < CRASH_DEPTH:
        return []
    return _flow_nesting(source)


def too_many(source: SourceText, start: tuple[int, int]) -> Diagnostic:
    """What stands for the faults from `start` on, of which none is told."""
    message = f"there are more faults in this file than the {MAX_FAULTS} that are told"
    return source.diagnostic("RC118", message, start, (start[0], start[1] + 1), hint="mend these first")


def too_deep(source: SourceText, start: tuple[int, int]) -> Diagnostic:
    """The diagnostic for nesting beyond `MAX_DEPTH` at `start`."""
    message = f"more than {MAX_DEPTH} levels of nesting"
    return source.diagnostic("RC106", message, start, (start[0], start[1] + 1), hint="flatten the value")


def _flow_nesting(source: SourceText) -> list[Diagnostic]:
    """Depth by the scanner that is written in Python: slow, but nothing in it can overflow."""
    import yaml

    depth = 0
    try:
        for token in yaml.scan(source.text, Loader=yaml.Loader):
            if isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken):
                depth += 1
            elif isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken):
                depth -= 1
            if depth > MAX_DEPTH:
                return [too_deep(source, (token.start_mark.line + 1, token.start_mark.column + 1))]
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark
        start = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return [source.diagnostic("RC104", str(fault.problem), start, (start[0], start[1] + 1))]
    return []
