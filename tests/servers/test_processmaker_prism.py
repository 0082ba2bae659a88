"""Prism, a program that others wrote, finds the same of the contract, our requests and the simulated instance's answers.

It stands between the two as a proxy: what is not described never arrives, and Prism itself answers it.
"""

import copy
import json
import shutil
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from conftest import run_command
from programs import program
from servers.process import HOST, answers, free_port, launch, wait
from servers.processmaker import instance
from servers.processmaker_contract import Sent, document, request_faults
from servers.processmaker_life import DS, life
from simulator.profiles import API

pytestmark = pytest.mark.long
EXAMPLE = Path(__file__).parents[2] / "examples" / "processmaker"
OWN = "https://stoplight.io/prism/errors#"  # how Prism's own answers begin


@contextmanager
def prism(server, folder):
    """A proxy before an instance; gives its address."""
    if not program("prism"):
        pytest.skip("needs prism: npm install --global @stoplight/prism-cli")
    contract, upstream = copy.deepcopy(document()), server.api.removesuffix(API)
    contract["paths"] = {API + path: verbs for path, verbs in contract["paths"].items()}
    contract["servers"] = [{"url": upstream}]
    (folder / "contract.json").write_text(json.dumps(contract), "utf-8")
    port = free_port()
    command = [program("prism"), "proxy", "--errors", "-h", HOST, "-p", str(port), "contract.json", upstream]
    proxy = launch("prism", command, folder=folder, port=port)
    try:
        wait(proxy, answers())
        yield f"http://{HOST}:{port}"
    finally:
        proxy.stop()


def send(address, server, method, path, body=None, user="admin"):
    """A request, and whether its answer is Prism's own; the check of ours says so beforehand."""
    headers = {"accept": "application/json"}
    if user:
        headers["authorization"] = f"Bearer {server.token(user)}"
    request = httpx.Request(method, address + API + path, json=body, headers=headers)
    bare, _, query = path.partition("?")
    faults = request_faults(Sent(method, bare, query, request.content, dict(request.headers)))
    with httpx.Client(verify=False) as client:
        return client.send(request), faults


@pytest.mark.parametrize("profile", ["4.14", "2020"])
def test_it_finds_the_same_requests_wrong_and_all_answers_right(profile, tmp_path):
    with instance(profile, contract=False) as server, prism(server, tmp_path) as address:
        for method, path, body, *user in life(profile == "4.14"):
            answer, faults = send(address, server, method, path, body, *user)
            told = answer.json().get("type", "") if answer.content and answer.text.startswith("{") else ""
            assert told.startswith(OWN) == bool(faults), (method, path, body, faults, answer.text[:500])
            if faults:  # it never arrived, and life goes on
                send(server.api.removesuffix(API), server, method, path, body, *user)


def test_it_finds_an_answer_that_is_wrong(tmp_path):
    with instance(contract=False) as server, prism(server, tmp_path) as address:
        server.store.add_category("CRM")
        server.store.add_connector("one", [1], description=7)
        answer, faults = send(address, server, "GET", DS)
        assert answer.json()["type"] == OWN + "VIOLATIONS" and not faults


@pytest.mark.parametrize("profile", ["4.14", "2020"])
def test_it_lets_a_whole_apply_pass(profile, tmp_path):
    """Of the example: what is not described would not arrive, and what is answered in another form would end the run."""
    for name in ("connectors", "policies"):
        shutil.copytree(EXAMPLE / name, tmp_path / name)
    (tmp_path / "connectors/stock.yaml").unlink()  # its token would be fetched from a server that is not there
    seed = json.loads((EXAMPLE / "seeds/test.json").read_text("utf-8"))
    with instance(profile, seed=seed) as server, prism(server, tmp_path) as address:
        target = f"{{store: processmaker+{address}, token: {{env: TOKEN}}, processmaker: {{allowPlainHttp: a test}}}}"
        project = f"apiVersion: reconciler/v1\nkind: Project\nowner: acme/connectors\ntargets: {{test: {target}}}\n"
        (tmp_path / "reconciler.yaml").write_text(project, "utf-8")
        given = ["--env-file", EXAMPLE / "test.env.example"]
        for command in (["store", "check"], ["apply", "--adopt", "--yes"], ["plan"]):
            done = run_command(*command, *given, cwd=tmp_path, env={"TOKEN": server.token()})
            assert done.exit_code == 0, done.stdout + done.stderr
        assert done.stdout.startswith("Nothing to do")
        (tmp_path / "connectors/tickets.yaml").unlink()
        done = run_command("apply", "--yes", *given, cwd=tmp_path, env={"TOKEN": server.token()})
        assert done.exit_code == 0, done.stdout + done.stderr
        assert {one["user"] for one in server.requests} == {"admin"}
