"""The neighbours we compare with: where their programs are, and the same connectors written as work for them.

python benchmarks/peers.py terraform|octodns CORPUS DIRECTORY
"""

import argparse
import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements-peers.txt"
TXT_LENGTH = 200
"""Characters of a document that fit into one DNS text record: octoDNS gets records a tenth of our size."""

Document = dict[str, Any]


class PeerMissing(Exception):
    """A neighbour's program is not on this machine; the cases that need it are left out."""


def main() -> None:
    """Write a corpus as work for one neighbour."""
    writers = {"terraform": write_terraform, "octodns": write_octodns}
    parser = argparse.ArgumentParser(description="Write a corpus as work for a neighbour.")
    parser.add_argument("peer", choices=writers)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("directory", type=Path, help="emptied first")
    args = parser.parse_args()
    writers[args.peer](args.corpus, args.directory)


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


def terraform() -> str:
    """Path of terraform."""
    path = shutil.which("terraform")
    if path is None:
        raise PeerMissing("terraform is not on PATH")
    return path


def write_terraform(corpus: Path, directory: Path) -> None:
    """Write one terraform_data (a resource that only stores its input) for each connector, and initialize.

    The provider is built in, so nothing is downloaded. The documents hold no `${`, which would be a template.
    """
    resources = {document["metadata"]["name"]: {"input": document} for document in connectors(corpus)}
    remake(directory)
    (directory / "main.tf.json").write_text(json.dumps({"resource": {"terraform_data": resources}}, indent=1))
    subprocess.run([terraform(), "init", "-input=false"], cwd=directory, check=True, stdout=subprocess.DEVNULL)


def write_octodns(corpus: Path, directory: Path) -> None:
    """Write one text record for each connector, in a YAML zone whose target is a second YAML provider."""
    remake(directory)
    zone = {
        document["metadata"]["name"]: {"type": "TXT", "ttl": 300, "value": json.dumps(document)[:TXT_LENGTH]}
        for document in connectors(corpus)
    }
    providers = {
        name: {"class": "octodns.provider.yaml.YamlProvider", "directory": f"./{name}", "enforce_order": False}
        for name in ("desired", "live")
    }
    zones = {"example.com.": {"sources": ["desired"], "targets": ["live"]}}
    for name in providers:
        (directory / name).mkdir()
    # JSON is YAML, and the round trip through JSON keeps this free of a YAML writer.
    (directory / "desired/example.com.yaml").write_text(json.dumps(zone, indent=1))
    (directory / "config.yaml").write_text(json.dumps({"providers": providers, "zones": zones}, indent=1))


def remake(directory: Path) -> None:
    """An empty directory in place of whatever stood there."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)


def connectors(corpus: Path) -> Iterator[Document]:
    """The connectors of a corpus, sorted by path."""
    import yaml_rs

    for path in sorted((corpus / "connectors").rglob("*/*.yaml")):
        document = yaml_rs.loads(path.read_text(encoding="utf-8"), parse_datetime=False)
        assert isinstance(document, dict), path
        yield document


if __name__ == "__main__":
    main()
