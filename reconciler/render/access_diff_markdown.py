"""Access gained and lost, as Markdown for a pull request."""

from reconciler.core.access import Where
from reconciler.core.access_diff import AccessDiff
from reconciler.render.access_diff import details, headline, sections, sentence
from reconciler.render.markdown import escape

_MOST = 100


def access_markdown(found: AccessDiff, before: Where | None = None, after: Where | None = None) -> str:
    """The difference as a section of a comment."""
    lines = [f"### {escape(headline(found))}", ""]
    for title, changes in sections(found):
        lines += [f"#### {escape(title)}", ""] if title else []
        for change in changes[:_MOST]:
            text = escape(sentence(found, change))
            lines.append(f"- **{text}**" if title else f"- {text}")
            lines += [f"  - {escape(line)}" for line in details(change, before, after)]
        if len(changes) > _MOST:
            lines.append(f"- … and {len(changes) - _MOST:,} more; `reconciler access-diff -o json` has all.")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"
