"""What the live store of a target cannot hold of definitions, told at their lines; the store is not asked."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.model import Key, Resource
from reconciler.core.ports.abilities import Limits, Recollection, Remembers
from reconciler.core.ports.state import KeepsFacts
from reconciler.diagnostics import Diagnostic, Finding
from reconciler.errors import NotPermitted, StoreUnavailable
from reconciler.settings import Overrides, Settings
from reconciler.source.yaml.loader import load_carefully
from reconciler.stores.drivers import open_url
from reconciler.wiring.run import context_of, load_settings, open_state


class Held(Struct, frozen=True):
    """What came of holding definitions against a target.

    Attributes:
        said: what whoever asked should know of it.
    """

    found: list[Diagnostic]
    said: str = ""


def held_against_target(
    root: Path,
    target: str,
    resources: Mapping[Key, Resource],
    read: Callable[[str], bytes],
    environment: Mapping[str, str],
) -> Held:
    """What the live store of a target cannot hold, by what the state beside it knows of it.

    Args:
        read: gives the bytes of a file of definitions.

    Raises:
        InvalidDefinitions, UsageError: see `load_settings`.
    """
    settings = load_settings(root, Overrides(target=target))
    offline = replace(context_of(root, {}), options=settings.options)  # without credentials
    live = open_url(settings.store, offline)
    if not isinstance(live, Limits):
        return Held([], f"the store of target {target} holds whatever can be declared")
    said = ""
    if isinstance(live, Remembers):
        facts, said = _facts(settings, environment)
        live.recall(Recollection(facts=facts))
    return Held(objections_at(live, resources, read), said)


def _facts(settings: Settings, environment: Mapping[str, str]) -> tuple[str, str]:
    """What is known of the live store; and why that is nothing."""
    hint = "what this instance lacks is not told"
    beside = replace(settings, store=settings.state, store_given=False, is_own=True)
    try:
        state = open_state(beside, environment)
        facts = state.facts() if isinstance(state, KeepsFacts) else ""
    except (NotPermitted, StoreUnavailable) as failure:
        return "", f"the state cannot be read, so {hint}: {failure.message}"
    return facts, "" if facts else f"nobody has asked the instance yet, so {hint}: reconciler store check"


def objections_at(live: Limits, resources: Mapping[Key, Resource], read: Callable[[str], bytes]) -> list[Diagnostic]:
    """What a live store cannot hold of the resources, at the lines where they are declared."""
    found: dict[str, dict[Key, list[Finding]]] = defaultdict(lambda: defaultdict(list))
    for key, finding in live.objections({key: item.content.value for key, item in resources.items()}):
        found[resources[key].file][key].append(finding)
    return [
        diagnostic
        for file, by_key in sorted(found.items())
        for diagnostic in _located(live, file, read(file), {resources[key]: told for key, told in by_key.items()})
    ]


def _located(live: Limits, file: str, data: bytes, found: Mapping[Resource, list[Finding]]) -> list[Diagnostic]:
    """The findings of one file, with places in the documents as they are written: canonical bodies sort lists."""
    from reconciler.source.positions import locate
    from reconciler.source.text import SourceText

    loaded = load_carefully(data, file, None)
    contents = dict(loaded.documents)
    findings = []
    for item, told in found.items():
        own = _alone(live, item.key, item.content.value)
        written = _alone(live, item.key, contents[item.document]) if item.document in contents else own
        beside_others = [finding for finding in told if finding not in own]
        findings += [
            replace(finding, place=replace(finding.place, document=item.document))
            for finding in (*written, *beside_others)
        ]
    return locate(SourceText(file, data), loaded.nodes, findings)


def _alone(live: Limits, key: Key, body: Mapping[str, Any]) -> list[Finding]:
    return [finding for _, finding in live.objections({key: body})]
