"""What differs between the servers that were seen, and behaviour that a test turns on or off."""

from __future__ import annotations

from dataclasses import dataclass

API = "/api/1.0"
USER_TYPE = "ProcessMaker\\Models\\User"
GROUP_TYPE = "ProcessMaker\\Models\\Group"
AUTHTYPES = ("NONE", "BASIC", "OAUTH2_BEARER", "OAUTH2_PASSWORD")
STATUSES = ("ACTIVE", "INACTIVE")
TEXT_BYTES = 65535  # a TEXT column: description and credentials
BODY_BYTES = 8 * 1024 * 1024  # post_max_size of the servers that were seen


@dataclass(frozen=True)
class Profile:
    """What differs between the two servers that were seen."""

    name: str
    modern: bool

    @property
    def category_type(self) -> str:
        return (
            "ProcessMaker\\Packages\\Connectors\\DataSources\\Models\\DataSourceCategory"
            if self.modern
            else "ProcessMaker\\Models\\DataSourceCategory"
        )


PROFILES = {"2020": Profile("2020", False), "4.14": Profile("4.14", True)}


@dataclass
class Switches:
    """Behaviour that a test turns on or off; all can be changed while the server runs."""

    race_window: float = 0.0  # seconds between the look at a name and the insert: parallel POSTs make duplicates
    permission_window: float = 0.0  # seconds inside PUT /permissions: parallel PUTs mix and double
    reorder_keys: bool = False  # keys of endpoints by length, then by bytes, as a JSON column of MySQL keeps them
    category_order: str = "id"  # "id" or "given": no server promises the order of data_source_category_id
    group_meets_user: bool = True  # 4.14: rights written for group N reach user N
    self_promotion: bool = True  # 4.14.0-alpha-2: edit-users may send is_administrator; False: 403, as since 2025-05
    maintenance: bool = False  # 503 for everything
    retry_after: int = 60  # seconds named by 429 and 503
    rate_limit: float = 0.0  # requests per second, 0: none. Not the product's own, a proxy's
    token_seconds: float = 31536000  # how long a token of /oauth/token lives
    latency: float = 0.0  # seconds added to every answer
