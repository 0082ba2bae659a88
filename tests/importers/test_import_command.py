"""`import openapi` as people run it: what it writes is ready, or it says what is not."""

import json
from collections.abc import Iterator
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from threading import Thread

import pytest
from conftest import Workspace
from openapi_documents import SERVERS, openapi, swagger

GET = {"get": {"operationId": "a"}}
BEARER = {"type": "http", "scheme": "bearer"}
PASSWORD = {"type": "oauth2", "flows": {"password": {"tokenUrl": "https://a.example/token", "scopes": {}}}}


def secured(scheme: object, url: str = SERVERS[0]["url"], **more: object) -> str:
    document = openapi({"/a": GET}, components={"securitySchemes": {"s": scheme}}, security=[{"s": []}], **more)
    return json.dumps({**document, "servers": [{"url": url}]})


@pytest.mark.parametrize(
    "document",
    [
        *(secured(scheme) for scheme in (BEARER, PASSWORD, {"type": "http", "scheme": "basic"}, {"type": "openIdConnect"})),
        json.dumps(swagger({"/a": GET}, host="https://api.example.com/")),
        json.dumps(swagger({"/a": GET}, host=None, schemes=None)),
    ],
)  # fmt: skip
def test_what_is_written_is_valid_and_canonical(workspace: Workspace, document: str) -> None:
    """For every way of authorization; and again when it is imported once more."""
    workspace.write("api.json", document)
    workspace.ok("import", "openapi", "api.json")
    workspace.ok("import", "openapi", "api.json", "--force")
    workspace.ok("validate", "--strict")
    workspace.ok("fmt", "--check")


def test_what_validate_will_find_is_said(workspace: Workspace) -> None:
    """One line a rule, where it was written, and with the exit code of what is invalid."""
    document = json.loads(secured(BEARER, "http://api.example.com"))
    document["paths"] = {f"/{number}": {"get": {"operationId": f"o{number}"}} for number in range(3)}
    workspace.write("api.json", json.dumps(document))
    done = workspace.run("import", "openapi", "api.json", "--category", "nope")
    assert done.exit_code == 3
    told = done.stderr.partition("As it stands, validate will find:\n")[2]
    assert [line for line in told.splitlines() if "hint: " not in line] == [
        "  connectors/pets.yaml:11:7: error[RC301]: there is no category 'nope'",
        "  connectors/pets.yaml:19:12: error[RC605]: credentials would be sent over plain http (and 2 more)",
    ]
    assert "    hint: defined are: crm\n" in told
    validated = workspace.run("validate")
    assert validated.exit_code == 3
    assert "connectors/pets.yaml:19:12: error[RC605]" in validated.output


def test_a_program_gets_the_diagnostics_and_all_places(workspace: Workspace) -> None:
    """As JSON, with the same exit code."""
    workspace.write("api.json", secured(BEARER, "http://api.example.com"))
    done = workspace.run("import", "openapi", "api.json", "-o", "json", "--out", "elsewhere.yaml")
    assert done.exit_code == 3
    content = json.loads(done.stdout)
    (found,) = content["diagnostics"]
    assert found["code"] == "RC605"
    assert found["where"].startswith("elsewhere.yaml:")
    assert {"code": "plain-http", "places": ["/servers/0"]}.items() <= content["notes"][0].items()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """A server of the files in the folder `site`."""
    folder = tmp_path / "site"
    folder.mkdir()

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_servers_that_are_not_absolute_start_where_the_document_is(
    workspace: Workspace, site: str, tmp_path: Path
) -> None:
    """Without --server; the same document from a file has none."""
    target = tmp_path / "site" / "api.json"
    target.write_text(json.dumps({**openapi({"/a": GET}), "servers": [{"url": "v1"}]}))
    fetched = workspace.ok("import", "openapi", f"{site}/api.json", "--out", "-")
    assert f"url: {site}/v1/a\n" in fetched.stdout
    assert f"chosen: /servers/0: the server is told from where the document was fetched: {site}/v1\n" in fetched.stderr
    read = workspace.ok("import", "openapi", target, "--out", "-")
    assert "url: /v1/a\n" in read.stdout.replace('"', "")
