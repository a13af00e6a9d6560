"""A small API on a fake transport: rows with change versions, read by pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from services.ingest.pull.client import OdsClient
from services.ingest.pull.credentials import ClientCredentials

URL = "https://ods.test/api"
ROOT = {
    "urls": {
        "oauth": f"{URL}/oauth/token",
        "dataManagementApi": f"{URL}/data/v3/",
        "changeQueries": f"{URL}/changeQueries/v1/",
    }
}


@dataclass
class FakeOds:
    """Answers by path; what a test puts in front of that (`before`) comes first."""

    rows: dict[str, list[tuple[int, dict[str, object]]]] = field(default_factory=dict)
    counts: bool = True
    """Whether it gives Total-Count."""
    asked: list[httpx.Request] = field(default_factory=list)
    tokens: int = 0
    before: Callable[[httpx.Request], httpx.Response | None] = lambda _: None

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if (first := self.before(request)) is not None:
            return first
        path = request.url.path.removeprefix("/api")
        if path == "":
            return httpx.Response(200, json=ROOT)
        if path == "/oauth/token":
            self.tokens += 1
            return httpx.Response(200, json={"access_token": f"T{self.tokens}"})
        if path == "/changeQueries/v1/availableChangeVersions":
            return httpx.Response(200, json={"oldestChangeVersion": 0, "newestChangeVersion": 9})
        return self._page(path.removeprefix("/data/v3/ed-fi/"), request.url.params)

    def _page(self, path: str, params: httpx.QueryParams) -> httpx.Response:
        if path not in self.rows:
            return httpx.Response(404)
        low, high = int(params.get("minChangeVersion", 0)), int(params.get("maxChangeVersion", 10**9))
        found = [row for version, row in self.rows[path] if low <= version <= high]
        offset, limit = int(params["offset"]), int(params["limit"])
        counted = self.counts and params.get("totalCount") == "true"
        headers = {"Total-Count": str(len(found))} if counted else {}
        return httpx.Response(200, json=found[offset : offset + limit], headers=headers)

    def client(self, patience: float = 0, say: Callable[[str], None] = lambda _: None) -> OdsClient:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))
        return OdsClient(http, URL, ClientCredentials("id", "secret"), patience, say)
