"""What is sent for each row of the specification's tables, byte for byte, as a real server sees it.

The rows are those of OpenAPI 3.1.2 (https://spec.openapis.org/oas/v3.1.2.html): "Style Examples", "Encoding the
x-www-form-urlencoded Media Type" and "Encoding multipart Media Types"; 3.0.4 has the same. Where 3.0.0 to 3.0.3 have
another one, and for `collectionFormat` of Swagger 2.0, the row says so.
"""

import json
import ssl
from typing import Any, NamedTuple
from urllib.parse import unquote

import pytest
from call_world import connector, make_live
from conftest import Workspace

from reconciler.core.calls import Trust
from reconciler.errors import UsageError
from reconciler.kinds.requests import GivenData, build, sent_url
from reconciler.net.client import Sender
from servers.faults import Answer, Request

_CONTEXT = ssl.create_default_context()  # made once; nothing here speaks TLS
NONE = "{method: none}"
DATA = {
    "none": None,
    "nothing": "",
    "text": "blue",
    "list": ["blue", "black", "brown"],
    "object": {"R": 100, "G": 200, "B": 150},
    "empties": [],
    "gaps": ["a", None, "", "b"],
    "deep": {"a": {"b": 1}, "tags": ["x", "y"], "rows": [{"n": 1}, {"n": 2}], "none": None},
    "odd": "a,b;c=d/e?f&g|h i%j+~é[k]",
    "odds": ["a,b", "c d", "|", "[x]", "é"],
    "odd_keys": {"a b": "c&d", "e=f": True},
    "words": ["math", "is", "fun"],
    "formulas": {"a": "x+y", "b": "x/y", "c": "x^y"},
    "rows": [{"id": 1}, [2], True],
    "quoted": {"name": 'say "hi"'},
}


class Row(NamedTuple):
    """One row: how the parameter `color` is defined, the name of its datum, and what is sent."""

    style: str
    explode: bool | None
    datum: str
    sent: str
    name: str = "color"

    def entry(self) -> dict[str, Any]:
        """Without what is not given."""
        explode = {} if self.explode is None else {"explode": self.explode}
        return {"name": self.name, "style": self.style, **explode} if self.style else {"name": self.name, **explode}


