"""Whatever goes in as a collection, a recording or a command line: valid connectors come out, or a refusal."""

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openapi_checks import check
from test_openapi_properties import SCALARS, TEXTS

from reconciler.importers import curl, har, postman
from reconciler.importers.syntax import NotImportable

WORDS = (
    "info item request url raw host path query variable key value header auth type bearer basic apikey oauth2 in "
    "accessTokenUrl grant_type clientId body mode urlencoded formdata graphql options language disabled description "
    "name event script exec response method protocol port log entries postData mimeType text params headers content "
    "queryString cookies src file"
).split()
VALUES = st.sampled_from(
    "raw json urlencoded formdata file GET POST bearer basic apikey oauth2 noauth client_credentials "
    "https://a.example/{{b}}/:id?q={{c}}#d {{url}}/a https://u:p@a.example/1 a.example/b application/json "
    '{"a":{{b}},"c":"d{{e}}"} [1,{"password":"x"}] a=1&b=%ZZ&=& multipart/form-data {{{a}}} }} {{$guid}} \ue000 1\ue002'
    " application/x-www-form-urlencoded".split(" ")
)
SHAPED = st.recursive(
    SCALARS | VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | TEXTS, inner, max_size=6),
    max_leaves=25,
)
GENTLE = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
CHOICE = har.Choice(None, ["pets"], None, pages=True)


@GENTLE
@given(st.dictionaries(st.sampled_from(["request", "name", "auth", "variable", "item"]), SHAPED, max_size=4), SHAPED)
@example({"request": {"url": "https://a.example/{{b", "method": "GET"}}, None)
def test_any_collection_is_valid_or_refused(item: dict[str, Any], more: Any) -> None:
    """An item of any form, beside one that is right."""
    right = {"name": "right", "request": {"method": "GET", "url": "https://a.example/b"}}
    document = {"info": {"name": "Pets"}, "item": [item, right], "variable": more, "auth": item.get("auth")}
    check(postman.convert(document, categories=["pets"]))


@GENTLE
@given(
    st.fixed_dictionaries(
        {"url": VALUES | TEXTS, "method": st.sampled_from(["GET", "POST", "PUT"])},
        optional={"postData": SHAPED, "headers": SHAPED, "queryString": SHAPED, "cookies": SHAPED},
    ),
    SHAPED,
)
def test_any_recording_is_valid_or_refused(request: dict[str, Any], response: Any) -> None:
    """A request of any form, beside one that is right."""
    right = {"request": {"method": "GET", "url": "https://a.example/b"}}
    document = {"log": {"entries": [{"request": request, "response": response}, right, response]}}
    check(har.convert(document, CHOICE))


PIECES = st.sampled_from(
    "curl|-X|POST|-d|-H|-F|-u|--json|--data-urlencode|--url|-G|-k|--next|-Xx|-sSLd@x|'a b'|\"$A b\"|$B|${C}|$(d)|`e`|"
    "$'\\x41'|'A: b'|'Authorization: Bearer $t'|\"Authorization: Bearer $T\"|https://a.example/{{b}}?c=$D|a=1&b={{c}}|"
    '\'{"a": 1}\'|"{\\"a\\": \\"$E\\"}"|@f|x=@f|;|&&||>|2>&1|#|\\\n|\n|--|-|=|:|https://u:$P@h.example'.split("|")
)


@GENTLE
@given(st.lists(PIECES | st.text(max_size=6), max_size=14))
def test_any_command_is_valid_or_refused(pieces: list[str]) -> None:
    """Words in any order, after a command that is right."""
    text = "curl https://a.example/b\ncurl " + " ".join(pieces)
    try:
        found = curl.convert(text, "x.sh", categories=["pets"])
    except NotImportable as refused:
        assert "x.sh:" in str(refused)
    else:
        check(found)


@given(SHAPED)
@settings(max_examples=30, deadline=None)
def test_what_is_none_of_them_is_refused(document: Any) -> None:
    """By a message, whatever it holds."""
    given_document = document if isinstance(document, dict) else {"item": document, "log": document}
    for convert in (
        lambda: postman.convert(given_document, categories=["pets"]),
        lambda: har.convert(given_document, CHOICE),
    ):
        try:
            check(convert())
        except NotImportable as refused:
            assert str(refused)


@pytest.mark.parametrize("depth", [100, 5000])
def test_deep_nesting_ends(depth: int) -> None:
    """Folders in folders, and bodies of lists in lists."""
    item: dict[str, Any] = {"name": "x", "request": {"method": "GET", "url": "https://a.example/b"}}
    for _ in range(min(depth, 400)):
        item = {"name": "f", "item": [item]}
    right = {
        "name": "right",
        "request": {
            "method": "POST",
            "url": "https://a.example/b",
            "body": {"mode": "raw", "raw": "[" * depth + "]" * depth},
        },
    }
    check(postman.convert({"info": {"name": "Pets"}, "item": [item, right]}, categories=["pets"]))
