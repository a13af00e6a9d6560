"""The doctor's checks on a real stack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from services.platform.checks import CheckResult, Target, run_checks
from services.platform.checks.target import find_target
from services.platform.embedded.endpoints import Stack
from services.platform.embedded.ports import free_port
from services.platform.http import add_health
from services.platform.settings import Settings
from services.registry import SERVICES
from tests.integration.running import until


def target_of(stack: Stack, tmp_path: Path) -> Target:
    """The session's stack, which has none of our services."""
    settings = Settings(data_dir=stack.data_dir, kafka=None, database=None, smtp=None)
    return replace(find_target(settings, stack, SERVICES, key_file=tmp_path / "key"), services={})


def by_name(results: list[CheckResult]) -> dict[str, CheckResult]:
    return {result.name: result for result in results}


@asynccontextmanager
async def service(problem: str | None) -> AsyncIterator[str]:
    async def check() -> str | None:
        return problem

    app = FastAPI()
    add_health(app, {"kafka": check})
    port = free_port(taken=set())
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await until(started)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


async def test_every_part_of_a_stack_that_runs_is_ok(stack: Stack, tmp_path: Path) -> None:
    results = by_name(await run_checks(target_of(stack, tmp_path)))
    assert {name for name, result in results.items() if result.status == "failed"} == set()
    running = ("java", "jars", "data_dir", "disk", "kafka", "topics", "database", "migrations", "smtp")
    assert {results[name].status for name in running} == {"ok"}


async def test_no_check_tells_the_databases_password(stack: Stack, tmp_path: Path) -> None:
    password = make_url(stack.database_app).password
    assert password
    target = target_of(stack, tmp_path)
    wrong = make_url(stack.database_app).set(database="nosuch").render_as_string(hide_password=False)
    for results in (await run_checks(target), await run_checks(replace(target, database=wrong))):
        assert password not in str(results)
    assert by_name(results)["database"].status == "failed"


async def test_a_schema_left_behind_is_named(stack: Stack, engine: AsyncEngine, tmp_path: Path) -> None:
    async with engine.begin() as connection:
        [version] = (await connection.scalars(text("DELETE FROM casework.schema_version RETURNING version_num"))).all()
    try:
        result = by_name(await run_checks(target_of(stack, tmp_path)))["migrations"]
    finally:
        async with engine.begin() as connection:
            await connection.execute(text("INSERT INTO casework.schema_version VALUES (:v)"), {"v": version})
    assert (result.status, result.detail) == ("failed", "not at the newest version: casework")


async def test_a_service_that_is_not_ready_says_what_is_away(stack: Stack, tmp_path: Path) -> None:
    target = target_of(stack, tmp_path)
    async with service(None) as well, service("no answer; start it") as ill:
        gone = f"http://127.0.0.1:{free_port(taken=set())}"
        services = {"ingest": well, "casework": ill, "notify": gone}
        results = by_name(await run_checks(replace(target, services=services)))
    assert results["ingest"].status == "ok"
    assert (results["casework"].status, results["casework"].hint) == ("failed", "kafka: no answer; start it")
    assert results["notify"].status == "failed"
