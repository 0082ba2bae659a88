"""The control endpoint."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

from simulator.messages import Answer, as_json
from simulator.profiles import Switches


class Control:
    """The control endpoint."""

    def control(self, method: str, path: str, body: dict) -> Answer:
        """/__faults (GET, POST, DELETE), /__requests (GET, DELETE), /__reset (POST). Outside the API, without a token."""
        if path == "/__faults":
            return self._control_faults(method, body)
        if path == "/__requests" and method in ("GET", "DELETE"):
            with self.log_lock:
                shown = list(self.requests)
                if method == "DELETE":
                    self.requests.clear()
            return Answer(200, json.dumps(shown).encode())
        if path == "/__reset" and method == "POST":
            self.reset(keep=False)
            return Answer(200, json.dumps({"tokens": self.tokens}).encode())
        return as_json(404, {"error": "Not Found"})

    def _control_faults(self, method: str, body: dict) -> Answer:
        try:
            if method == "DELETE":
                self.plan.replace([])
            elif method == "POST":
                if "faults" in body:
                    self.plan.replace(body["faults"], body.get("seed", 1))
                self.set(**body.get("switches", {}))
        except (TypeError, ValueError) as problem:
            return as_json(400, {"error": str(problem)})
        shown = {"faults": [asdict(fault) for fault in self.plan.faults], "switches": asdict(self.switches)}
        return Answer(200, json.dumps(shown).encode())

    def set(self, **switches: Any) -> None:
        known = {one.name for one in fields(Switches)}
        for name, value in switches.items():
            if name not in known:
                raise ValueError(f"unknown switch {name!r}; known: {', '.join(sorted(known))}")
            setattr(self.switches, name, value)