QUERY = [
    Row("form", False, "nothing", "color="),
    Row("form", False, "text", "color=blue"),
    Row("form", False, "list", "color=blue,black,brown"),  # Swagger 2.0: csv
    Row("form", False, "object", "color=R,100,G,200,B,150"),
    Row("form", True, "nothing", "color="),
    Row("form", True, "text", "color=blue"),
    Row("form", True, "list", "color=blue&color=black&color=brown"),  # Swagger 2.0: multi
    Row("form", True, "object", "R=100&G=200&B=150"),
    Row("form", None, "list", "color=blue&color=black&color=brown"),
    Row("", None, "list", "color=blue&color=black&color=brown"),
    Row("", None, "object", "R=100&G=200&B=150"),
    Row("spaceDelimited", False, "list", "color=blue%20black%20brown"),  # Swagger 2.0: ssv
    Row("spaceDelimited", None, "object", "color=R%20100%20G%20200%20B%20150"),
    Row("pipeDelimited", False, "list", "color=blue%7Cblack%7Cbrown"),  # until 3.0.3 blue|black|brown; Swagger 2.0: pipes
    Row("pipeDelimited", None, "object", "color=R%7C100%7CG%7C200%7CB%7C150"),
    Row("tabDelimited", None, "list", "color=blue%09black%09brown"),  # Swagger 2.0: tsv
    Row("deepObject", True, "object", "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150"),
    Row("deepObject", None, "object", "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150"),
    Row("json", None, "object", "color=%7B%22R%22%3A100%2C%22G%22%3A200%2C%22B%22%3A150%7D"),
    Row("json", None, "list", "color=%5B%22blue%22%2C%22black%22%2C%22brown%22%5D"),
    Row("json", None, "text", "color=blue"),
    # Appendix C: formulas and words
    Row("form", True, "formulas", "a=x%2By&b=x%2Fy&c=x%5Ey"),
    Row("form", False, "words", "words=math,is,fun", "words"),
    Row("spaceDelimited", False, "words", "words=math%20is%20fun", "words"),
    Row("form", None, "text", "%E2%9D%A4%EF%B8%8F=blue", "❤️"),
    # delimiters that are data, nulls, what is empty, what is nested
    Row("form", None, "odd", "color=a%2Cb%3Bc%3Dd%2Fe%3Ff%26g%7Ch%20i%25j%2B~%C3%A9%5Bk%5D"),
    Row("form", False, "odds", "color=a%2Cb,c%20d,%7C,%5Bx%5D,%C3%A9"),
    Row("form", True, "odd_keys", "a%20b=c%26d&e%3Df=true"),
    Row("deepObject", None, "odd_keys", "color%5Ba%20b%5D=c%26d&color%5Be%3Df%5D=true"),
    Row("form", True, "gaps", "color=a&color=&color=b"),
    Row("form", False, "gaps", "color=a,,b"),
    Row("form", True, "none", "color="),
    Row("form", True, "empties", "color="),
    Row("form", False, "empties", "color="),
    Row("json", None, "empties", "color=%5B%5D"),
    Row("form", True, "rows", "color=%7B%22id%22%3A1%7D&color=%5B2%5D&color=true"),
    Row("deepObject", None, "deep", "color%5Ba%5D%5Bb%5D=1&color%5Btags%5D%5B0%5D=x&color%5Btags%5D%5B1%5D=y&color%5Brows%5D%5B0%5D%5Bn%5D=1&color%5Brows%5D%5B1%5D%5Bn%5D=2"),
]  # fmt: skip
PATH = [
    Row("matrix", False, "text", ";text=blue"),
    Row("matrix", False, "list", ";list=blue,black,brown"),
    Row("matrix", False, "object", ";object=R,100,G,200,B,150"),
    Row("matrix", True, "text", ";text=blue"),
    Row("matrix", True, "list", ";list=blue;list=black;list=brown"),
    Row("matrix", True, "object", ";R=100;G=200;B=150"),
    Row("label", False, "text", ".blue"),
    Row("label", False, "list", ".blue,black,brown"),  # until 3.0.3 .blue.black.brown
    Row("label", False, "object", ".R,100,G,200,B,150"),  # until 3.0.3 .R.100.G.200.B.150
    Row("label", True, "text", ".blue"),
    Row("label", True, "list", ".blue.black.brown"),
    Row("label", True, "object", ".R=100.G=200.B=150"),
    Row("simple", False, "text", "blue"),
    Row("simple", False, "list", "blue,black,brown"),  # Swagger 2.0: csv
    Row("simple", False, "object", "R,100,G,200,B,150"),
    Row("simple", True, "text", "blue"),
    Row("simple", True, "list", "blue,black,brown"),
    Row("simple", True, "object", "R=100,G=200,B=150"),
    Row("simple", None, "list", "blue,black,brown"),
    Row("json", None, "object", "%7B%22R%22%3A100%2C%22G%22%3A200%2C%22B%22%3A150%7D"),
    Row("simple", None, "odds", "a%2Cb,c%20d,%7C,%5Bx%5D,%C3%A9"),
    Row("matrix", True, "gaps", ";gaps=a;gaps;gaps=b"),
    Row("label", True, "odd", ".a%2Cb%3Bc%3Dd%2Fe%3Ff%26g%7Ch%20i%25j%2B~%C3%A9%5Bk%5D"),
]
HEADER = [
    Row("simple", False, "text", "blue"),
    Row("simple", False, "list", "blue,black,brown"),
    Row("simple", False, "object", "R,100,G,200,B,150"),
    Row("simple", True, "list", "blue,black,brown"),
    Row("simple", True, "object", "R=100,G=200,B=150"),
    Row("", None, "object", "R,100,G,200,B,150"),
    Row("json", None, "object", '{"R":100,"G":200,"B":150}'),
    Row("simple", None, "words", "math,is,fun"),  # not percent-encoded, whatever it holds
    Row("simple", True, "odd_keys", "a b=c&d,e=f=true"),
]


def arrived(front: Any, endpoint: dict[str, Any], data: dict[str, Any]) -> Request:
    """What a server sees of an endpoint: built and sent as `call` does."""
    front.clear()
    front.play(Answer())
    request = build("send", {"method": "POST", **endpoint}, GivenData(data, base_url=front.url), {})
    with Sender(Trust(), _CONTEXT) as sender:
        sender.send(request.method, sent_url(request), headers=request.headers, body=request.body.content)
    return front.requests[0]


def ids(row: Row) -> str:
    return f"{row.style}-{row.explode}-{row.datum}"


