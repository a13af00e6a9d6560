"""The routes of an ODS/API: root document, token, change versions, snapshots, and the lists of each resource."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from threading import RLock
from typing import Any, Final
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from tests.ods.answers import LISTS, Answer, Versions
from tests.ods.keys import KEYS
from tests.ods.store import OdsState, moment_of
from tests.ods.weather import Cut, Expire, Fail, Throttle, Weather

CLIENT_ID: Final = "first-bell"
CLIENT_SECRET: Final = "a-secret-of-the-test"
MOST_ROWS: Final = 500
_NO_END: Final = 2**62


@dataclass(slots=True)
class Ods:
    """A source and how it behaves; `lock` is held by who changes or reads it."""

    state: OdsState = field(default_factory=OdsState)
    snapshots: list[OdsState] = field(default_factory=list)
    """The newest last; `Use-Snapshot` reads that one, and without one it is answered with 404."""
    weather: Weather = field(default_factory=Weather)
    counts: bool = True
    """Whether `totalCount` is heeded."""
    change_queries: bool = True
    forbidden: set[str] = field(default_factory=set)
    lacking: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Each data request that came: its path below `ed-fi`, and its parameters."""
    lock: RLock = field(default_factory=RLock)

    def snapshot(self) -> None:
        """Offer the state as it is as a snapshot."""
        with self.lock:
            self.snapshots.append(self.state.copy())

    def restore(self, state: OdsState) -> None:
        """Go back to an earlier state, as after a database was restored."""
        with self.lock:
            self.state = state.copy()


class _CutResponse(Response):
    """Says how long it is and ends in the middle; the server then closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body[: len(self.body) // 2]})


def create_ods(ods: Ods) -> FastAPI:
    """The app of a source."""
    app = FastAPI()

    @app.get("/")
    def root(request: Request) -> Any:
        base = str(request.base_url)
        urls = {
            "dependencies": f"{base}metadata/data/v3/dependencies",
            "openApiMetadata": f"{base}metadata/",
            "oauth": f"{base}oauth/token",
            "dataManagementApi": f"{base}data/v3/",
            "xsdMetadata": f"{base}metadata/xsd",
        } | ({"changeQueries": f"{base}changeQueries/v1/"} if ods.change_queries else {})
        models = [{"name": "Ed-Fi", "version": "5.1.0"}]
        return {"version": "7.2", "suite": "3", "build": "1", "dataModels": models, "urls": urls}

    @app.post("/oauth/token")
    async def token(request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        if form.get("grant_type") != "client_credentials":
            return _problem(400, "unsupported_grant_type")
        if _credentials(request, form) != (CLIENT_ID, CLIENT_SECRET):
            return _problem(401, "invalid_client")
        with ods.lock:
            given = f"token-{len(ods.asked)}-{len(ods.tokens)}"
            ods.tokens.add(given)
        return JSONResponse({"access_token": given, "expires_in": 1800, "token_type": "bearer"})

    @app.get("/changeQueries/v1/availableChangeVersions")
    def versions(request: Request) -> Response:
        with ods.lock:
            return _refusal(ods, request) or _versions(ods, request)

    @app.get("/changeQueries/v1/snapshots")
    def snapshots(request: Request) -> Response:
        with ods.lock:
            refusal = _refusal(ods, request)
            return refusal or JSONResponse(
                [
                    {
                        "id": f"{number:032x}",
                        "snapshotIdentifier": str(number),
                        "snapshotDateTime": moment_of(one.version),
                    }
                    for number, one in enumerate(ods.snapshots)
                ]
            )

    @app.get("/data/v3/ed-fi/{resource}")
    def rows(request: Request, resource: str) -> Response:
        with ods.lock:
            return _listed(ods, request, resource, "")

    @app.get("/data/v3/ed-fi/{resource}/{changes}")
    def changes(request: Request, resource: str, changes: str) -> Response:
        with ods.lock:
            return _listed(ods, request, resource, changes)

    return app


def _credentials(request: Request, form: dict[str, str]) -> tuple[str, str]:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        name, _, secret = base64.b64decode(given).decode().partition(":")
        return name, secret
    return form.get("client_id", ""), form.get("client_secret", "")


def _problem(status: int, detail: str, **headers: str) -> Response:
    return JSONResponse({"detail": detail, "status": status}, status, headers=headers)


def _refusal(ods: Ods, request: Request) -> Response | None:
    """What is answered in place of data to who has no token, or asks for what is not offered."""
    _, _, token = request.headers.get("authorization", "").partition(" ")
    if token not in ods.tokens:
        return _problem(401, "Unauthorized")
    if "changeQueries" in request.url.path and not ods.change_queries:
        return _problem(404, "Change queries are not enabled.")
    if _of_snapshot(request) and not ods.snapshots:
        return _problem(404, "There is no snapshot.")
    return None


def _of_snapshot(request: Request) -> bool:
    return request.headers.get("use-snapshot", "").lower() == "true"


def _state(ods: Ods, request: Request) -> OdsState:
    return ods.snapshots[-1] if _of_snapshot(request) else ods.state


def _versions(ods: Ods, request: Request) -> Response:
    return JSONResponse({"oldestChangeVersion": 0, "newestChangeVersion": _state(ods, request).version})


def _listed(ods: Ods, request: Request, resource: str, changes: str) -> Response:
    refusal = _refusal(ods, request)
    if refusal is not None:
        return refusal
    if resource not in KEYS or resource in ods.lacking or changes not in LISTS:
        return _problem(404, "The specified data could not be found.")
    if resource in ods.forbidden:
        return _problem(403, "Access to the resource could not be authorized.")
    ods.asked.append((f"{resource}/{changes}".rstrip("/"), dict(request.query_params)))
    answer = _answer(ods, request, LISTS[changes](_state(ods, request), resource, _window(request)))
    if ods.weather.between is not None and not _of_snapshot(request):
        ods.weather.between(ods.state)
    return answer


def _window(request: Request) -> Versions:
    asked = request.query_params
    return Versions(int(asked.get("minChangeVersion", 0)), int(asked.get("maxChangeVersion", _NO_END)))


def _answer(ods: Ods, request: Request, rows: Answer) -> Response:
    """A page of rows, or what befalls it."""
    asked = request.query_params
    offset, limit = int(asked.get("offset", 0)), int(asked.get("limit", 25))
    if offset < 0 or not 0 <= limit <= MOST_ROWS:
        return _problem(400, f"Offset and limit are 0 or more, and limit {MOST_ROWS} at most.")
    counted = ods.counts and asked.get("totalCount", "").lower() == "true"
    headers = {"Total-Count": str(len(rows))} if counted else {}
    content = json.dumps(rows[offset : offset + limit]).encode()
    match ods.weather.fault(request.url.path):
        case Throttle(seconds):
            return _problem(429, "Too many requests.", **{"Retry-After": str(seconds)})
        case Fail(status):
            return _problem(status, "The server failed.")
        case Expire():
            ods.tokens.clear()
            return _problem(401, "Unauthorized")
        case Cut():
            return _CutResponse(content, headers=headers, media_type="application/json")
        case None:
            return Response(content, headers=headers, media_type="application/json")
