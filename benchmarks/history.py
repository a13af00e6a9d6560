"""`python -m benchmarks.history`: what the audit costs who reads the alert history over HTTP.

Casework runs as a process of its own on an embedded Kafka and PostgreSQL, for many callers at once: pages of 50 alerts
(`GET /v1/alerts`), and alerts one by one. The peer is the same process whose audit writes nothing, in turns with ours.
Afterwards each answer must have its entry. Progress is on stderr, the table on stdout. Exit statuses: 0 measured, 1
when it could not be, 130 when it was interrupted.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Final, TypedDict

import click
import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.command import CONTEXT, json_option, rounds_option, say, write_document
from benchmarks.history_service import UNAUDITED
from benchmarks.report import Machine, describe_machine
from benchmarks.worker import WrongResultError
from services.cli.common import CommandError, failing, log_quietly
from services.ingest.agreement.document import assumed
from services.ingest.agreement.folder import AGENCY, PURPOSE
from services.ingest.agreement.standing import apply_agreement
from services.platform.database import make_engine
from services.platform.embedded.data_dir import DataDir
from services.platform.embedded.endpoints import Stack, stack_database
from services.platform.embedded.issuing import with_issuer
from services.platform.embedded.ports import free_port
from services.platform.embedded.stack import answers_ready, running_stack
from services.platform.identity.client import SignedRequests
from services.platform.identity.own_issuer import Grant
from services.platform.identity.trust import embedded_issuer
from services.platform.processes import Command, ProcessRegistry
from services.platform.settings import Settings
from services.platform.signals import until_stopped
from services.platform.supervisor import ChildSpec, Supervisor, Surroundings, inherited_environment
from services.registry import SERVICES

INTERRUPTED: Final = 130
ALERTS: Final = 2_000
CLIENTS: Final = 32
SECONDS: Final = 2.0
AUDITED: Final = "audited"
KINDS: Final = (AUDITED, UNAUDITED)
AIM: Final = 2 / 3

_MAKE: Final = text("""
    WITH students AS (
        INSERT INTO ingest.students (pseudonym, student_id, agency, slot, consent_from)
        SELECT 'history-' || n, 'D-' || n, :agency, 1, '2026-09-01' FROM generate_series(1, :alerts) n
        RETURNING pseudonym),
    alerts AS (
        INSERT INTO casework.alerts
            (id, seq, student, agency, school_id, level, status, raised_on, updated_at, reasons)
        SELECT gen_random_uuid(), 1, pseudonym, :agency, 'dearborn', 'watch', 'open', '2026-11-23', now(),
            '[{"rule": "streak", "kind": "absences in a row", "level": "watch", "text": "Absent 3 days in a row.",
               "dates": ["2026-11-19", "2026-11-20", "2026-11-23"], "usual": "0 absences",
               "clears": "Two days present"}]'
        FROM students RETURNING id)
    INSERT INTO casework.alert_events
        (event_id, alert_id, seq, type, level, changed_on, because, superseded, caused_at)
    SELECT gen_random_uuid(), id, 1, 'AlertRaised', 'watch', '2026-11-23', 'absences', false, now() FROM alerts
