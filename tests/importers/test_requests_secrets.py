"""No secret of a collection, a recording or a command line comes out at the other end, wherever it stands."""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Workspace

OPAQUE = "a1B2c3D4e5F6g7H8i9J0"


def canaries() -> Iterator[str]:
    """Secrets that have the form of nothing, each of them once."""
    number = 0
    while True:
        number += 1
        yield f"canary-{number}-words"


def login_recording(secret: Iterator[str]) -> dict[str, Any]:
    """A browser logs in, is given a session and tokens, and uses them at several places."""
    session, token, refresh, password = (next(secret) for _ in range(4))
    basic = b64encode(f"{next(secret)}:{next(secret)}".encode()).decode()

    def entry(url: str, sent: dict[str, str], post: dict[str, Any] | None = None, **answer: Any) -> dict[str, Any]:
        listed = [{"name": name, "value": value} for name, value in sent.items()]
        request = {"method": "POST" if post else "GET", "url": url, "headers": listed, "postData": post or {}}
        return {"request": request, "response": answer, "_resourceType": "xhr"}

    def body(value: Any, media: str = "application/json") -> dict[str, str]:
        return {"mimeType": media, "text": value if isinstance(value, str) else json.dumps(value)}

    given = [{"name": "Set-Cookie", "value": f"sid={session}; Path=/"}, {"name": "X-Csrf-Token", "value": next(secret)}]
    answer = {"content": {"text": json.dumps({"access_token": token, "refresh_token": refresh})}, "headers": given}
    entries = [
        entry("https://a.example/login", {}, body({"user": next(secret), "password": password}), **answer),
        entry(f"https://a.example/s/{session}/x?sid={session}&q={token}", {"Authorization": f"Bearer {token}"}),
        entry("https://a.example/y", {"Cookie": f"sid={session}", "X-Api-Key": next(secret), "X-Odd": token}),
        entry("https://a.example/t", {}, body(f"grant_type=x&refresh_token={refresh}", "application/x-www-form-urlencoded")),
        entry("https://a.example/z", {"Authorization": f"Basic {basic}"}, body({"note": f"see {token}", "deep": [{"pin": next(secret)}]})),
        entry(f"https://u:{next(secret)}@a.example/w?api_key={next(secret)}#access_token={next(secret)}", {}),
        entry("https://a.example/xml", {}, body(f"<a><password>{next(secret)}</password></a>", "text/xml")),
        {**entry("https://a.example/c", {}), "comment": f"with {token}"},
    ]  # fmt: skip
    return {"log": {"entries": entries}}


def collection(secret: Iterator[str]) -> dict[str, Any]:
    """Secrets as variables, in every authorization, in headers, queries and bodies, in scripts and answers."""
    kept, typed = next(secret), next(secret)

    def auth(kind: str, *keys: str, **plain: str) -> dict[str, Any]:
        values = {**{key: next(secret) for key in keys}, **plain}
        return {"type": kind, kind: [{"key": key, "value": value} for key, value in values.items()]}

    grant = {
        "accessTokenUrl": f"https://u:{next(secret)}@a.example/token?api_key={next(secret)}",
        "grant_type": "password_credentials",
    }
    auths = [
        auth("basic", "username", "password"),
        auth("bearer", "token"),
        auth("apikey", "value", key="X-Who"),
        auth("apikey", "value", key="who", **{"in": "query"}),
        auth("oauth2", "clientId", "clientSecret", "username", "password", "accessToken", **grant),
        auth("oauth2", "clientSecret", "accessToken"),
        auth("hawk", "authId", "authKey"),
        auth("awsv4", "accessKey", "secretKey", "sessionToken"),
        auth("jwt", "secret"),
    ]
    items = [{"name": "r", "request": {"url": "https://a.example/b", "auth": one}} for one in auths]
    raw = json.dumps(
        {"password": next(secret), "note": f"the key {kept}", "key": "{{api_key}}", "deep": {"token": next(secret)}}
    )
    last = {
        "method": "POST",
        "url": {"raw": f"https://a.example/{OPAQUE}/{{{{api_key}}}}/:pin?token={next(secret)}", "variable": [{"key": "pin", "value": next(secret)}]},
        "header": [{"key": "X-Api-Key", "value": next(secret)}, {"key": "Cookie", "value": next(secret)}, {"key": "X-T", "value": "a {{typed}}"}],
        "body": {"mode": "raw", "raw": raw},
        "description": f"it sends {kept}",
    }  # fmt: skip
    items.append({"name": f"last {kept}", "request": last, "event": [{"script": {"exec": [next(secret)]}}], "response": [{"body": next(secret)}]})  # fmt: skip
    variables = [{"key": "api_key", "value": kept}, {"key": "typed", "value": typed, "type": "secret"}]
    return {"info": {"name": "Pets", "description": f"see {kept}"}, "item": items, "variable": variables}


