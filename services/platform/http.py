"""The edge that every FastAPI service shares: problem+json, health, metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

Check = Callable[[], Awaitable[str | None]]
"""Returns None when the dependency is fine, else what is wrong and what to do."""


class ProblemError(Exception):
    """An error that a client sees as `application/problem+json` (RFC 9457)."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        *,
        more: Mapping[str, str | None] | None = None,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = dict(more or {})
        """Members of the body beside those of the RFC."""

    def response(self) -> JSONResponse:
        """The answer that says it."""
        body: dict[str, object] = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        body |= self.more
        return JSONResponse(body, self.status, self.headers, media_type="application/problem+json")


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error as problem+json; a validation error names the place and never the input."""

    @app.exception_handler(ProblemError)
    async def _problem(_: Request, error: ProblemError) -> Response:
        return error.response()

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> Response:
        places = sorted({".".join(str(part) for part in e["loc"]) for e in error.errors()})
        detail = f"Not valid: {', '.join(places)}. See /docs for what is expected."
        return ProblemError(422, "Unprocessable request", detail).response()

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> Response:
        return ProblemError(error.status_code, str(error.detail), "See /docs for what this service answers.").response()


def add_health(app: FastAPI, checks: Mapping[str, Check]) -> None:
    """Add `/healthz` (alive), `/readyz` (503 while a dependency is away) and `/metrics`."""

    @app.get("/healthz", tags=["operations"], summary="Alive")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", tags=["operations"], summary="Ready: every dependency answers")
    async def readyz() -> JSONResponse:
        results = {name: await check() for name, check in checks.items()}
        ready = all(problem is None for problem in results.values())
        body = {"ready": ready, "checks": {name: problem or "ok" for name, problem in results.items()}}
        return JSONResponse(body, 200 if ready else 503)

    @app.get("/metrics", tags=["operations"], summary="Prometheus metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
