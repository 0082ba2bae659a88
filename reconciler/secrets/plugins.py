"""{plugin: NAME:REFERENCE}: resolvers of others, by the entry-point group reconciler.secrets.

An entry point leads to a function that takes a `Context` and gives an object with
``resolve(reference: str) -> str``; it raises `SecretUnavailable` with a message and a hint. Up to eight threads
call it at once.
"""

from threading import Lock
from typing import Any

from reconciler.core.secret import Secret
from reconciler.errors import SecretUnavailable
from reconciler.secrets.context import Context

GROUP = "reconciler.secrets"


class PluginSecrets:
    """Asks plug-ins."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = Lock()
        self._loaded: dict[str, Any] = {}

    def resolve(self, target: str) -> str:
        """What the plug-in says."""
        name, _, reference = target.partition(":")
        plugin = self._load(name)
        try:
            value = plugin.resolve(reference)
        except SecretUnavailable:
            raise
        except Exception as failure:  # noqa: BLE001 (others' code; its words may hold the secret)
            raise SecretUnavailable(f"the plug-in '{name}' failed ({type(failure).__name__})", hint="ask who wrote it") from None  # fmt: skip
        found = value.reveal() if isinstance(value, Secret) else value
        if not isinstance(found, str) or not found:
            raise SecretUnavailable(f"the plug-in '{name}' gave no text", hint="check the reference")
        return found

    def _load(self, name: str) -> Any:
        with self._lock:
            if name not in self._loaded:
                from importlib.metadata import entry_points

                points = entry_points(group=GROUP)
                if name not in points.names:
                    known = ", ".join(sorted(points.names)) or "none"
                    hint = f"install it beside reconciler; installed are: {known}"
                    raise SecretUnavailable(f"there is no plug-in '{name}'", hint=hint)
                try:
                    self._loaded[name] = points[name].load()(self._context)
                except Exception as failure:  # noqa: BLE001 (others' code)
                    raise SecretUnavailable(f"the plug-in '{name}' cannot be loaded ({type(failure).__name__})", hint="ask who wrote it") from None  # fmt: skip
            return self._loaded[name]
