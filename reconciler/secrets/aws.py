"""{aws: NAME#KEY}: AWS Secrets Manager, by boto3, with its usual chain of credentials."""

from threading import Lock
from typing import Any

from reconciler.errors import SecretUnavailable
from reconciler.secrets.context import Context
from reconciler.secrets.documents import Documents

_HINTS = {
    "ResourceNotFoundException": "check the name and AWS_REGION",
    "AccessDeniedException": "it wants the permission secretsmanager:GetSecretValue",
    "UnrecognizedClientException": "check the AWS credentials",
    "InvalidSignatureException": "check the AWS credentials",
    "ExpiredTokenException": "renew the AWS credentials",
}


class AwsSecrets:
    """Reads secrets of Secrets Manager."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._documents = Documents(self._read)
        self._lock = Lock()
        self._client: Any = None

    def resolve(self, target: str) -> str:
        """The secret NAME, or a key of the JSON that it holds."""
        return self._documents.resolve(target)

    def _read(self, name: str) -> str:
        try:
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError:
            raise SecretUnavailable("boto3 is not installed", hint="run: pip install 'reconciler[aws]'") from None
        try:
            answer = self._open().get_secret_value(SecretId=name)
        except ClientError as failure:
            code = str(failure.response.get("Error", {}).get("Code", "ClientError"))
            raise SecretUnavailable(f"AWS answered {code}", hint=_HINTS.get(code, "see the AWS console")) from None
        except (BotoCoreError, ValueError) as failure:
            hint = "set AWS_REGION and the AWS credentials"
            raise SecretUnavailable(f"AWS cannot be asked ({type(failure).__name__})", hint=hint) from None
        if not isinstance(answer.get("SecretString"), str):
            raise SecretUnavailable("it holds bytes, not a text", hint="store it as SecretString")
        text: str = answer["SecretString"]
        return text

    def _open(self) -> Any:
        """One client for all threads, which boto3 allows."""
        with self._lock:
            if self._client is None:
                import boto3
                from botocore.config import Config

                look = self._context.lookup
                session = boto3.Session(
                    aws_access_key_id=look("AWS_ACCESS_KEY_ID") or None,
                    aws_secret_access_key=look("AWS_SECRET_ACCESS_KEY") or None,
                    aws_session_token=look("AWS_SESSION_TOKEN") or None,
                    region_name=look("AWS_REGION", "AWS_DEFAULT_REGION") or None,
                    profile_name=look("AWS_PROFILE") or None,
                )
                self._client = session.client(
                    "secretsmanager",
                    endpoint_url=look("AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL") or None,
                    config=Config(connect_timeout=10, read_timeout=15, retries={"total_max_attempts": 3}),
                )
            return self._client
