"""Make a new configuration repository."""

from pathlib import Path

from reconciler.errors import UsageError
from reconciler.kinds import schemas
from reconciler.value_class import value_class

_FILES = {
    "reconciler.yaml": "reconciler.yaml",
    "categories.yaml": "connectors/categories.yaml",
    "connector.yaml": "connectors/public-holidays.yaml",
    "team.yaml": "policies/team.yaml",
    "gitignore": ".gitignore",
    "pre-commit.yaml": ".pre-commit-config.yaml",
    "vscode.json": ".vscode/settings.json",
}
_PIPELINES = {
    "github": {"workflow.yaml": ".github/workflows/connectors.yaml", "gate.yaml": ".github/workflows/permissions.yaml"},
    "gitlab": {"gitlab-ci.yaml": ".gitlab-ci.yml"},
    "none": {},
}
PIPELINES = tuple(_PIPELINES)
_SCHEMAS = ("category", "connector", "group", "permissionpolicy", "accesstest", "project", "resource")


@value_class
class Scaffold:
    """What was made.

    Attributes:
        written: paths of the new files, from the repository's root.
        kept: paths that were there already and were left alone.
        repository: whether a git repository was made.
    """

    written: tuple[str, ...]
    kept: tuple[str, ...]
    repository: bool


def make_repository(root: Path, pipeline: str) -> Scaffold:
    """Write the files of a new configuration repository into `root`; files that exist are left alone.

    Args:
        pipeline: one of `PIPELINES`.

    Raises:
        UsageError: `root` holds definitions already, or cannot be written.
    """
    if any(
        path.suffix in (".yaml", ".yml") for name in ("connectors", "policies") for path in (root / name).glob("**/*")
    ):
        raise UsageError(f"{root} holds definitions already", hint="name an empty directory")
    written, kept = [], []
    try:
        for path, content in _contents(root, pipeline).items():
            target = root / path
            if target.exists():
                kept.append(path)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            written.append(path)
        repository = _make_git_repository(root)
    except OSError as failure:
        raise UsageError(f"{failure.filename or root} cannot be written: {failure.strerror}") from failure
    return Scaffold(tuple(written), tuple(kept), repository)


def _contents(root: Path, pipeline: str) -> dict[str, bytes]:
    folder = Path(__file__).resolve().parent.parent / "scaffold"
    found = {target: (folder / name).read_bytes() for name, target in {**_FILES, **_PIPELINES[pipeline]}.items()}
    owner = "".join(
        char if char.isascii() and (char.isalnum() or char in "._-") else "-" for char in root.resolve().name
    )
    found["reconciler.yaml"] = found["reconciler.yaml"].replace(b"OWNER", owner.strip("._-").encode() or b"connectors")
    for name in _SCHEMAS:
        found[f".schemas/{name}.schema.json"] = schemas.text(f"{name}.schema.json")
    return found


def _make_git_repository(root: Path) -> bool:
    """Make a git repository, unless `root` lies in one."""
    from git import InvalidGitRepositoryError, Repo

    try:
        Repo(root, search_parent_directories=True).close()
    except InvalidGitRepositoryError:
        Repo.init(root, initial_branch="main").close()
        return True
    return False
