"""Make what the documentation says of the program from the program itself: ``python docs/generate``.

Writes docs/reference/ but for the pages that are written by hand, and docs/figures/ but for the plots of speed. With
``--check`` nothing is written, and the exit code is 1 when a page is not what would be made. ``--sessions [PAGE…]`` runs
the commands that pages show, in order, and puts in what they say now.
"""

import argparse
import sys
from pathlib import Path

import pictures
import reference
import sessions

DOCS = Path(__file__).parents[1]


def main() -> int:
    """Read the command line, and make or compare the pages; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if a page is not as made")
    parser.add_argument("--sessions", nargs="*", metavar="PAGE", help="run the commands of these pages; default: all")
    args = parser.parse_args()
    if args.sessions is None:
        made = {**reference.pages(), **pictures.pictures()}
    else:
        named = [Path(page).resolve() for page in args.sessions]
        made = {page: sessions.played(page) for page in named or sessions.pages(DOCS)}
    stale = [path for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        if args.check:
            print(f"{path} is not what it would be: {_command(args.sessions)}", file=sys.stderr)
        else:
            path.write_text(made[path], "utf-8")
            print(f"wrote {path}")
    return int(args.check and bool(stale))


def _command(named: list[str] | None) -> str:
    return "python docs/generate" + ("" if named is None else " --sessions")


sys.exit(main())
