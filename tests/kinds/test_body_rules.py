"""What `validate` says of a body beside its type and its Content-Type header."""

import pytest

from conftest import Workspace

URL = "https://example.com/x"
JSON = """body: '{"a": 1}'"""


@pytest.fixture
def findings(workspace: Workspace):
    """From the keys of an endpoint to what is printed about it."""

    def find(keys: str) -> str:
        endpoint = f"      method: POST\n      url: {URL}\n" + "".join(f"      {line}\n" for line in keys.splitlines())
        workspace.write(
            "connectors/all.yaml",
            f"apiVersion: reconciler/v1\nkind: Connector\nmetadata: {{name: bin}}\n"
            f"spec:\n  displayName: Bin\n  categories: [crm]\n  endpoints:\n    send:\n{endpoint}",
        )
        return workspace.run("validate", "-q").stdout

    return find


def header(value: str, name: str = "Content-Type") -> str:
    return f"headers:\n  - name: {name}\n    value: {value}"


@pytest.mark.parametrize(
    ("keys", "words", "hint"),
    [
        (
            f"bodyType: form-urlencoded\n{JSON}\n{header('application/json')}",
            "a body of the type form-urlencoded is not sent as application/json",
            "write bodyType: raw, or remove the header",
        ),
        (
            f"bodyType: multipart\n{JSON}\n{header('application/x-www-form-urlencoded; charset=utf-8', 'content-type')}",
            "a body of the type multipart is not sent as application/x-www-form-urlencoded",
            "write bodyType: form-urlencoded, or remove the header",
        ),
        (
            f"{JSON}\n{header('multipart/form-data')}",
            "a body of the type json is not sent as multipart/form-data",
            "write bodyType: multipart, and each field as a key of a JSON object",
        ),
    ],
)
def test_a_header_that_contradicts_the_body_is_an_error(findings, keys: str, words: str, hint: str) -> None:
    """At the header's value, with what to write instead."""
    found = findings(keys)
    assert f"error[RC504]: {words}" in found and f"hint: {hint}" in found


def test_a_raw_body_without_a_type_is_a_warning(findings) -> None:
    """Unless there is nothing to be sent."""
    found = findings("bodyType: raw\nbody: <a/>")
    assert "warning[RC505]: the body goes out without a Content-Type" in found
    assert "hint: add a header Content-Type, with `required: true`" in found


@pytest.mark.parametrize(
    "keys",
    [
        f"bodyType: raw\nbody: <a/>\n{header('text/xml')}",
        'bodyType: raw\nbody: " "',
        "bodyType: raw",
        f"bodyType: form-urlencoded\n{JSON}\n{header('application/x-www-form-urlencoded; charset=UTF-8')}",
        f"bodyType: multipart\n{JSON}\n{header('multipart/form-data')}",
        f"bodyType: multipart\n{JSON}",
        f"{JSON}\n{header('application/vnd.api+json')}",
        f"body: <a/>\n{header('text/xml')}",
        f"""bodyType: form-urlencoded\n{JSON}\n{header("'{{type}}'")}""",
        f"bodyType: form-urlencoded\n{JSON}\n{header('application/json', 'Accept')}",
    ],
)
def test_what_fits_is_let_pass(findings, keys: str) -> None:
    """The header that goes without saying, JSON of another name, a type that data gives, and what has no body."""
    assert "RC" not in findings(keys)


def test_the_form_data_of_others_is_told_its_two_names(findings) -> None:
    """Which of the two is meant, nobody but the writer knows."""
    found = findings(f"bodyType: form-data\n{JSON}")
    assert "error[RC204]: endpoints.send.bodyType cannot be 'form-data'" in found
    assert "hint: write form-urlencoded or multipart" in found
