"""Strategies for YAML as people write it: mixed indentation, comments, blank lines, every style of scalar."""

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st

Lines = list[str]

_WORDS = st.sampled_from(["a", "crm", "true", "no", "010", "x#y", "https://x/{{y}}", "été", "a b  c", "~", "-1", "𝄞"])
_FLOW = st.sampled_from(["[a, 'b' ,\"c\"]", "{a: 1,  b: [2]}", "[]", "{}", "[ {a: 1}, b ]", "{ x: '#', y: }"])
_QUOTED = st.sampled_from(["'it''s'", '"\\u00e9 \\t"', "'#'", '"a: b"', "''"])
_BLOCK_HEADERS = st.sampled_from(["|", ">", "|-", ">-", "|+", ">+"])
_SPACE = st.sampled_from(["", "", "", " ", "  ", "\t"])


@dataclass
class _Writer:
    """Draws one document; numbers its keys, comments and anchors so that each is unique."""

    draw: Callable[[st.SearchStrategy[object]], object]
    count: int = 0
    anchors: list[str] = field(default_factory=list)

    def number(self) -> int:
        self.count += 1
        return self.count

    def flip(self, one_in: int) -> bool:
        return self.draw(st.integers(1, one_in)) == 1

    def pick(self, *options: object) -> object:
        return self.draw(st.sampled_from(options))

    def end(self) -> str:
        comment = f"{self.pick(' ', '   ')}#{self.pick('', ' ')}end {self.number()}" if self.flip(5) else ""
        return f"{comment}{self.draw(_SPACE)}"

    def gap(self, column: int) -> Lines:
        """Blank lines and comments, mostly at `column`."""
        lines: Lines = []
        for _ in range(int(str(self.draw(st.integers(0, 2)))) if self.flip(3) else 0):
            if self.flip(2):
                lines.append(str(self.pick("", "  ")))
            else:
                at = self.pick(column, column, column, column + 2, 0)
                lines.append(" " * int(str(at)) + f"# gap {self.number()}{self.draw(_SPACE)}")
        return lines

    def anchor(self) -> str:
        if not self.flip(8):
            return ""
        self.anchors.append(f"n{self.number()}")
        return f" &{self.anchors[-1]}"

    def scalar(self, column: int) -> Lines:
        """A value; the first line goes behind its key or dash. `column` is that of what it belongs to."""
        match self.pick(
            "word", "word", "quoted", "flow", "flow lines", "block", "lines", "quoted lines", "empty", "alias"
        ):
            case "word":
                return [f"{self.anchor()} {self.draw(_WORDS)}{self.end()}"]
            case "quoted":
                return [f" {self.draw(_QUOTED)}{self.end()}"]
            case "flow":
                return [f"{self.anchor()} {self.draw(_FLOW)}{self.end()}"]
            case "flow lines":
                inner = " " * (column + int(str(self.pick(1, 2, 4))))
                return [f" [a,{self.end()}", f"{inner}'b',{self.end()}", f"{inner}]{self.end()}"]
            case "block":
                return self.block_scalar(column)
            case "lines":
                inner = " " * (column + int(str(self.pick(1, 2, 3))))
                return [
                    " some plain ",
                    f"{inner}text{self.draw(_SPACE)}",
                    *([""] * int(str(self.pick(0, 0, 2)))),
                    f"{inner}on lines{self.end()}",
                ]
            case "quoted lines":
                inner = " " * (column + int(str(self.pick(1, 2, 3))))
                return [' "some  ', f"{inner}\\  text", "", f"{inner}# no comment \\", f'{inner}end"{self.end()}']
            case "alias" if self.anchors:
                return [f" *{self.pick(*self.anchors)} {self.end()}"]
            case _:
                return [self.end()]

    def block_scalar(self, column: int) -> Lines:
        inner = " " * (column + int(str(self.pick(1, 2, 4))))
        body = [f"{inner}# no comment {self.number()} ", f"{inner}  deeper", "", f"{inner}- end:  "]
        tail = [str(self.pick("", inner)) for _ in range(int(str(self.pick(0, 0, 1, 3))))]
        return [
            f"{self.anchor()} {self.draw(_BLOCK_HEADERS)}{self.end()}",
            *body[: int(str(self.pick(1, 2, 4)))],
            *tail,
        ]

    def collection(self, column: int, depth: int) -> Lines:
        return self.mapping(column, depth) if self.flip(2) else self.sequence(column, depth)

    def mapping(self, column: int, depth: int) -> Lines:
        lines: Lines = []
        for _ in range(int(str(self.draw(st.integers(1, 3))))):
            lines += self.gap(column) if lines else []
            key = f"{' ' * column}k{self.number()}{self.pick('', '', ' ')}:"
            if depth and self.flip(2):
                below = column + int(str(self.pick(1, 2, 2, 4)))
                if self.flip(2):
                    inner = self.mapping(below, depth - 1)
                else:
                    inner = self.sequence(int(str(self.pick(column, below))), depth - 1)
                lines += [f"{key}{self.anchor()}{self.end()}", *self.gap(below), *inner]
            else:
                first, *rest = self.scalar(column)
                lines += [key + first, *rest]
        return lines

    def sequence(self, column: int, depth: int) -> Lines:
        lines: Lines = []
        for _ in range(int(str(self.draw(st.integers(1, 3))))):
            lines += self.gap(column) if lines else []
            dash = " " * column + "-" + " " * int(str(self.pick(0, 0, 2)))
            if depth and self.flip(2):
                below = len(dash) + 1
                first, *rest = self.collection(below, depth - 1)
                lines += [f"{dash} {first[below:]}", *rest]
            else:
                first, *rest = self.scalar(column)
                lines += [dash + first, *rest]
        return lines


@st.composite
def yaml_texts(draw: Callable[[st.SearchStrategy[object]], object]) -> str:
    """One or two documents."""
    lines: Lines = []
    for number in range(int(str(draw(st.integers(1, 2))))):
        writer = _Writer(draw, count=1000 * number)
        start = ["---" + writer.end()] if number or writer.flip(3) else []
        lines += [*writer.gap(0), *start, *writer.gap(0), *writer.collection(0, 2), *writer.gap(0)]
    ending = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    return str(ending).join(lines) + str(draw(st.sampled_from([ending, "", f"{ending}{ending}"])))
