"""What is there at the start."""

from __future__ import annotations

import base64
import json
import time
import uuid as uuids
from typing import Any

from simulator.clock import now
from simulator.profiles import GROUP_TYPE, USER_TYPE
from simulator.tables import blank_connector
from simulator.values import write_json

CATALOGUE = [  # heading, then title and name of each
    (
        "Data Connectors",
        [
            (f"{verb.title()} Data Connector{what}", f"{verb}-data-source{tail}")
            for what, tail in (("s", "s"), (" Categories", "-categories"))
            for verb in ("create", "view", "edit", "delete")
        ],
    ),
    ("Groups", [(f"{verb.title()} Groups", f"{verb}-groups") for verb in ("create", "delete", "edit", "view")]),
    ("Users", [(f"{verb.title()} Users", f"{verb}-users") for verb in ("create", "delete", "edit", "view")]),
]
CLIENTS = {"2": "simulated secret of client 2"}  # of OAuth
YEAR = 31536000
GRANTS = {"ada": ["view-data-sources", "view-data-source-categories", "view-groups"], "grace": []}


class Seeds:
    """Fills a store."""

    def fill_default(self) -> None:
        self._fill_catalogue()
        self._fill_users()
        self.clients.update(CLIENTS)
        for name in ("admin", "ada", "grace"):
            self.add_token(name)

    def _fill_catalogue(self) -> None:
        for heading, entries in CATALOGUE:
            for title, name in entries:
                self.add_permission(name, title, heading)

    def _fill_users(self) -> None:
        self.add_user("admin", is_administrator=True)
        if self.profile.modern:
            self.add_user("anonymous", is_system=1)  # in no list, but has an id
        for name, names in GRANTS.items():
            user = self.add_user(name)
            self.grant(USER_TYPE, user["id"], names)

    def fill(self, seed: dict) -> None:
        """From a seed (README). The catalogue of permissions and the users are the default ones when it has none."""
        if "permissions" not in seed:
            self._fill_catalogue()
        for entry in seed.get("permissions", []):
            self.permissions.put(dict(entry))
        if "users" not in seed:
            self._fill_users()
        for entry in seed.get("users", []):
            self.add_user(**entry)
        self.clients.update(seed.get("clients", CLIENTS))
        for entry in seed.get("groups", []):
            self.add_group(**entry)
        for entry in seed.get("categories", []):
            self.add_category(**entry)
        for entry in seed.get("connectors", []):
            self.add_connector(**entry)
        for entry in seed.get("collections", []):
            self.add_collection(**entry)
        for entry in seed.get("members", []):
            self.members.put({**self._times(), "id": entry.get("id") or self.members.take_id(), **entry})
        for entry in seed.get("grants", []):
            self.grant(
                GROUP_TYPE if "group" in entry else USER_TYPE, entry.get("group") or entry["user"], entry["names"]
            )
        for name, last in seed.get("last_ids", {}).items():
            getattr(self, name).last = last
        for name in seed.get("tokens", []) or [
            row["username"] for row in self.users.rows.values() if not row["is_system"]
        ]:
            self.add_token(name)

    def _times(self) -> dict:
        return {"created_at": now(), "updated_at": now()}

    def new_uuid(self) -> str:
        return str(uuids.UUID(int=self.random.getrandbits(128), version=4))

    def add_permission(self, name: str, title: str, group: str) -> dict:
        return self.permissions.put(
            {"id": self.permissions.take_id(), "name": name, "title": title, "group": group, **self._times()}
        )

    def add_user(self, username: str, **more: Any) -> dict:
        self.passwords[username] = more.pop("password", f"simulated password of {username}")
        row = {
            "id": more.pop("id", None) or self.users.take_id(),
            "uuid": self.new_uuid(),
            "username": username,
            "firstname": username.title(),
            "lastname": "Example",
            "email": f"{username}@example.test",
            "status": "ACTIVE",
            "is_administrator": False,
            "is_system": 0,
            "extra": {},
            **self._times(),
            **more,
        }
        return self.users.put(row)

    def add_group(self, name: str, **more: Any) -> dict:
        row = {
            "id": more.pop("id", None) or self.groups.take_id(),
            "uuid": self.new_uuid(),
            "name": name,
            "description": None,
            "status": "ACTIVE",
            "enabled_2fa": False,
            "manager_id": None,
            **self._times(),
            **more,
        }
        return self.groups.put(row)

    def add_category(self, name: str, **more: Any) -> dict:
        row = {
            "id": more.pop("id", None) or self.categories.take_id(),
            "name": name,
            "status": "ACTIVE",
            "is_system": 0,
            **self._times(),
            **more,
        }
        return self.categories.put(row)

    def add_connector(
        self, name: str, categories: list[int], credentials: Any = None, endpoints: Any = None, **more: Any
    ) -> dict:
        """A row put in from the side: also hidden ones, SOAP, collections."""
        row = {
            **blank_connector(),
            "authtype": "NONE",
            "id": more.pop("id", None) or self.connectors.take_id(),
            "name": name,
            "category": categories[0],
            **self._times(),
            **more,
        }
        row["credentials"] = None if credentials is None else self.vault.lock(credentials)
        row["endpoints"] = None if endpoints is None else write_json(endpoints)
        self.pivots.add(row["id"], categories)
        return self.connectors.put(row)

    def add_collection(self, number: int, name: str) -> dict:
        """A connector that the product generates for a collection: category Generated, relative addresses."""
        found = self.categories.where(name="Generated")
        category = found[0] if found else self.add_category("Generated")
        url = f"/api/1.0/collections/{number}/records"
        plan = {
            "list": ("GET", url),
            "create": ("POST", url),
            "get": ("GET", url + "/{{id}}"),
            "update": ("PUT", url + "/{{id}}"),
            "delete": ("DELETE", url + "/{{id}}"),
        }
        endpoints = {
            purpose: {
                "purpose": purpose,
                "method": method,
                "url": address,
                "headers": [],
                "params": [],
                "body": None,
                "testData": "{}",
                "outboundConfig": [],
            }
            for purpose, (method, address) in plan.items()
        }
        token = {"token": f"simulated token of collection {number}", "verify_certificate": True}
        return self.add_connector(name, [category["id"]], token, endpoints, authtype="OAUTH2_BEARER")

    def add_token(self, username: str) -> str:
        """A token made as the real ones are: three base64url parts, sub and exp in the middle. The signature is noise."""
        user = self.users.where(username=username)[0]
        token = self.token_names[username] = self.new_token(user)
        return token

    def new_token(self, user: dict | None, seconds: float = YEAR) -> str:
        """For a user, or for a client alone."""
        head = {"typ": "JWT", "alg": "RS256"}
        body = {
            "aud": "1",
            "jti": "%032x" % self.random.getrandbits(128),
            "iat": int(time.time()),
            "exp": int(time.time() + seconds),
            "sub": str(user["id"]) if user else "",
            "scopes": [],
        }
        noise = bytes(self.random.getrandbits(8) for _ in range(64))
        parts = [json.dumps(head).encode(), json.dumps(body).encode(), noise]
        token = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
        self.tokens[token] = user["id"] if user else None
        if seconds != YEAR:
            self.ends[token] = time.time() + seconds
        return token

    def grant(self, kind: str, holder: int, names: list[str]) -> None:
        self.grants += [[kind, holder, self.permissions.where(name=name)[0]["id"]] for name in names]
