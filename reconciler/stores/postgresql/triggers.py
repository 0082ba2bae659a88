"""Triggers that see writes outside of a run, and keep the tables fitting to each other.

While an apply writes, its transaction has the setting `reconciler.writing`, which it costs next to nothing to ask for,
and a row in `writing`, which only the writing role can have put there. Once a statement a guard holds the one against
the other, as the setting is anybody's to make; and as a statement can make it on its way, they keep quiet for a role
alone that may put such a row there.

Pictures are taken before each row is written, as a cascade would have taken the bodies when the statement ends. All
triggers are ALWAYS there: `session_replication_role` does not switch them off. Their statements are written as
`pg_get_triggerdef` gives them, by which `engine.py` compares. What they do stands in `functions.py`.
"""

from msgspec import Struct

_OUTSIDE = (
    " WHEN (current_setting('reconciler.writing'::text, true) IS DISTINCT FROM '1'::text"
    " OR NOT has_table_privilege('writing'::regclass::oid, 'INSERT'::text))"
)
_INSIDE = " WHEN (current_setting('reconciler.writing'::text, true) = '1'::text)"
_UNTIED = " WHEN (current_setting('session_replication_role'::text) = 'replica'::text)"  # no foreign key cascades then


class Trigger(Struct, frozen=True):
    """A trigger; `text` is all between its name and its function but the table."""

    table: str
    name: str
    when: str
    level: str
    function: str

    @property
    def address(self) -> str:
        """What names it: other tables may have one of the same name."""
        return f"{self.table}.{self.name}"

    @property
    def statement(self) -> str:
        """What makes it, in the words of `pg_get_triggerdef`."""
        return f"CREATE TRIGGER {self.name} {self.when} ON {self.table} FOR EACH {self.level} EXECUTE FUNCTION {self.function}()"

    def statements(self) -> tuple[str, ...]:
        """Make it, in the place of one that is there."""
        drop = f"DROP TRIGGER IF EXISTS {self.name} ON {self.table}"
        return drop, self.statement, f"ALTER TABLE {self.table} ENABLE ALWAYS TRIGGER {self.name}"


_ANY = "INSERT OR DELETE OR UPDATE"
_WATCHED = {"records": "watch_records"} | dict.fromkeys(("documents", "applied", "refs", "secrets"), "watch_beside")
TRIGGERS = tuple(
    [Trigger(table, "watch", f"BEFORE {_ANY}", f"ROW{_OUTSIDE}", function) for table, function in _WATCHED.items()]
    + [Trigger(table, "watch_truncate", "BEFORE TRUNCATE", "STATEMENT", "watch_truncate") for table in _WATCHED]
    + [
        Trigger(table, "guard", f"BEFORE {_ANY}", f"STATEMENT{_INSIDE}", "guard")
        for table in (*_WATCHED, "declared", "claimed", "baselines")
    ]
    + [
        Trigger("declared", "ends", f"AFTER {_ANY}", f"ROW{_OUTSIDE}", "end_baselines"),
        Trigger("declared", "ends_all", "BEFORE TRUNCATE", "STATEMENT", "end_baselines"),
        Trigger("claimed", "ends", f"AFTER {_ANY}", f"ROW{_OUTSIDE}", "end_baselines"),
        Trigger("claimed", "ends_all", "BEFORE TRUNCATE", "STATEMENT", "end_baselines"),
        Trigger("baselines", "ends", "AFTER INSERT OR UPDATE", f"ROW{_OUTSIDE}", "end_baselines"),
        Trigger("meta", "revision", f"AFTER {_ANY}", "ROW", "end_all_baselines"),
        Trigger("meta", "revision_lost", "BEFORE TRUNCATE", "STATEMENT", "end_all_baselines"),
        Trigger("runs", "append_only", "BEFORE DELETE OR UPDATE OR TRUNCATE", "STATEMENT", "append_only"),
        Trigger("history", "append_only", "BEFORE DELETE OR UPDATE OR TRUNCATE", "STATEMENT", "append_only"),
        Trigger("records", "gone", "AFTER DELETE", f"ROW{_UNTIED}", "gone"),
        Trigger("quarantine", "gone", "AFTER DELETE", f"ROW{_UNTIED}", "gone"),
    ]
)
