"""What somebody writes who wants to be obeyed by those who read what is printed, and how it is seen that nobody has to."""

import re

COMMANDS = "##[add-mask]a##[group] ##vso[task.setvariable variable=PATH]/tmp ##teamcity[x] #\ufe0f#[stop-commands]x"
TERMINAL = "section_start:1:x\r\x1b[0K\x1b]0;t\x07\x9b1m\x08\x7f\x00\t"
UNSEEN = "\u202e\u2066\u200e\u061c\U000e0041\u200b\u2028\u2029\x85\xad\ufeff\u3164"
MARKUP = "</details><script>1</script><!-- |a| @team ![i](https://evil.example/i.png) [l](http://evil.example) www.evil.example `a` ``` ```` ~~~ $x$"
LINES = "\n::add-mask::z\n  ::set-output name=x::y\n\u3000::error::e\r\n# h\n/merge\n```\n````\n---\n##[error]e\n"
TEXT = f"{COMMANDS}{TERMINAL}{UNSEEN}{MARKUP}{LINES}end"
PIECES = {
    "commands": "##[add-mask]##vso[task.setvariable variable=PATH]/x ##teamcity[x]",
    "terminal": "x\x1b[31m\x1b]0;t\x07\x9b1m\x08\x7f\r",
    "unseen": f"x{UNSEEN}x",
    "markup": "</details><script>1</script><!-- |@team ![i](https://evil.example)`a````",
    "lines": "x\n::add-mask::z\n##[group]\n::error::e\n````\nx",
}
"""Of less than a hundred characters, as names may have."""

FORBIDDEN = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
    r"|##[A-Za-z]*\[|#\ufe0f#"
)
COLOR = re.compile(r"\x1b\[[0-9;]*m")
_OURS = re.compile(r"::(error|warning|notice) (file|title)=[^:]*::")
_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_ACTIVE = re.compile(r"<|(?<!\\)[`|$]|(?<!\\)\]\(|(?<!\\)!?\[|@(?!&#8203;)|://|www\.", re.IGNORECASE)


def harms(text: str, *, github: bool = False) -> list[str]:
    """What a terminal or a runner would obey, and what nobody would see."""
    found = [repr(text[max(0, at.start() - 20) : at.end() + 20]) for at in FORBIDDEN.finditer(text)]
    lines = text.split("\n")
    found += [line for line in lines if line.lstrip().startswith("/merge")]  # a line break of somebody else's
    starts = [line for line in lines if line.lstrip().startswith("::")]
    return found + [line for line in starts if not (github and _OURS.match(line))]


_FOLD = re.compile(r"<details><summary>[0-9,]+ lines</summary>")


def active(markdown: str) -> list[str]:
    """What is more than text in a comment that should be headings, lists, quotes and code alone."""
    found, fence, folds = [], "", 0
    for line in markdown.split("\n"):
        if not fence and (line == "</details>" or _FOLD.fullmatch(line)):  # ours, each of which ends
            folds += 1 if line != "</details>" else -1
            found += [line] if folds not in (0, 1) else []
            continue
        opening = re.match(r" {0,3}(`{3,}|~{3,})", line)
        if fence:
            fence = (
                ""
                if opening and line.strip() == line.strip()[0] * len(line.strip()) and len(line.strip()) >= len(fence)
                else fence
            )
        elif opening:
            fence = opening[1]
        elif _ACTIVE.search(_CODE.sub("", line)):
            found.append(line)
    return [*found, *(["a code block or a fold is open at the end"] if fence or folds else [])]


def quoted(text: str) -> str:
    """As YAML's double quotes can hold anything."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(char: str) -> str:
    if char.isascii() and char.isprintable() and char not in '"\\':
        return char
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
