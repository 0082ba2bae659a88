"""The least client of a ProcessMaker instance: it fetches the pages of its lists, or posts connectors, and nothing else.

python bare_client.py fetch URL TOKEN
python bare_client.py post URL TOKEN COUNT IN_FLIGHT
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
from instances import CATEGORIES, connector_fields

PAGE = 200
AT_ONCE = 3


def main(root: str, _: str, mode: str, *numbers: str) -> None:
    """Do it."""
    said = dict(line.split("=", 1) for line in (Path(root) / ".env").read_text().splitlines())
    headers = {"Authorization": f"Bearer {said['TOKEN']}", "Accept": "application/json"}
    limits = httpx.Limits(max_keepalive_connections=32)
    with httpx.Client(headers=headers, base_url=said["URL"], timeout=30, limits=limits, trust_env=False) as client:
        if mode == "fetch":
            print(fetch(client))
        else:
            count, in_flight = map(int, numbers)
            post(client, count, in_flight)


def fetch(client: httpx.Client) -> int:
    """All pages, some at once; gives the number of rows."""

    def page(path: str, number: int, **params: str) -> Any:
        query = {"order_by": "id", "per_page": PAGE, "page": number, **params}
        return client.get(path, params=query).raise_for_status().json()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        lists = (("/data_sources", {}), ("/data_source_categories", {}), ("/groups", {"include": "permissions,groupMembers"}))  # fmt: skip
        firsts = [pool.submit(page, path, 1, **params) for path, params in lists]
        last = firsts[0].result()["meta"]["last_page"]
        rest = [pool.submit(page, "/data_sources", number) for number in range(2, last + 1)]
        return sum(len(read.result()["data"]) for read in (*firsts, *rest))


def post(client: httpx.Client, count: int, in_flight: int) -> None:
    """Categories, and then connectors."""

    def send(path: str, body: dict[str, Any]) -> Any:
        return client.post(path, json=body).raise_for_status().json()["id"]

    with ThreadPoolExecutor(in_flight) as pool:
        names = [{"name": f"category-{index}", "status": "ACTIVE"} for index in range(CATEGORIES)]
        ids = list(pool.map(lambda body: send("/data_source_categories", body), names))
        bodies = (connector_fields(index, ids[index % CATEGORIES]) for index in range(count))
        list(pool.map(lambda body: send("/data_sources", body), bodies))


if __name__ == "__main__":
    main(*sys.argv[1:])