""")
_ENTRIES: Final = text("SELECT count(*) FROM audit.entries")

Rates = dict[str, float]
"""Requests a second, by what was asked for."""


class Report(TypedDict):
    """The JSON document: medians, and audited by unaudited."""

    alerts: int
    clients: int
    requests_per_second: dict[str, Rates]
    ratios: Rates
    rounds: list[dict[str, Rates]]
    machine: Machine


@click.command(context_settings=CONTEXT)
@json_option
@rounds_option
@click.option("--alerts", default=ALERTS, show_default=True, type=click.IntRange(50, 5_000), help="In the history.")
@click.option("--clients", default=CLIENTS, show_default=True, type=click.IntRange(1), help="That ask at once.")
@click.option("--seconds", default=SECONDS, show_default=True, type=click.FloatRange(0.1), help="Of each measurement.")
def main(out: Path | None, rounds: int, alerts: int, clients: int, seconds: float) -> None:
    """Measure requests a second of the alert history: pages and single alerts, audited and not."""
    log_quietly()
    with failing():
        try:
            report = asyncio.run(until_stopped(_run(rounds, alerts, clients, seconds)))
        except WrongResultError as error:
            raise CommandError(str(error)) from error
    if report is None:
        sys.exit(INTERRUPTED)
    write_document(out, report)
    click.echo(table(report))


async def _run(rounds: int, alerts: int, clients: int, seconds: float) -> Report:
    machine, done = describe_machine(), []
    say("Starting Kafka, PostgreSQL and casework twice in a temporary folder")
    with tempfile.TemporaryDirectory(prefix="firstbell-benchmark-", ignore_cleanup_errors=True) as name:
        settings = Settings(data_dir=Path(name), kafka=None, database=None, smtp=None)
        async with running_stack(settings, SERVICES, run=(), say=say) as stack:
            await apply_agreement(stack.database, assumed(AGENCY, PURPOSE))
            engine = make_engine(stack.database)
            try:
                async with engine.begin() as connection:
                    await connection.execute(_MAKE, {"agency": AGENCY, "alerts": alerts})
                async with _services(stack, settings, clients) as services:
                    asked = await _paths(services[AUDITED])
                    for number in range(rounds):
                        order = KINDS if number % 2 else KINDS[::-1]
                        done.append(await _round(services, order, asked, clients, seconds, engine))
                        say(f"round {number + 1}: {done[-1]}")
            finally:
                await engine.dispose()
    return make_report(alerts, clients, done, machine)


@asynccontextmanager
async def _services(stack: Stack, settings: Settings, clients: int) -> AsyncIterator[Mapping[str, httpx.AsyncClient]]:
    """Casework of both kinds, ready, and who asks it."""
    folder, taken = DataDir(settings.data_dir), set[int]()
    own = SignedRequests(embedded_issuer(settings), Grant(role="caseworker", subject="benchmark", agency=AGENCY))
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    around = Surroundings(logs=folder.logs, registry=ProcessRegistry(folder.root / "history.json"), say=say)
    found = {}
    async with Supervisor(around) as supervisor:
        for kind in KINDS:
            port = free_port(taken=taken)
            taken.add(port)
            await supervisor.start(_spec(stack, with_issuer(settings), kind, port))
            url = f"http://127.0.0.1:{port}"
            found[kind] = httpx.AsyncClient(auth=own, base_url=url, limits=limits, timeout=60, trust_env=False)
        try:
            yield found
        finally:
            for client in found.values():
                await client.aclose()


def _spec(stack: Stack, settings: Settings, kind: str, port: int) -> ChildSpec:
    given = {
        "KAFKA": stack.kafka,
        "DATABASE": stack_database(stack, "casework"),
        "DATA_DIR": settings.data_dir,
        "CASEWORK_PORT": port,
        "OIDC_ISSUER": settings.oidc_issuer,
        "OIDC_AUDIENCE": settings.oidc_audience,
        "OIDC_JWKS": settings.oidc_jwks,
    }
    command = Command(
        name=f"casework-{kind}",
        argv=[sys.executable, "-m", "benchmarks.history_service", kind],
        env={**inherited_environment(), **{f"FIRSTBELL_{name}": str(value) for name, value in given.items()}},
    )
    return ChildSpec(command=command, ready=lambda: answers_ready(f"http://127.0.0.1:{port}"))


async def _paths(client: httpx.AsyncClient) -> Mapping[str, Sequence[str]]:
    """The paths of every page and of every alert."""
    pages, alerts, path = [], [], "/v1/alerts"
    while path:
        page = (await client.get(path)).raise_for_status()
        pages.append(path)
        alerts += [f"/v1/alerts/{item['id']}" for item in page.json()["items"]]
        path = f"/v1/alerts?cursor={page.json()['next']}" if page.json()["next"] else ""
    return {"page": pages, "alert": alerts}


async def _round(
    services: Mapping[str, httpx.AsyncClient],
    order: Sequence[str],
    asked: Mapping[str, Sequence[str]],
    clients: int,
    seconds: float,
    engine: AsyncEngine,
) -> dict[str, Rates]:
    rates: dict[str, Rates] = {kind: {} for kind in KINDS}
    for what, paths in asked.items():
        for kind in order:
            await _ask(services[kind], paths, clients, seconds / 6)  # connections and caches are warm
            before = await _entries(engine)
            requests, took = await _ask(services[kind], paths, clients, seconds)
            written = await _entries(engine) - before
            if written != (requests if kind == AUDITED else 0):
                raise WrongResultError(f"{requests} {kind} answers have {written} entries")
            rates[kind][what] = requests / took
    return rates


async def _ask(client: httpx.AsyncClient, paths: Sequence[str], clients: int, seconds: float) -> tuple[int, float]:
    """How many answers came, and in how many seconds, when so many always wait for one."""
    following, started = cycle(paths), time.perf_counter()

    async def one() -> int:
        answers = 0
        while time.perf_counter() - started < seconds:
            (await client.get(next(following))).raise_for_status()
            answers += 1
        return answers

    return sum(await asyncio.gather(*(one() for _ in range(clients)))), time.perf_counter() - started


async def _entries(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return int((await connection.execute(_ENTRIES)).scalar_one())


def make_report(alerts: int, clients: int, rounds: list[dict[str, Rates]], machine: Machine) -> Report:
    """Medians over the rounds; a ratio is audited by unaudited of one round, when the machine was as busy for both."""
    medians = {kind: {what: median(one[kind][what] for one in rounds) for what in rounds[0][kind]} for kind in KINDS}
    ratios = {what: median(one[AUDITED][what] / one[UNAUDITED][what] for one in rounds) for what in medians[AUDITED]}
    return Report(
        alerts=alerts, clients=clients, requests_per_second=medians, ratios=ratios, rounds=rounds, machine=machine
    )


def table(report: Report) -> str:
    """For people: what was asked for a line."""
    lines = [f"{'requests a second':<20} {AUDITED:>10} {UNAUDITED:>10} {'ratio':>6} {'aim':>6}"]
    for what, ratio in report["ratios"].items():
        ours, peer = (report["requests_per_second"][kind][what] for kind in KINDS)
        lines.append(f"{what:<20} {ours:>10,.0f} {peer:>10,.0f} {ratio:>6.2f} {f'≥{AIM:.2f}':>6}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
