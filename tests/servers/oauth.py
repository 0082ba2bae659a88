"""Three OAuth 2.0 servers that were written independently and disagree, each behind TLS and a recording proxy."""

import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx

from servers.authority import Authority
from servers.faults import Front, Request
from servers.gunicorn import launch_gunicorn
from programs import needs, program
from servers.process import HOST, answers, free_port, launch, wait


@dataclass(frozen=True)
class Names:
    """Who may have a token. Secrets are new each run; the password holds what a form must encode."""

    user: str = "svc"
    password: str = field(default_factory=lambda: "pw:é+&% " + secrets.token_urlsafe(16), repr=False)
    client_id: str = "reconciler"
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    machine_id: str = "machine"
    machine_secret: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    odd_id: str = "odd"
    odd_secret: str = field(default_factory=lambda: "o+/%41=" + secrets.token_urlsafe(16), repr=False)


@dataclass(frozen=True)
class OAuthServer:
    """A running server, what it accepts and what it refuses."""

    name: str
    token_url: str  # through `front`, which counts and can misbehave
    direct_token_url: str  # the server's own TLS, or a proxy's
    resource_url: str  # wants an access token of the password grant as bearer; through `front`
    ca: Path
    client_id: str  # may use the password grant and refresh
    client_secret: str = field(repr=False)
    machine_id: str  # may use client credentials
    machine_secret: str = field(repr=False)
    odd_id: str  # like `client_id`, with a secret whose characters change when they are encoded for a form
    odd_secret: str = field(repr=False)
    user: str
    password: str = field(repr=False)
    scope: str
    wrong_client_secret: str
    wrong_password: str
    wrong_scope: str
    lifetime: int  # of access tokens, in seconds
    rotates: bool  # a refresh token works once
    decodes_basic: bool  # wants id and secret form-encoded inside Basic (RFC 6749, 2.3.1); the others want them plain
    secret_in_body: (
        str  # checked, ignored or refused: what becomes of a client's secret in a form of the password grant
    )
    front: Front = field(repr=False)

    @property
    def token_requests(self) -> tuple[Request, ...]:
        """The requests for tokens since the test began."""
        path = "/" + self.token_url.split("/", 3)[3]
        return tuple(request for request in self.front.requests if request.path == path)


@contextmanager
def _recorded(
    name: str,
    direct: str,
    paths: tuple[str, str],
    authority: Authority,
    names: Names,
    **rest: Any,
) -> Iterator[OAuthServer]:
    """The record of a server at `direct`; `paths` lead to its token end point and its resource."""
    front = Front(direct, tls=authority.good.server_context(), upstream_tls=authority.trusting())
    try:
        yield OAuthServer(
            name=name,
            token_url=front.url + paths[0],
            direct_token_url=direct + paths[0],
            resource_url=front.url + paths[1],
            ca=authority.ca,
            **asdict(names),
            wrong_client_secret="not-the-secret",
            wrong_password="not-the-password",
            wrong_scope="no-such-scope",
            front=front,
            **rest,
        )
    finally:
        front.close()


@contextmanager
def django_oauth(folder: Path, authority: Authority, lifetime: int) -> Iterator[OAuthServer]:
    """django-oauth-toolkit: by the RFC, opaque tokens, refresh tokens rotate. TLS by gunicorn."""
    names = Names()
    env = {
        "PYTHONPATH": str(Path(__file__).parent.parent),
        "OAUTH_DATABASE": str(folder / f"django-{lifetime}.db"),
        "OAUTH_LIFETIME": str(lifetime),
        "OAUTH_NAMES": json.dumps(asdict(names)),
    }
    server = launch_gunicorn("servers.django_oauth.wsgi:application", folder, certificate=authority.good, env=env)
    try:
        wait(server, answers("/resource/", authority.trusting()))
        direct = f"https://{HOST}:{server.port}"
        with _recorded(
            "django-oauth-toolkit", direct, ("/o/token/", "/resource/"), authority, names,
            scope="read", lifetime=lifetime, rotates=True, decodes_basic=True, secret_in_body="checked",
        ) as record:  # fmt: skip
            yield record
    finally:
        server.stop()


NANOIDP = {
    "users": {"config_version": 1},
    "settings": {"config_version": 1, "server": {"host": HOST}, "jwt": {"keys_dir": "./keys"}},
}


@contextmanager
def nanoidp(folder: Path, authority: Authority) -> Iterator[OAuthServer]:
    """nanoidp: JWTs, lifetimes of whole minutes only. It speaks no TLS; a proxy before it does."""
    names, port = Names(), free_port()
    home = folder / "nanoidp"
    home.mkdir()
    clients = [
        {"client_id": name, "client_secret": secret}
        for name, secret in (
            (names.client_id, names.client_secret),
            (names.machine_id, names.machine_secret),
            (names.odd_id, names.odd_secret),
        )
    ]
    oauth = {"issuer": f"http://{HOST}:{port}", "token_expiry_minutes": 60, "refresh_token_rotation": True}
    settings = {**NANOIDP["settings"], "oauth": {**oauth, "clients": clients}}
    user = {"password": names.password, "email": "svc@example.org", "roles": ["USER"]}
    # JSON is YAML, and needs no thought about quotes.
    (home / "settings.yaml").write_text(json.dumps(settings), "utf-8")
    (home / "users.yaml").write_text(json.dumps({**NANOIDP["users"], "users": {names.user: user}}), "utf-8")
    command = [program("nanoidp"), "--host", HOST, "--port", str(port), "--config", home]
    server = launch("nanoidp", command, folder=home, port=port)
    try:
        wait(server, answers("/.well-known/openid-configuration"))
        with closing(Front(f"http://{HOST}:{port}", tls=authority.good.server_context())) as tls:
            with _recorded(
                "nanoidp", tls.url, ("/token", "/userinfo"), authority, names,
                scope="openid", lifetime=3600, rotates=True, decodes_basic=False, secret_in_body="refused",
            ) as record:  # fmt: skip
                yield record
    finally:
        server.stop()