def commands(secret: Iterator[str]) -> str:
    """Secrets in options, headers, URLs and bodies."""
    basic = b64encode(f"u:{next(secret)}".encode()).decode()
    return "\n".join(
        [
            f"curl https://a.example/1 -u admin:{next(secret)} -b sid={next(secret)}",
            f"curl https://a.example/2 -H 'Authorization: Bearer {next(secret)}' -x http://p:{next(secret)}@proxy",
            f"curl https://a.example/3 -H 'Authorization: Basic {basic}' -H 'X-Api-Key: {next(secret)}'",
            f"curl https://a.example/4 -H 'Authorization: Token {next(secret)}' --oauth2-bearer {next(secret)}",
            f"curl 'https://u:{next(secret)}@a.example/5?api_key={next(secret)}' --cert c.pem:{next(secret)}",
            f'curl https://a.example/6 -d \'{{"password": "{next(secret)}", "client_secret": "{next(secret)}"}}\'',
            f"curl https://a.example/7 -d password={next(secret)} -d name={next(secret)}",
            f"curl https://a.example/8 -F token={next(secret)} --proxy-user u:{next(secret)}",
            f"curl https://hooks.example/services/T0/B0/{OPAQUE} -d '{{}}'",
            f"curl https://a.example/9 -H 'X-Odd: {OPAQUE}' --data-raw 'secret: {next(secret)}' -H 'Content-Type: text/x'",
        ]
    )


MAKERS = {"har": login_recording, "postman": collection, "curl": commands}


@pytest.mark.parametrize("form", MAKERS)
@pytest.mark.parametrize("output", ["text", "json"])
def test_no_secret_comes_out(workspace: Workspace, form: str, output: str) -> None:
    """Neither in a file nor on a stream; and what is written is valid and canonical."""
    made: list[str] = [OPAQUE]

    def counted() -> Iterator[str]:
        for secret in canaries():
            made.append(secret)
            yield secret

    content = MAKERS[form](counted())
    workspace.write("source", content if isinstance(content, str) else json.dumps(content))
    done = workspace.ok("import", form, "source", "-o", output, "--all-notes")
    (workspace.root / "source").unlink()
    written = "".join(path.read_text() for path in (workspace.root / "connectors").iterdir())
    found = [secret for secret in made if secret in written + done.stdout + done.stderr]
    assert not found
    assert len(made) > 10
    assert "env: " in written
    assert workspace.run("validate").exit_code == 0
    assert workspace.run("fmt", "--check").exit_code == 0


@pytest.mark.parametrize(
    ("source", "message"),
    [("curl -H 'Authorization: Bearer canary-1-words", "is never closed"), ("curl -I https://u:canary-1-words@a.example", "no request")],
)  # fmt: skip
def test_a_refusal_names_no_secret(workspace: Workspace, source: str, message: str) -> None:
    """Of a command that cannot be read."""
    done = workspace.run("import", "curl", source)
    assert done.exit_code == 3
    assert message in done.stderr
    assert "canary" not in done.stdout + done.stderr


def test_curl_reads_standard_input_and_starts_nothing(workspace: Workspace) -> None:
    """What a command would run, expand or open stays as it is."""
    text = "curl https://a.example/$(touch made)/`touch made` -d @reconciler.yaml > made; touch made"
    done = workspace.run("import", "curl", "-", "--out", "-", stdin=text)
    assert done.exit_code == 0, done.stderr
    assert not (workspace.root / "made").exists()
    assert "url: https://a.example/{{command}}/{{command}}" in done.stdout
