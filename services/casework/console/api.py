"""The console's client of the `/v1` API: casework's in this process, ingest's by its URL, as who is signed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import httpx
from starlette.types import ASGIApp

from services.casework.console.sessions import ConsoleSession

TIMEOUT_SECONDS: Final = 20.0
_ERRORS: Final = 400


class ApiError(Exception):
    """The API refused: `status`, and the problem that it named."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"the API answered {status}")
        self.status = status
        self.problem = problem


class ApiClients:
    """The connections to both APIs."""

    def __init__(self, casework: ASGIApp, ingest_url: str | None) -> None:
        self._casework = httpx.AsyncClient(transport=httpx.ASGITransport(casework), base_url="http://casework")
        self._ingest = None if ingest_url is None else httpx.AsyncClient(base_url=ingest_url, timeout=TIMEOUT_SECONDS)

    async def aclose(self) -> None:
        """Let go of both."""
        await self._casework.aclose()
        if self._ingest is not None:
            await self._ingest.aclose()

    def of(self, session: ConsoleSession) -> Api:
        """The API as somebody sees it."""
        return Api(self._casework, self._ingest, session.token)


class Api:
    """The API, asked by one who is signed in."""

    def __init__(self, casework: httpx.AsyncClient, ingest: httpx.AsyncClient | None, token: str) -> None:
        self._casework = casework
        self._ingest_client = ingest
        self._headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """What casework answers; raises `ApiError`."""
        return _json(await self._casework.get(path, params=_given(params), headers=self._headers))

    async def post(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Any:
        """What casework answers; raises `ApiError`."""
        return _json(await self._casework.post(path, json=body, headers={**self._headers, **(headers or {})}))

    async def health(self) -> dict[str, str]:
        """How the parts of casework are, by their names."""
        answer = await self._casework.get("/readyz", headers=self._headers)
        checks: dict[str, str] = answer.json().get("checks", {})
        return checks

    async def ingest(self, method: str, path: str, **more: Any) -> Any:
        """What ingest answers; raises `ApiError`, 503 when it is away."""
        if self._ingest_client is None:
            raise ApiError(503, {"title": "Not available now", "detail": "Ingest's address is not known here."})
        try:
            answer = await self._ingest_client.request(method, path, headers=self._headers, **more)
        except httpx.HTTPError:
            raise ApiError(503, {"title": "Not available now", "detail": "Ingest does not answer."}) from None
        return _json(answer)


def _given(params: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (params or {}).items() if value not in (None, "", [])}


def _json(answer: httpx.Response) -> Any:
    if answer.status_code >= _ERRORS:
        is_problem = "json" in answer.headers.get("Content-Type", "")
        raise ApiError(answer.status_code, answer.json() if is_problem else {})
    return answer.json()
