"""What the tests of deleting, restoring and rolling back share."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema
from schema_checks import fits
from conftest import CATEGORY, CONNECTOR, Workspace
from live_state import InProcess, database_at, sql

from reconciler.core.model import Key
from reconciler.core.plan import Plan
from reconciler.kinds import registry
from reconciler.core.history import Report
from reconciler.services.apply import TokenOptions, apply_plan
from reconciler.services.apply import ApplyOptions, Report, TokenOptions, apply_plan
from reconciler.services.history import PastState
from reconciler.services.plan import make_plan
from reconciler.services.judgement import PlanOptions
from reconciler.services.restore import deleted_named, deleted_state
from reconciler.services.rollback import run_at, state_after
from reconciler.stores.sql.history import SqlHistory
from reconciler.stores.sql.store import LiveSqlStore
from reconciler.wiring.run import now, open_secrets, open_tokens

FILE = "connectors/crm.yaml"
BOTH = CATEGORY + "---\n" + CONNECTOR
ADDRESS = "connector/crm-contacts"
KEY = Key("Connector", "crm-contacts")

Row = tuple[Any, ...]


def delete(workspace: Workspace) -> None:
    """Take the connector out of git, and apply."""
    workspace.write(FILE, CATEGORY)
    workspace.ok("apply", "--yes", "-q")


def answer(workspace: Workspace, *arguments: str, schema: str = "plan", code: int = 0) -> dict[str, Any]:
    """A command's JSON, held against its schema."""
    result = workspace.run(*arguments, "-o", "json")
    assert result.exit_code == code, result.output
    content: dict[str, Any] = json.loads(result.stdout)
    fits(content, f"{schema}.schema.json")
    return content


def records(store: Path) -> dict[tuple[str, str], Row]:
    """Everything of each live record that a user could tell: identity, owner, bodies, references, secrets."""
    found = {
        (kind, name): (uid, owner, display, fingerprint, applied, live, body)
        for kind, name, uid, owner, display, fingerprint, applied, live, body in sql(
            store,
            "SELECT kind, name, r.uid, owner, display, fingerprint, applied, live, body FROM records r"
            " LEFT JOIN documents USING (uid) LEFT JOIN applied a USING (uid)",
        )
    }
    refs = sql(store, "SELECT uid, kind, name FROM refs ORDER BY 1, 2, 3")
    secrets = sql(store, "SELECT uid, address, reference, fingerprint FROM secrets ORDER BY 1, 2")
    return {
        key: (*row, [ref for ref in refs if ref[0] == row[0]], [secret for secret in secrets if secret[0] == row[0]])
        for key, row in found.items()
    }


def ciphertexts(store: Path) -> set[bytes]:
    """The sealed secrets of live records."""
    return {text for (text,) in sql(store, "SELECT ciphertext FROM secrets")}


class UndoBench(InProcess):
    """Applies, restores and rollbacks in this process."""

    def plan_back(self, state: PastState, store: LiveSqlStore, **options: Any) -> Plan:
        """A plan of an earlier state."""
        settings = self.settings
        plan_options = PlanOptions(settings.target, settings.owner, max_deletes="100%", **options)
        return make_plan(state.load(), state, store, plan_options)

    def carry_out(self, plan: Plan, store: LiveSqlStore, *, verb: str) -> Report:
        """Apply a plan."""
        secrets = open_secrets(self.settings, self.environment)
        tokens = TokenOptions(open_tokens(self.settings, store), fetch=False)
        return apply_plan(plan, store, ApplyOptions(secrets, tokens, "ada", now, verb))

    def plan_restore(self, *keys: Key, run: int | None = None) -> Plan:
        """A plan that brings deleted records back."""
        with closing(self.store()) as store, closing(SqlHistory(database_at(self.path))) as history:
            chosen = deleted_named(store, keys, self.settings.owner, run)
            return self.plan_back(deleted_state(chosen, store, history), store, prune=False)

    def plan_rollback(self, run: int, **options: Any) -> Plan:
        """A plan that goes back to a run."""
        with closing(self.store()) as store, closing(SqlHistory(database_at(self.path))) as history:
            state = state_after(history, run_at(history, run, ""), store, self.settings.owner)
            return self.plan_back(state, store, **options)

    def rollback(self, run: int) -> Report:
        """Go back to a run."""
        plan = self.plan_rollback(run)
        with closing(self.store()) as store:
            return self.carry_out(plan, store, verb="rollback")

    def restore(self, *keys: Key, run: int | None = None) -> Report:
        """Bring deleted records back."""
        plan = self.plan_restore(*keys, run=run)
        with closing(self.store()) as store:
            return self.carry_out(plan, store, verb="restore")