GLEWLWYD = """\
port={port}
bind_address="{host}"
external_url="https://{host}:{port}/"
login_url="login.html"
api_prefix="api"
log_mode="console"
log_level="WARNING"
cookie_secure=0
session_expiration=2419200
session_key="GLEWLWYD2_SESSION_ID"
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="{modules}/user"
client_module_path="{modules}/client"
user_auth_scheme_module_path="{modules}/scheme"
plugin_module_path="{modules}/plugin"
use_secure_connection=true
secure_connection_key_file="{key}"
secure_connection_pem_file="{chain}"
hash_algorithm="SHA512"
database = {{ type = "sqlite3"; path = "{database}"; }};
"""
PACKAGED_TABLES = Path("/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3")
PACKAGED_MODULES = Path("/usr/lib/glewlwyd")
PLUGINS = (("usual", 3600), ("short", 3))  # name, and how long its tokens last


@dataclass(frozen=True)
class Glewlwyd:
    """One glewlwyd with two plug-ins, whose tokens differ only in how long they last."""

    usual: OAuthServer
    short: OAuthServer


@contextmanager
def glewlwyd(folder: Path, authority: Authority) -> Iterator[Glewlwyd]:
    """glewlwyd: refusals with unusual statuses and empty bodies, `bearer` in small letters, its own TLS."""
    names, port = Names(), free_port()
    home = folder / "glewlwyd"
    home.mkdir()
    with closing(sqlite3.connect(home / "glewlwyd.db")) as database:
        database.executescript(PACKAGED_TABLES.read_text("utf-8"))
    text = GLEWLWYD.format(
        port=port, host=HOST, modules=PACKAGED_MODULES, database=home / "glewlwyd.db",
        key=authority.good.key, chain=authority.good.chain,
    )  # fmt: skip
    (home / "glewlwyd.conf").write_text(text, "utf-8")
    command = [needs("glewlwyd"), f"--config-file={home / 'glewlwyd.conf'}"]
    server = launch("glewlwyd", command, folder=home, port=port)
    direct = f"https://{HOST}:{port}"
    try:
        wait(server, answers("/api/auth/", authority.trusting()))
        _fill_glewlwyd(direct, authority, names)
        usual, short = (
            _recorded(
                "glewlwyd", direct, (f"/api/{name}/token", f"/api/{name}/profile"), authority, names,
                scope="read", lifetime=lifetime, rotates=False, decodes_basic=False, secret_in_body="ignored",
            )
            for name, lifetime in PLUGINS
        )  # fmt: skip
        with usual as one, short as two:
            yield Glewlwyd(one, two)
    finally:
        server.stop()


def _fill_glewlwyd(url: str, authority: Authority, names: Names) -> None:
    """Make the scope, the user, the clients and the plug-ins through the server's own administration."""
    with httpx.Client(base_url=url + "/api", verify=authority.trusting(), trust_env=False) as admin:

        def post(path: str, **body: object) -> None:
            answer = admin.post(path, json=body)
            assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"

        post("/auth/", username="admin", password="password")
        post("/scope/", name="read", display_name="read", password_required=False, scheme={})
        post("/user/", username=names.user, password=names.password, scope=["read", "g_profile"], enabled=True)
        for name, secret, grant_type in (
            (names.client_id, names.client_secret, "password"),
            (names.machine_id, names.machine_secret, "client_credentials"),
            (names.odd_id, names.odd_secret, "password"),
        ):
            post(
                "/client/", client_id=name, name=name, client_secret=secret, confidential=True, enabled=True,
                authorization_type=[grant_type, "refresh_token"], scope=["read"],
            )  # fmt: skip
        for name, lifetime in PLUGINS:
            parameters = _plugin(name, lifetime)
            post("/mod/plugin/", module="oauth2-glewlwyd", name=name, display_name=name, parameters=parameters)


def _plugin(name: str, lifetime: int) -> dict[str, object]:
    """The parameters of the OAuth 2.0 plug-in. Signed by RSA: it crashes on short symmetric keys."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return {
        "url": name, "jwt-type": "rsa", "jwt-key-size": "256",
        "key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "cert": key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        "access-token-duration": lifetime, "refresh-token-duration": 86400, "code-duration": 600,
        "refresh-token-rolling": False, "auth-type-code-enabled": False, "auth-type-implicit-enabled": False,
        "auth-type-password-enabled": True, "auth-type-client-enabled": True, "auth-type-refresh-enabled": True,
        "scope": [],
    }  # fmt: skip
