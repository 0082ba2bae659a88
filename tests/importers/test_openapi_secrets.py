"""No secret of the imported document comes out at the other end."""

from typing import Any

import pytest
from openapi_documents import endpoint_of, imported, notes_of, openapi, operation

from reconciler.importers.openapi import dump

CANARY = "canary-7f3a"
TOKENS = {
    "github": "ghp_" + "a1B2" * 9,
    "aws": "AKIA" + "ABCD1234" * 2,
    "stripe": "sk_live_" + "a1B2c3D4" * 3,
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    "pem": "-----BEGIN RSA PRIVATE KEY-----\nbWFkZSB1cA==\n-----END RSA PRIVATE KEY-----",
    "url": f"https://user:{CANARY}@db.example.com/",
}


def everything(document: dict[str, Any]) -> str:
    """All that an import puts out."""
    found = imported(document)
    return dump(found) + repr(found)


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_tokens_are_removed_wherever_they_stand(token: str) -> None:
    """From every text of the document that is carried over, values, names and keys."""
    raw = {"content": {"text/plain": {"example": token}}}
    body = {
        "content": {
            "application/json": {
                "schema": {
                    "properties": {
                        "a": {"example": token},
                        "b": {"default": {"deep": [token]}},
                        token: {"type": "string"},
                        "c": {"enum": [f"x {token}"]},
                    }
                }
            }
        }
    }
    parameters = [
        {"name": "a", "in": "query", "required": True, "example": token, "description": token},
        {"name": "b", "in": "query", "schema": {"default": token}},
        {"name": token, "in": "query", "required": True},
        {"name": token, "in": "header", "required": True},
        {"name": "X-C", "in": "header", "required": True, "schema": {"enum": [token]}},
        {"name": "id", "in": "path", "required": True, "example": token},
    ]
    paths = {
        "/a/{id}": {"post": {"summary": token, "parameters": parameters, "requestBody": body}},
        "/b": {"put": {"operationId": token, "description": f"see {token}", "requestBody": raw}},
        f"/{token}/{{{token}}}": {"get": {}},
    }
    document = openapi(
        paths,
        info={"title": f"Pets {token}", "description": token, "version": token},
        servers=[{"url": f"https://api.example.com/{token}"}, {"url": f"https://b.example/{token}"}],
        components={
            "securitySchemes": {
                token: {"type": "apiKey", "in": "query", "name": token},
                "o": {
                    "type": "oauth2",
                    "flows": {"password": {"tokenUrl": f"https://a.example/{token}", "scopes": {token: ""}}},
                },
            }
        },
    )
    text = everything(document)
    secret = CANARY if CANARY in token else token.splitlines()[-2] if "\n" in token else token
    assert secret not in text
    assert "secret-removed" in notes_of(document)


@pytest.mark.parametrize("name", ["password", "api_key", "X-Api-Key", "client_secret", "access_token", "Signature"])
def test_examples_of_what_is_named_like_a_credential_are_not_copied(name: str) -> None:
    """Whatever their form."""
    schema = {"type": "string", "default": CANARY, "enum": [CANARY], "example": CANARY}
    parameters = [
        {"name": name, "in": place, "required": required, "schema": schema, "example": CANARY}
        for place in ("query", "header", "path", "cookie")
        for required in (True, False)
    ]
    document = operation({"parameters": parameters})
    assert CANARY not in everything(document)
    document = openapi({f"/{{{name}}}": {"get": {"parameters": parameters}}})
    assert CANARY not in everything(document)


@pytest.mark.parametrize("media", ["application/json", "multipart/form-data"])
def test_examples_of_secret_fields_are_not_copied(media: str) -> None:
    """From a schema as from an example, at any depth."""
    secret = {"type": "string", "example": CANARY}
    schema = {"properties": {"password": secret, "inner": {"type": "object", "properties": {"clientSecret": secret}}}}
    for content in ({"schema": schema}, {"example": {"password": CANARY, "token": {"value": CANARY}}}):
        document = operation({"requestBody": {"content": {media: content}}})
        assert CANARY not in everything(document)
        assert "secret-removed" in notes_of(document)


def test_harmless_fields_with_such_names_keep_their_sample() -> None:
    """A boolean is no secret, and the name of a page token is none either."""
    body = {"content": {"application/json": {"example": {"allow_credentials": True}}}}
    parameters = [{"name": "pageToken", "in": "query", "schema": {"default": "first"}}]
    endpoint = endpoint_of(operation({"requestBody": body, "parameters": parameters}))
    assert endpoint["sample"] == {"allow_credentials": True}
    assert endpoint["params"] == [{"name": "pageToken", "value": "first"}]


@pytest.mark.parametrize(
    "text",
    ["Authorization: Bearer {}", "use token={} here", 'login(password: "{}")', "op_client_secret={}", "X-Api-Key: {}"],
)
def test_credentials_that_texts_name_are_removed(text: str) -> None:
    """People paste them into descriptions, titles and names, and they have no form of their own."""
    secret = "a1B2c3D4e5F6g7H8i9J0"
    document = openapi(
        {"/a": {"get": {"operationId": text.format(secret), "summary": text.format(secret)}}},
        info={"title": text.format(secret), "description": text.format(secret), "version": "1"},
    )
    assert secret.lower() not in everything(document).lower()


@pytest.mark.parametrize("text", ["Bearer authentication-scheme", "token: see the page of the key", "key=YOUR_API_KEY_HERE_PLEASE"])  # fmt: skip
def test_words_about_credentials_stay(text: str) -> None:
    assert text in everything(openapi({"/a": {"get": {"summary": text}}}))


def test_a_token_url_loses_its_credentials() -> None:
    """A user, and parameters of the query by their names; what else is there stays."""
    url = f"https://{CANARY}@a.example/t?client_secret={CANARY}&tenant=7&%74oken={CANARY}"
    flows = {"clientCredentials": {"tokenUrl": url, "scopes": {}}}
    document = openapi(
        {"/a": {"get": {}}},
        components={"securitySchemes": {"o": {"type": "oauth2", "flows": flows}}},
        security=[{"o": []}],
    )
    assert CANARY not in everything(document)
    assert "https://a.example/t?tenant=7" in everything(document)
