"""gunicorn with an application, plain or with TLS."""

import sys
from collections.abc import Mapping
from pathlib import Path

from servers.authority import Certificate
from servers.process import HOST, Server, free_port, launch


def launch_gunicorn(
    application: str,
    folder: Path,
    *,
    certificate: Certificate | None = None,
    client_ca: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Server:
    """Start one worker with threads; with `client_ca` it demands a client certificate."""
    port = free_port()
    command: list[str | Path] = [
        sys.executable, "-m", "gunicorn", "--no-control-socket", "--bind", f"{HOST}:{port}",
        "--workers", "1", "--threads", "8", "--graceful-timeout", "1", "--worker-tmp-dir", folder,
    ]  # fmt: skip
    if certificate is not None:
        command += ["--certfile", certificate.chain, "--keyfile", certificate.key]
    if client_ca is not None:
        command += ["--ca-certs", client_ca, "--cert-reqs", "2"]
    return launch(application.partition(":")[0], [*command, application], folder=folder, port=port, env=env)
