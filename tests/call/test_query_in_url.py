"""A parameter that also stands in the URL's query is sent once, with the value of who speaks last."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds.queries import without_names
from reconciler.kinds.requests import DataMissing, GivenData, build, sent_url


def sent(
    url: str, params: dict[str, str], *, own: list[dict[str, Any]] | None = None, data: dict[str, Any] | None = None
) -> str:
    endpoint = {"method": "GET", "url": f"https://x.example/a{url}", "params": own or []}
    request = build("get", endpoint, GivenData(data or {}, list(params.items())), {})
    return sent_url(request).removeprefix("https://x.example/a")


@pytest.mark.parametrize(
    ("url", "params", "expected"),
    [
        ("?page=1", {"page": "2"}, "?page=2"),
        ("?page=1&size=9", {"page": "2"}, "?size=9&page=2"),
        ("?size=9&page=1&page=3", {"page": "2"}, "?size=9&page=2"),
        ("?page={{page}}&size=9", {"page": "2"}, "?size=9&page=2"),
        ("?q={{&q}}&page=1", {"page": "2"}, "?q=xy&page=2"),
        ("?filter%5Ba%5D=1&b=2", {"filter[a]": "3"}, "?b=2&filter%5Ba%5D=3"),
        ("?page={{#on}}1{{/on}}&size=9", {"page": "2"}, "?size=9&page=2"),
        ("?size=9{{#on}}&page=1&more=1{{/on}}", {"page": "2"}, "?size=9&more=1&page=2"),
        ("?page=1&size=9", {"page": ""}, "?size=9"),
        ("?page=1", {"page": ""}, ""),
        ("?page=1#part", {"page": "2"}, "?page=2"),
        ("?pages=1", {"page": "2"}, "?pages=1&page=2"),
        ("?page=1", {}, "?page=1"),
    ],
)
def test_what_the_caller_gives_stands_in_its_place(url: str, params: dict[str, str], expected: str) -> None:
    """Data for a placeholder that it stands instead of is not wanted."""
    assert sent(url, params, data={"on": True, "q": "xy"}) == expected


def test_so_does_a_parameter_of_the_definition() -> None:
    """If it is sent; one without data leaves the URL's."""
    own = [{"name": "page", "value": "{{page}}"}]
    assert sent("?page=1&size=9", {}, own=own, data={"page": 5}) == "?size=9&page=5"
    assert sent("?page=1&size=9", {}, own=own) == "?page=1&size=9"
    assert sent("?page=1&size=9", {"page": "7"}, own=own, data={"page": 5}) == "?size=9&page=7"
    with pytest.raises(DataMissing):
        sent("?page={{page}}", {})


NAMES = st.sampled_from(["a", "b", "a b", "ä", "x[y]"])


@given(st.lists(st.tuples(NAMES, st.text(max_size=3)), max_size=5), st.frozensets(NAMES))
def test_no_name_is_left_and_no_other_goes(pairs: list[tuple[str, str]], names: frozenset[str]) -> None:
    url = "https://x.example/a" + ("?" + urlencode(pairs) if pairs else "")
    left = parse_qsl(urlsplit(without_names(url, names)).query, keep_blank_values=True)
    assert left == [pair for pair in pairs if pair[0] not in names]
