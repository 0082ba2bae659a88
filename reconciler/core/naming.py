"""How revisions are called; nothing here takes time to load."""


def at_commit(commit: str) -> str:
    """A commit that somebody named."""
    return f"commit {commit[:12]}"


def clean_at(commit: str) -> str:
    """A working tree that does not differ from its commit."""
    return f"the working tree, clean at {at_commit(commit)}"
