"""Random definitions that an instance can hold, and some that only the state beside it holds in full."""

from typing import Any

from hypothesis import strategies as st

from reconciler.kinds.canonical import canonical
from reconciler.kinds.registry import KINDS, is_definition

Body = dict[str, Any]
WORDS = st.text(st.sampled_from("abc XYZ ÄÖüß-_.'09日本й"), min_size=1, max_size=12)
ENDS = st.sampled_from(["", "", "", " ", "\n", "\t ", "\u00a0", "\u200b", "\ufeff", "\u3000"])
INSIDE = st.sampled_from(
    [
        "", "0", "null", "5 < 6", "plain", "{{a}}", '{"a": "{{a}}", "b": 1.0}', "<?xml version='1.0'?><a b=\"c\">&amp;</a>",
        "<b>bold</b>", "[1, 2]", "{}", "[]", "  inner   blanks ", "Größe", "a\nb\n", "\\u0041\\n", "1e400", "true", "-0.0",
    ]
)  # fmt: skip
TEXTS = st.tuples(ENDS, INSIDE | st.text(max_size=20).filter(lambda text: "\0" not in text and _is_utf8(text)), ENDS).map("".join)  # fmt: skip
PROSE = st.tuples(ENDS, st.text(st.sampled_from("abc .,()äöü\n%&\"'/\\5"), max_size=20), ENDS).map("".join)
NAMES = WORDS.map(lambda name: name.strip(" .")).filter(bool)
REFERENCES = st.sampled_from([{"env": "S1"}, {"env": "S2"}, {"vault": "secret/crm#key"}])
VALUES = TEXTS | REFERENCES
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.sampled_from([1.0, 0.5, 1e300, -0.0, 2**63, ""]) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["0", "1", "a", "id", "", " b"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def _is_utf8(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _entries(names: st.SearchStrategy[str]) -> st.SearchStrategy[list[Body]]:
    entry = st.fixed_dictionaries(
        {"name": names}, optional={"value": VALUES, "required": st.booleans(), "description": PROSE}
    )
    return st.lists(entry, max_size=3)


ENDPOINTS = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
        "url": st.sampled_from(["https://e.example/{{a}}?b={{b}}", "/api/1.0/users", "{{base}}/x", "https://e.example/ "]),
    },
    optional={
        "description": PROSE, "params": _entries(st.sampled_from(["a", "b", "page[]", "{{k}}", "0"])),
        "headers": _entries(st.sampled_from(["X-A", "x-a", "x-b", "Accept", "0"])),
        "body": TEXTS, "bodyType": st.sampled_from(["json", "raw", "form-urlencoded"]),
        "sample": st.dictionaries(st.sampled_from(["a", "0", "1", "", "id", " x "]), JSON, max_size=3),
        "timeoutSeconds": st.sampled_from([1, 30, 3600]),
        "retry": st.fixed_dictionaries({}, optional={"attempts": st.sampled_from([0, 2]), "waitSeconds": st.sampled_from([0, 5, 9])}),
    },
)  # fmt: skip
PURPOSES = st.sampled_from(["list", "List all users", "a.b", "0", "1", "5", "1e3", "id", "view", "ü", "purpose"])
AUTHORIZATIONS = st.sampled_from(
    [
        None,
        {"method": "none"},
        {"method": "basic", "username": "svc", "password": {"env": "S1"}},
        {"method": "basic", "username": {"env": "S2"}, "password": {"env": "S1"}},
        {"method": "bearer", "token": {"env": "S1"}},
        {"method": "bearer", "tokenRequest": {"url": "https://e.example/t", "username": "u", "password": {"env": "S1"}}},
        {"method": "oauth2-client-credentials", "tokenUrl": "https://e.example/t", "clientId": "c", "clientSecret": {"env": "S1"}},
        {"method": "oauth2-password", "tokenUrl": "https://e.example/t", "clientId": "c", "clientSecret": {"env": "S2"},
         "clientAuthentication": "body", "username": "u", "password": {"env": "S1"}},
    ]
)  # fmt: skip
LIFECYCLES = st.sampled_from([None, {"protect": True}, {"ignore": ["description"]}])
CATEGORIES = ("crm", "erp", "hr")


def _made(kind: str, spec: Body, labels: Body) -> Body:
    spec = {key: value for key, value in spec.items() if value is not None}
    content = {"metadata": {"labels": labels}, "spec": spec} if labels else {"spec": spec}
    return canonical(content, KINDS[kind])


@st.composite
def connectors(draw: st.DrawFn) -> Body:
    """Canonical bodies of connectors that a schema admits."""
    spec = {
        "displayName": draw(NAMES),
        "description": draw(PROSE),
        "categories": draw(st.lists(st.sampled_from(CATEGORIES), min_size=1, unique=True)),
        "authorization": draw(AUTHORIZATIONS),
        "tls": draw(st.sampled_from([None, {"verify": False, "reason": "a test"}])),
        "contract": draw(st.sampled_from([None, "openapi/crm.yaml"])),
        "status": draw(st.sampled_from(["active", "inactive"])),
        "lifecycle": draw(LIFECYCLES),
        "endpoints": draw(st.dictionaries(PURPOSES, ENDPOINTS, max_size=3)),
    }
    body = _made("Connector", spec, draw(st.sampled_from([{}, {"team": "sales"}])))
    assert is_definition("Connector", body["spec"], body.get("metadata", {}).get("labels")), body
    return body
