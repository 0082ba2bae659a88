"""The neighbours we compare with: where their programs are, and the same connectors written as work for them.

python benchmarks/peers.py terraform|octodns CORPUS DIRECTORY [--applied REVISION]
"""

import argparse
import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements-peers.txt"
AJV = "ajv-cli@5.0.0"
TXT_LENGTH = 200
"""Characters of a document that fit into one DNS text record: octoDNS gets records a tenth of our size."""

Document = dict[str, Any]
Documents = dict[str, Document]


class PeerMissing(Exception):
    """A neighbour's program is not on this machine; the cases that need it are left out."""


def main() -> None:
    """Write a corpus as work for one neighbour."""
    writers = {"terraform": write_terraform, "octodns": write_octodns}
    parser = argparse.ArgumentParser(description="Write a corpus as work for a neighbour.")
    parser.add_argument("peer", choices=writers)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("directory", type=Path, help="emptied first")
    parser.add_argument("--applied", metavar="REVISION", help="what is live already; default: nothing")
    args = parser.parse_args()
    desired = named(connectors(args.corpus))
    live = desired | named(changed(args.corpus, args.applied)) if args.applied else {}
    remake(args.directory)
    writers[args.peer](args.directory, desired, live)


def install(venv: Path) -> None:
    """Install the neighbours that are Python packages into their own environment, unless they are there."""
    stamp = venv / REQUIREMENTS.name
    if stamp.exists() and stamp.read_text() == REQUIREMENTS.read_text():
        return
    print("installing the peers ...", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
    pip = [str(venv / "bin/python"), "-m", "pip", "install", "-qq", "--requirement", str(REQUIREMENTS)]
    if subprocess.run(pip, check=False).returncode:
        raise PeerMissing("the peers of requirements-peers.txt could not be installed")
    stamp.write_text(REQUIREMENTS.read_text())


def script(venv: Path, name: str) -> str:
    """Path of a console script of the peers' environment."""
    install(venv)
    return str(venv / "bin" / name)


def sourcemeta(venv: Path) -> str:
    """Path of the native validator itself, without the Python wrapper that only starts it."""
    install(venv)
    name = f"jsonschema-{platform.system().lower()}-{platform.machine().lower().replace('amd64', 'x86_64')}"
    found = sorted(venv.glob(f"lib/python*/site-packages/sourcemeta_jsonschema/{name}"))
    if not found:
        raise PeerMissing(f"sourcemeta-jsonschema has no {name}")
    return str(found[0])


def ajv(venv: Path) -> str:
    """Path of the usual JavaScript validator, installed beside the Python peers; it takes YAML too."""
    directory = venv / "node"
    program = directory / "node_modules/.bin/ajv"
    npm = shutil.which("npm")
    if npm is None:
        raise PeerMissing("npm is not on PATH")
    if not program.exists():
        install(venv)
        print("installing ajv-cli ...", file=sys.stderr)
        if subprocess.run([npm, "install", "--silent", "--prefix", str(directory), AJV], check=False).returncode:
            raise PeerMissing(f"{AJV} could not be installed")
    return str(program)


def terraform() -> str:
    """Path of terraform."""
    path = shutil.which("terraform")
    if path is None:
        raise PeerMissing("terraform is not on PATH")
    return path


def write_terraform(directory: Path, desired: Documents, live: Documents) -> None:
    """Write one terraform_data (a resource that only stores its input) for each connector, and initialize.

    The provider is built in, so nothing is downloaded. The documents hold no `${`, which would be a template.
    """
    resources = {name: {"input": document} for name, document in desired.items()}
    (directory / "main.tf.json").write_text(json.dumps({"resource": {"terraform_data": resources}}, indent=1))
    subprocess.run([terraform(), "init", "-input=false"], cwd=directory, check=True, stdout=subprocess.DEVNULL)
    if live:
        (directory / "terraform.tfstate").write_text(json.dumps(terraform_state(live)))


def terraform_state(live: Documents) -> Document:
    """The state that `terraform apply` leaves, which would take it hours to reach for 10,000 resources."""
    return {
        "version": 4,
        "terraform_version": terraform_version(),
        "serial": 1,
        "lineage": str(UUID(int=1)),
        "outputs": {},
        "resources": [terraform_resource(number, *item) for number, item in enumerate(sorted(live.items()), start=1)],
        "check_results": None,
    }


def terraform_resource(number: int, name: str, document: Document) -> Document:
    """One terraform_data as its state knows it: what was put in came out."""
    kept = {"value": document, "type": terraform_type(document)}
    attributes = {"id": str(UUID(int=number)), "input": kept, "output": kept, "triggers_replace": None}
    return {
        "mode": "managed",
        "type": "terraform_data",
        "name": name,
        "provider": 'provider["terraform.io/builtin/terraform"]',
        "instances": [{"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}],
    }


def terraform_type(value: Any) -> Any:
    """The type that Terraform writes beside a value of any type."""
    if isinstance(value, dict):
        return ["object", {key: terraform_type(item) for key, item in value.items()}]
    if isinstance(value, list):
        return ["tuple", [terraform_type(item) for item in value]]
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, int | float) else "string"


def terraform_version() -> str:
    """Version of terraform; a state says which one wrote it."""
    done = subprocess.run([terraform(), "version", "-json"], check=True, stdout=subprocess.PIPE)
    return str(json.loads(done.stdout)["terraform_version"])


def write_octodns(directory: Path, desired: Documents, live: Documents) -> None:
    """Write one text record for each connector, in a YAML zone whose target is a second YAML provider.

    What is to be live already is a zone of its own: octoDNS itself writes it to the target, by `applied.json`.
    """
    for source, documents in (("desired", desired), ("applied", live)):
        config = {
            "providers": {name: octodns_provider(name) for name in (source, "live")},
            "zones": {"example.com.": {"sources": [source], "targets": ["live"]}},
        }
        zone = {name: text_record(document) for name, document in documents.items()}
        (directory / source).mkdir()
        # JSON is YAML, and the round trip through JSON keeps this free of a YAML writer.
        (directory / f"{source}.json").write_text(json.dumps(config, indent=1))
        (directory / source / "example.com.yaml").write_text(json.dumps(zone, indent=1))
    (directory / "live").mkdir()


def octodns_provider(name: str) -> Document:
    """A directory of zones in YAML."""
    return {"class": "octodns.provider.yaml.YamlProvider", "directory": f"./{name}", "enforce_order": False}


def text_record(document: Document) -> Document:
    """A text record that differs whenever the document does, and holds as much of it as fits."""
    text = json.dumps(document)
    return {"type": "TXT", "ttl": 300, "value": f"{sha256(text.encode()).hexdigest()} {text}"[:TXT_LENGTH]}


def remake(directory: Path) -> None:
    """An empty directory in place of whatever stood there."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)


def connectors(corpus: Path) -> Iterator[Document]:
    """The connectors of a corpus, sorted by path."""
    for path in sorted((corpus / "connectors").rglob("*/*.yaml")):
        yield parsed(path.read_text(encoding="utf-8"))


def changed(corpus: Path, revision: str) -> Iterator[Document]:
    """The connectors that were different at a revision, as they were."""
    for path in git(corpus, "diff", "--name-only", "--diff-filter=M", revision, "HEAD", "--", "connectors").split():
        yield parsed(git(corpus, "show", f"{revision}:{path}"))


def git(corpus: Path, *arguments: str) -> str:
    """What git says."""
    return subprocess.run(["git", "-C", str(corpus), *arguments], check=True, text=True, stdout=subprocess.PIPE).stdout


def parsed(text: str) -> Document:
    """One document of YAML."""
    import yaml_rs

    document = yaml_rs.loads(text, parse_datetime=False)
    assert isinstance(document, dict), text
    return document


def named(documents: Iterator[Document]) -> Documents:
    """Documents by name."""
    return {document["metadata"]["name"]: document for document in documents}


if __name__ == "__main__":
    main()