@pytest.mark.parametrize("row", QUERY, ids=ids)
def test_a_query(front, row: Row) -> None:
    """A required parameter, so that what is empty is sent, too."""
    param = {**row.entry(), "value": f"{{{{{row.datum}}}}}", "required": True}
    assert arrived(front, {"url": "/x", "params": [param]}, DATA).target == f"/x?{row.sent}"


@pytest.mark.parametrize("row", PATH, ids=ids)
def test_a_path(front, row: Row) -> None:
    """Matrix calls a value what its placeholder is called."""
    endpoint = {"url": f"/a/{{{{{row.datum}}}}}/b", "pathParams": [{**row.entry(), "name": row.datum}]}
    assert arrived(front, endpoint, DATA).target == f"/a/{row.sent}/b"


@pytest.mark.parametrize("row", HEADER, ids=ids)
def test_a_header(front, row: Row) -> None:
    """Never percent-encoded."""
    entry = {**row.entry(), "name": "X-Color", "value": f"{{{{{row.datum}}}}}"}
    assert arrived(front, {"url": "/x", "headers": [entry]}, DATA).header("X-Color") == row.sent


def test_a_document_s_parameters_side_by_side(empty: Workspace, front) -> None:
    """Path, query and header of one operation, and a query that the URL has already; nothing of it is encoded twice."""
    endpoint = {
        "method": "GET", "url": "URL/a/{{m}}/{{l}}?fixed=%2F#top",
        "pathParams": [{"name": "m", "style": "matrix"}, {"name": "l", "style": "label", "explode": True}],
        "params": [{"name": "f", "style": "deepObject", "value": "{{f}}"}, {"name": "o", "value": "{{o}}"}, {"name": "ids", "value": "{{ids}}"},
                   {"name": "p", "style": "pipeDelimited", "value": "{{p}}"}, {"name": "left-out", "value": "{{empty}}"}, {"name": "text", "value": "all: {{ids}}"}],
        "headers": [{"name": "X-O", "value": "{{x}}"}, {"name": "X-Empty", "value": "{{empty}}"}],
        "sample": {"m": 5, "l": ["x", "y"], "f": {"from": 1, "to": 2}, "o": {"G": 1, "R": 2}, "ids": [1, 2], "p": ["a", "b"], "x": {"a": 1}, "empty": []},
    }  # fmt: skip
    make_live(empty, connector(front.url, f"    styles: {json.dumps(endpoint)}\n", authorization=NONE))
    front.play(Answer())
    empty.ok("call", "bin", "styles")
    (request,) = front.requests
    assert unquote(request.target) == "/a/;m=5/.x.y?fixed=/&f[from]=1&f[to]=2&G=1&R=2&ids=1&ids=2&p=a|b&text=all: [1,2]"
    assert request.target == "/a/;m=5/.x.y?fixed=%2F&f%5Bfrom%5D=1&f%5Bto%5D=2&G=1&R=2&ids=1&ids=2&p=a%7Cb&text=all%3A%20%5B1%2C2%5D"  # fmt: skip
    assert request.header("X-O") == "a,1" and request.header("X-Empty") is None
    dry = empty.ok("call", "bin", "styles", "--dry-run").stdout
    assert request.target in dry, "what is shown is what is sent"
    assert (
        "&ids=7%2C8&" in empty.ok("call", "bin", "styles", "--dry-run", "--param", "ids=7,8", "--param", "x=y").stdout
    )
    assert (
        "&G=1&" in (own := empty.ok("call", "bin", "styles", "--dry-run", "--param", "R=9").stdout) and "R=1" not in own
    )


