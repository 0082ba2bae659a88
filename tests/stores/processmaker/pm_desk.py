"""A simulated instance without a network: what is sent goes through the same normalisation, and comes back as JSON."""

import json
from typing import Any

from simulator.answers import Api
from simulator.instance import Simulator
from simulator.messages import Request
from simulator.profiles import PROFILES
from simulator.texts import clean_input
from simulator.values import as_array, read_json

Fields = dict[str, Any]


class Desk:
    """An instance, asked by its super admin."""

    def __init__(self, profile: str, **switches: Any) -> None:
        """With default users, and what `switches` say."""
        self.simulator = Simulator(PROFILES[profile], None, 1, [], switches)
        self.api: Api = self.simulator.api
        self.headers = {
            "Authorization": f"Bearer {self.simulator.tokens['admin']['token']}",
            "Accept": "application/json",
        }

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """What it answers; it has to do what it is asked."""
        profile = self.simulator.profile
        sent = read_json(json.dumps(body).encode()) if body is not None else {}
        clean = {key: as_array(clean_input(profile, value)) for key, value in sent.items()}
        answer = self.api.answer(Request(method, path, query, clean, {}, self.headers, "http://localhost"))
        assert answer.status < 300, (method, path, answer.status, answer.body[:300])
        return json.loads(answer.body) if answer.body else None

    def listed(self, path: str, **query: str) -> list[Fields]:
        """All rows of a list."""
        found: list[Fields] = self.ask("GET", path, per_page="1000", order_by="id", **query)["data"]
        return found
