"""All state of one simulated instance."""

from __future__ import annotations

import math
import random
import threading
import time

from simulator.profiles import GROUP_TYPE, USER_TYPE, Profile
from simulator.seeds import Seeds
from simulator.tables import TABLES, Pivots, Table
from simulator.vault import Vault


class Store(Seeds):
    """All state of one simulated instance, kept in memory; every use is under `lock`."""

    def __init__(self, profile: Profile, seed: int = 1):
        self.profile, self.lock = profile, threading.RLock()
        self.random = random.Random(seed)
        self.vault = Vault(profile, seed)
        for name in TABLES:
            setattr(self, name, Table())
        self.pivots = Pivots()
        self.grants: list[list] = []  # [type, id, permission id]; doubles are possible
        self.cached: dict[int, list[str]] = {}  # 4.14: what was written for group N, taken for user N's own
        self.tokens: dict[str, int | None] = {}  # token to user, None when expired or revoked
        self.token_names: dict[str, str] = {}
        self.ends: dict[str, float] = {}  # when tokens of the token endpoint expire
        self.refreshes: dict[str, tuple[int, str]] = {}  # refresh token to user and access token
        self.clients: dict[str, str] = {}  # of OAuth, with their secrets
        self.passwords: dict[str, str] = {}  # by user name

    def user_of(self, token: str) -> dict | None:
        """Whom a token acts for; nobody when it is unknown, expired, revoked or of a client alone."""
        if self.ends.get(token, math.inf) <= time.time():
            return None
        return self.users.rows.get(self.tokens.get(token) or 0)

    def names_of(self, kind: str, holder: int) -> list[str]:
        return [self.permissions.rows[p]["name"] for k, h, p in self.grants if (k, h) == (kind, holder)]

    def rights(self, user: dict) -> set[str]:
        """Own and of all groups, also INACTIVE ones; groups inside groups count in 4.14 alone (nesting seen).

        What was written for the group with the user's number stands in place of its own, [] too (seen)."""
        own = self.cached.get(user["id"])
        names = set(self.names_of(USER_TYPE, user["id"]) if own is None else own)
        todo, done = [(USER_TYPE, user["id"])], set()
        while todo:
            kind, holder = todo.pop()
            for row in self.members.where(member_type=kind, member_id=holder):
                group = row["group_id"]
                if group in done or group not in self.groups.rows:
                    continue
                done.add(group)
                names.update(self.names_of(GROUP_TYPE, group))
                if self.profile.modern:
                    todo.append((GROUP_TYPE, group))
        return names

    def may(self, user: dict, name: str) -> bool:
        return bool(user["is_administrator"]) or name in self.rights(user)

    def category_ids(self, connector: int, order: str) -> list[int]:
        """The categories that exist; one that does not is dropped silently, and is there once it exists (seen)."""
        found = [category for category in self.pivots.of(connector) if category in self.categories.rows]
        return sorted(found) if order == "id" else found

    def hidden(self, row: dict) -> bool:
        """Rows that no list shows: any category a system one, templates, rows with an asset_type (seen: any)."""
        if any(self.categories.rows[number]["is_system"] == 1 for number in self.category_ids(row["id"], "given")):
            return True
        return self.profile.modern and bool(row["is_template"] or row["asset_type"] is not None)

    def reachable(self, row: dict) -> bool:
        """By id: in 2020 not when the first category is a system one; since 2020-10 everything (seen: the first)."""
        if self.profile.modern:
            return True
        first = next(iter(self.category_ids(row["id"], "given")), row["category"])
        return not self.categories.rows[first]["is_system"]

    def dump(self) -> dict:
        state = {
            name: {"last": getattr(self, name).last, "rows": list(getattr(self, name).rows.values())} for name in TABLES
        }
        return {
            **state,
            "pivots": self.pivots.pairs(),
            "grants": self.grants,
            "tokens": self.tokens,
            "names": self.token_names,
            "ends": self.ends,
            "refreshes": self.refreshes,
            "clients": self.clients,
            "passwords": self.passwords,
            "cached": {str(key): value for key, value in self.cached.items()},
        }

    def load(self, state: dict) -> None:
        for name in TABLES:
            table = getattr(self, name)
            table.last, table.rows = state[name]["last"], {row["id"]: row for row in state[name]["rows"]}
        self.pivots, self.grants = Pivots(state["pivots"]), state["grants"]
        self.tokens, self.token_names = state["tokens"], state["names"]
        self.ends, self.refreshes = state["ends"], state["refreshes"]
        self.clients, self.passwords = state["clients"], state["passwords"]
        self.cached = {int(key): value for key, value in state["cached"].items()}
