"""Files encrypted by the real sops, for keys of age."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pyrage
from programs import program
from servers.process import scrubbed

FORMATS = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".env": "dotenv", ".ini": "ini"}


@dataclass(frozen=True)
class AgeKey:
    """A key pair of age; `file` holds the secret half."""

    file: Path
    recipient: str

    @property
    def environment(self) -> dict[str, str]:
        """What sops reads from its environment to decrypt, and a path on which it is found."""
        path = os.pathsep.join([str(Path(program("sops")).parent), os.environ.get("PATH", os.defpath)])
        return {"SOPS_AGE_KEY_FILE": str(self.file), "PATH": path}

    def encrypt(self, target: Path, text: str) -> Path:
        """Write `text` encrypted to `target`, whose suffix decides the format: .yaml, .json, .env or .ini."""
        form = FORMATS[target.suffix or target.name]
        command = [program("sops"), "encrypt", "--age", self.recipient, "--input-type", form, "--output-type", form]
        target.write_text(_run([*command, "/dev/stdin"], target.parent, text), "utf-8")
        return target

    def decrypt(self, file: Path) -> str:
        """The clear text, as sops itself gives it."""
        form = FORMATS[file.suffix or file.name]
        command = [program("sops"), "decrypt", "--input-type", form, "--output-type", form, str(file)]
        return _run(command, file.parent, "", self.environment)


def make_age_key(folder: Path, name: str = "key.txt") -> AgeKey:
    """A new key pair."""
    identity = pyrage.x25519.Identity.generate()
    (folder / name).write_text(f"{identity}\n")
    return AgeKey(folder / name, str(identity.to_public()))


def _run(command: list[str], folder: Path, text: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, cwd=folder, env=scrubbed(folder, env), input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command[0]}: {done.stderr}"
    return done.stdout
