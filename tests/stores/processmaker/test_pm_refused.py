"""What a run says whose token may only look."""

import shutil
from pathlib import Path

from conftest import run_command

EXAMPLE = Path(__file__).parents[3] / "examples" / "processmaker"


def test_a_token_that_may_only_view_changes_nothing(processmaker, tmp_path):
    """A sentence, what to do, and the exit code of a store that cannot be used; the instance is as it was."""
    for name in ("connectors", "policies"):
        shutil.copytree(EXAMPLE / name, tmp_path / name)
    (tmp_path / "connectors/stock.yaml").unlink()  # its token would be fetched
    target = f"{{store: '{processmaker.url}', token: {{env: TOKEN}}, processmaker: {{allowPlainHttp: a test}}}}"
    (tmp_path / "reconciler.yaml").write_text(
        f"apiVersion: reconciler/v1\nkind: Project\nowner: a/b\ntargets: {{test: {target}}}\n", "utf-8"
    )
    given = ["--env-file", EXAMPLE / "test.env.example"]
    done = run_command("apply", "--yes", *given, cwd=tmp_path, env={"TOKEN": processmaker.token("ada")})
    assert (done.exit_code, done.stderr) == (
        10,
        "error: the token's user may not view users; nothing was changed\n"
        "  hint: the token's user lacks a permission for that: see  reconciler store check\n",
    )
    assert processmaker.writes == []