URLENCODED = [
    ('{"id": "{{id}}", "address": {{address}}}', [],
     "id=f81d4fae-7dec-11d0-a765-00a0c91e6bf6&address=%7B%22streetAddress%22%3A%22123+Example+Dr.%22%2C%22city%22%3A%22Somewhere%22%2C%22state%22%3A%22CA%22%2C%22zip%22%3A%2299999%2B1234%22%7D"),
    ('{"name": "example", "icon": "iVBORw0KGgo-_w=="}', [], "name=example&icon=iVBORw0KGgo-_w%3D%3D"),
    ('{"color": {{list}}}', [], "color=blue&color=black&color=brown"),
    ('{"color": {{list}}}', [{"name": "color", "explode": False}], "color=blue,black,brown"),  # Swagger 2.0: csv
    ('{"color": {{list}}}', [{"name": "color", "style": "spaceDelimited"}], "color=blue%20black%20brown"),
    ('{"color": {{list}}}', [{"name": "color", "style": "pipeDelimited"}], "color=blue%7Cblack%7Cbrown"),
    ('{"color": {{list}}}', [{"name": "color", "style": "tabDelimited"}], "color=blue%09black%09brown"),
    ('{"color": {{list}}}', [{"name": "color", "style": "json"}], "color=%5B%22blue%22%2C%22black%22%2C%22brown%22%5D"),
    ('{"color": {{object}}}', [{"name": "color", "explode": True}], "R=100&G=200&B=150"),
    ('{"color": {{object}}}', [{"name": "color", "style": "form", "explode": False}], "color=R,100,G,200,B,150"),
    ('{"color": {{object}}}', [{"name": "color", "style": "deepObject"}], "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150"),
    ('{"b": 2, "a": 1.5, "t": true, "f": false, "n": null, "e": "", "none": [], "z": {{rows}}}', [], "b=2&a=1.5&t=true&f=false&e=&z=%7B%22id%22%3A1%7D&z=%5B2%5D&z=true"),
    ('{"a b": "{{odd}}", "é*": "{{list}}"}', [], "a+b=a%2Cb%3Bc%3Dd%2Fe%3Ff%26g%7Ch+i%25j%2B%7E%C3%A9%5Bk%5D&%C3%A9*=%5B%22blue%22%2C%22black%22%2C%22brown%22%5D"),
    ("{}", [], ""),
]  # fmt: skip
ADDRESS = {"streetAddress": "123 Example Dr.", "city": "Somewhere", "state": "CA", "zip": "99999+1234"}
FORM_DATA = {"id": "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "address": ADDRESS, **DATA}
MULTIPART = [
    ('{"id": "{{id}}", "address": {{quoted}}, "n": 7, "on": false, "gone": null, "empty": ""}', [],
     [('name="id"', "", FORM_DATA["id"]), ('name="address"', "application/json", r'{"name":"say \"hi\""}'), ('name="n"', "", "7"), ('name="on"', "", "false"), ('name="empty"', "", "")]),
    ('{"addresses": {{rows}}}', [], [('name="addresses"', "application/json", '{"id":1}'), ('name="addresses"', "application/json", "[2]"), ('name="addresses"', "", "true")]),
    ('{"addresses": ["<a/>", "<b/>"]}', [{"name": "addresses", "contentType": "application/xml; charset=utf-8"}],
     [('name="addresses"', "application/xml; charset=utf-8", "<a/>"), ('name="addresses"', "application/xml; charset=utf-8", "<b/>")]),
    ('{"file": ["a,b", "é"]}', [{"name": "file", "filename": 'ré"port.csv', "contentType": "text/csv"}],
     [('name="file"; filename="ré%22port.csv"', "text/csv", "a,b"), ('name="file"; filename="ré%22port.csv"', "text/csv", "é")]),
    ('{"file": "x"}', [{"name": "file", "filename": "data"}], [('name="file"; filename="data"', "application/octet-stream", "x")]),
    ('{"file": "x"}', [{"name": "file", "filename": "data.txt"}], [('name="file"; filename="data.txt"', "text/plain", "x")]),
    ('{"color": {{list}}}', [], [('name="color"', "", "blue"), ('name="color"', "", "black"), ('name="color"', "", "brown")]),
    ('{"color": {{list}}}', [{"name": "color", "style": "pipeDelimited"}], [('name="color"', "", "blue|black|brown")]),
    ('{"color": {{list}}}', [{"name": "color", "style": "json"}], [('name="color"', "application/json", '["blue","black","brown"]')]),
    ('{"color": {{object}}}', [{"name": "color", "style": "deepObject"}], [('name="color[R]"', "", "100"), ('name="color[G]"', "", "200"), ('name="color[B]"', "", "150")]),
    ('{"color": {{object}}}', [{"name": "color", "explode": True}], [('name="R"', "", "100"), ('name="G"', "", "200"), ('name="B"', "", "150")]),
    ('{"a\\r\\nb\\"c": "{{odd}}"}', [], [('name="a%0D%0Ab%22c"', "", DATA["odd"])]),
    ("{}", [], []),
]  # fmt: skip


@pytest.mark.parametrize(("body", "fields", "sent"), URLENCODED)
def test_an_urlencoded_form(front, body: str, fields: list[dict[str, Any]], sent: str) -> None:
    """Fields in the body's order."""
    request = arrived(
        front, {"url": "/x", "bodyType": "form-urlencoded", "body": body, "formFields": fields}, FORM_DATA
    )
    assert request.body.decode() == sent
    assert request.header("Content-Type") == "application/x-www-form-urlencoded"
    assert request.header("Content-Length") == str(len(request.body))


@pytest.mark.parametrize(("body", "fields", "parts"), MULTIPART)
def test_a_multipart_form(front, body: str, fields: list[dict[str, Any]], parts: list[tuple[str, str, str]]) -> None:
    """Whatever Content-Type the definition may name: nobody else knows the boundary."""
    headers = [{"name": "content-type", "value": "multipart/form-data; boundary=x"}]
    endpoint = {"url": "/x", "bodyType": "multipart", "body": body, "formFields": fields, "headers": headers}
    request = arrived(front, endpoint, FORM_DATA)
    media_type, _, boundary = (request.header("Content-Type") or "").partition("; boundary=")
    assert request.body.decode() == as_multipart(parts, boundary)
    assert media_type == "multipart/form-data"
    assert request.header("Content-Length") == str(len(request.body))


def as_multipart(parts: list[tuple[str, str, str]], boundary: str) -> str:
    """RFC 7578, from the parts' names, types and contents."""
    text = ""
    for disposition, media_type, content in parts:
        text += f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n"
        text += f"Content-Type: {media_type}\r\n" * bool(media_type) + f"\r\n{content}\r\n"
    return f"{text}--{boundary}--\r\n"


def test_samples_keep_their_types_in_json(front) -> None:
    """And texts are escaped once."""
    endpoint = {
        "url": "/json", "body": '{"n":{{n}},"on":{{on}},"meta":{{meta}},"tags":{{tags}},"t":"{{t}}","u":{{t}}}',
        "headers": [{"name": "Content-Type", "value": "application/vnd.api+json"}],
    }  # fmt: skip
    data = {"n": 7, "on": False, "meta": {}, "tags": [1, "a"], "t": 'a "b" \\ <c> &amp;\n'}
    request = arrived(front, endpoint, data)
    text = rb'"a \"b\" \\ <c> &amp;\n"'
    assert request.body == b'{"n":7,"on":false,"meta":{},"tags":[1,"a"],"t":' + text + b',"u":' + text + b"}"
    assert request.header("Content-Type") == "application/vnd.api+json"


@pytest.mark.parametrize("style", ["simple", "label", "matrix", "json"])
@pytest.mark.parametrize("value", [[], {}, [""], [None, " "], {"a": ""}, "", None])
@pytest.mark.parametrize("place", ["{{ids}}", "{{{ids}}}"])
def test_nothing_of_a_path_is_left_empty(style: str, value: Any, place: str) -> None:
    """Whatever the style would write for it: `DELETE /items/` is another request, and so may `/items/;ids` be."""
    for explode in (True, False):
        endpoint = {
            "method": "DELETE", "url": f"https://example.com/items/{place}",
            "pathParams": [{"name": "ids", "style": style, "explode": explode}],
        }  # fmt: skip
        with pytest.raises(UsageError, match="the value of ids is empty"):
            build("drop", endpoint, GivenData({"ids": value}), {})


@pytest.mark.parametrize(
    ("url", "style", "value"),
    [
        ("https://example.com/a/{{x}}/b", "simple", [".."]),
        ("https://example.com/a/{{x}}/b", "label", "."),
        ("https://example.com/a/..{{x}}/b", "matrix", "v"),
        ("https://example.com/a/{{{x}}}/b", "simple", "..;v"),
        ("https://example.com/a/{{{x}}}/b", "simple", ["/../c"]),
        ("https://{{x}}.example.com/", "simple", ["a", "b"]),
        ("https://example.com{{{x}}}", "simple", ["/a"]),
        ("{{{x}}}/b", "simple", ["https://evil.example"]),
        ("https://example{{x}}/b", "label", "org"),
    ],
)
def test_no_style_leads_elsewhere(url: str, style: str, value: Any) -> None:
    """Neither to another host nor up in the path."""
    endpoint = {"method": "GET", "url": url, "pathParams": [{"name": "x", "style": style, "explode": True}]}
    with pytest.raises(UsageError):
        build("get", endpoint, GivenData({"x": value}), {})
