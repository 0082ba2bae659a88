"""moto's server: AWS Secrets Manager over HTTP."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from servers.process import HOST, answers, free_port, launch, wait


@dataclass(frozen=True)
class Aws:
    """A region that holds nothing yet."""

    url: str
    region: str = "eu-west-1"
    access_key_id: str = "testing"
    secret_access_key: str = field(default="testing", repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """What an AWS client reads from its environment."""
        return {
            "AWS_ENDPOINT_URL": self.url, "AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.access_key_id, "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_EC2_METADATA_DISABLED": "true",
        }  # fmt: skip

    def call(self, operation: str, **arguments: object) -> dict[str, Any]:
        """One operation of Secrets Manager, such as CreateSecret; moto does not check signatures."""
        scope = f"20260101/{self.region}/secretsmanager/aws4_request"
        headers = {
            "X-Amz-Target": f"secretsmanager.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": f"AWS4-HMAC-SHA256 Credential=x/{scope}, SignedHeaders=host, Signature=x",
        }
        with httpx.Client(trust_env=False) as client:
            answer = client.post(self.url, content=json.dumps(arguments), headers=headers)
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result

    def create(self, name: str, value: str) -> str:
        """Store a new secret; returns its ARN."""
        return str(self.call("CreateSecret", Name=name, SecretString=value)["ARN"])

    def change(self, name: str, value: str) -> None:
        """Store a new version; the one before becomes AWSPREVIOUS."""
        self.call("PutSecretValue", SecretId=name, SecretString=value)

    def clear(self) -> None:
        """Forget every secret."""
        with httpx.Client(trust_env=False) as client:
            client.post(self.url + "/moto-api/reset").raise_for_status()


@contextmanager
def aws(folder: Path) -> Iterator[Aws]:
    """Secrets Manager, empty."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(port)]
    server = launch("moto", command, folder=folder, port=port)
    try:
        wait(server, answers("/moto-api/data.json"))
        yield Aws(f"http://{HOST}:{port}")
    finally:
        server.stop()
