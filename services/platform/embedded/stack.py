"""The whole system as child processes of one parent: `async with running_stack(settings) as stack:`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

import httpx
from aiokafka.errors import KafkaError
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from services.platform.database import make_engine
from services.platform.embedded.data_dir import DataDir
from services.platform.embedded.endpoints import Endpoints, RunningService, Stack, write_stack
from services.platform.embedded.errors import PrepareError
from services.platform.embedded.gate import Gate
from services.platform.embedded.issuing import with_issuer
from services.platform.embedded.kafka import EmbeddedKafka
from services.platform.embedded.ports import accepts_connections, free_port
from services.platform.embedded.postgres import EmbeddedPostgres
from services.platform.embedded.smtp_sink import sink_spec
from services.platform.identity.trust import as_service
from services.platform.kafka import create_topics
from services.platform.keys.master import make_master_key
from services.platform.listening import listening
from services.platform.processes import Command, ProcessRegistry
from services.platform.roles import OWNER, READER, RolesError, read_password, require_membership, roles_of
from services.platform.schema import migrate
from services.platform.service import Services, ServiceSpec
from services.platform.settings import Settings
from services.platform.supervisor import ChildSpec, Supervisor, Surroundings, inherited_environment, say_on_stderr
from services.platform.together import together

Prepare = Callable[[Endpoints], Awaitable[None]]
"""Brings Kafka and the database to where the services expect them, before these start."""


@asynccontextmanager
async def running_stack(
    settings: Settings,
    services: Services,
    *,
    run: Collection[str] | None = None,
    prepare: Prepare | None = None,
    env: Mapping[str, str] | None = None,
    say: Callable[[str], None] = say_on_stderr,
) -> AsyncIterator[Stack]:
    """Run Kafka, PostgreSQL and the mail sink (each unless the settings name an outside one) and the services.

    All are started at once; the services load their modules and wait until what they stand on is ready. Yields when
    every one is ready and keeps them running; stops all on exit. `run` are the names of those to start, None all.
    `prepare` None means the migrations of all and the topics.
    `env` is added to the services' environment. `say` takes lines for the operator.
    Raises `EmbeddedError`, `ProcessError` or `SettingsError`, whose messages say what to do.
    """
    listening(settings, port=0)  # what it refuses, each service would
    data = DataDir(settings.data_dir)
    data.create()
    with data.hold():
        for name in await asyncio.to_thread(data.registry().end_leftovers):
            say(f"{name} was left running by an earlier start; it has been ended.")
        settings = with_issuer(settings)
        plan = _Plan.of(settings, data, services)
        stack = plan.stack(settings)

        def write() -> None:
            write_stack(stack.model_copy(update={"services": plan.services(supervisor.pids())}))

        around = Surroundings(logs=data.logs, registry=plan.registry, say=say, started=write)
        with Gate() as gate:
            async with Supervisor(around) as supervisor:
                specs = [
                    plan.service(one, settings, env or {}, gate) for one in services if run is None or one.name in run
                ]
                await together(
                    _found(supervisor, plan, settings, prepare, gate),
                    _serve(supervisor, specs),
                )
                write()
                try:
                    yield stack.model_copy(update={"services": plan.services(supervisor.pids())})
                finally:
                    data.stack_file.unlink(missing_ok=True)


@asynccontextmanager
async def running_database(
    settings: Settings, services: Services, *, say: Callable[[str], None] = say_on_stderr
) -> AsyncIterator[str]:
    """The embedded database alone, migrated: its URL. Raises what `running_stack` raises."""
    data = DataDir(settings.data_dir)
    data.create()
    with data.hold():
        registry = data.registry()
        await asyncio.to_thread(registry.end_leftovers)
        port = free_port(settings.database_port, taken=set())
        postgres = EmbeddedPostgres(home=data.postgres, logs=data.logs, registry=registry, port=port)
        around = Surroundings(logs=data.logs, registry=registry, say=say, started=lambda: None)
        endpoints = Endpoints(kafka="", database=postgres.url(), smtp="")
        async with Supervisor(around) as supervisor:
            await supervisor.start(
                replace(postgres.spec(), once_ready=partial(_make_schemas, endpoints, services, settings))
            )
            yield endpoints.database


async def prepare_services(endpoints: Endpoints, services: Services, *, settings: Settings) -> None:
    """Migrate the database and create the topics that are missing; raises `PrepareError`."""
    await together(_make_topics(endpoints, settings), _make_schemas(endpoints, services, settings))


async def _make_topics(endpoints: Endpoints, settings: Settings) -> None:
    try:
        await create_topics(
            endpoints.kafka, partitions=settings.partitions, replication_factor=settings.replication_factor
        )
    except (KafkaError, OSError) as error:
        raise _away("Kafka", error) from error


async def _make_schemas(endpoints: Endpoints, services: Services, settings: Settings, *, become: bool = False) -> None:
    """Migrate, and make a new database's master key; to `become` the services' roles the owner must be a member."""
    try:
        await asyncio.to_thread(migrate, endpoints.database, services)
        if become:
            await asyncio.to_thread(require_membership, endpoints.database, services)
        engine = make_engine(endpoints.database, service=OWNER)
        try:
            await make_master_key(settings, engine)
        finally:
            await engine.dispose()
    except RolesError as error:
        raise PrepareError(str(error)) from error
    except (SQLAlchemyError, OSError) as error:
        raise _away("The database", error) from error


def _away(what: str, error: Exception) -> PrepareError:
    return PrepareError(f"{what} does not answer ({type(error).__name__}). Look at `firstbell doctor`.")


async def _found(supervisor: Supervisor, plan: _Plan, settings: Settings, prepare: Prepare | None, gate: Gate) -> None:
    """Start what the services stand on, prepare each part as soon as it answers, and let the services begin."""
    if prepare is not None:
        await supervisor.start(*plan.foundation())
        await prepare(plan.endpoints)
    else:
        steps = {
            "kafka": partial(_make_topics, plan.endpoints, settings),
            "postgres": partial(_make_schemas, plan.endpoints, plan.all, settings, become=plan.postgres is None),
        }
        specs = [replace(spec, once_ready=steps.pop(spec.name, spec.once_ready)) for spec in plan.foundation()]
        await together(supervisor.start(*specs), *(outside() for outside in steps.values()))
    gate.open()


async def _serve(supervisor: Supervisor, services: Sequence[ChildSpec]) -> None:
    await supervisor.start(*services)


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """Who runs where. Every port is chosen before anything starts."""

    all: Services
    data: DataDir
    registry: ProcessRegistry
    endpoints: Endpoints
    ports: Mapping[str, int]
    urls: Mapping[str, str]
    kafka: EmbeddedKafka | None
    postgres: EmbeddedPostgres | None
    smtp_port: int | None

    @classmethod
    def of(cls, settings: Settings, data: DataDir, services: Services) -> _Plan:
        taken: set[int] = set()
        registry = data.registry()
        kafka = postgres = smtp_port = None
        if settings.kafka is None:
            kafka = EmbeddedKafka(
                home=data.kafka,
                logs=data.logs,
                registry=registry,
                port=free_port(settings.kafka_port, taken=taken),
                controller_port=free_port(taken=taken),
                mirror=settings.maven_mirror,
            )
        if settings.database is None:
            port = free_port(settings.database_port, taken=taken)
            roles = {role: read_password(data.secrets, role) for role in roles_of(services)}
            postgres = EmbeddedPostgres(home=data.postgres, logs=data.logs, registry=registry, port=port, roles=roles)
        if settings.smtp is None:
            smtp_port = free_port(settings.smtp_port, taken=taken)
        ports = {one.name: free_port(getattr(settings, f"{one.name}_port"), taken=taken) for one in services}
        return cls(
            all=services,
            data=data,
            registry=registry,
            endpoints=Endpoints(
                kafka=kafka.bootstrap if kafka else settings.require_kafka(),
                database=postgres.url() if postgres else settings.require_database(),
                smtp=settings.smtp or f"127.0.0.1:{smtp_port}",
                roles={role: postgres.role_url(role) for role in postgres.roles} if postgres else {},
            ),
            ports=ports,
            urls={name: settings.url_here(port) for name, port in ports.items()},
            kafka=kafka,
            postgres=postgres,
            smtp_port=smtp_port,
        )

    def foundation(self) -> list[ChildSpec]:
        specs: list[ChildSpec] = []
        if self.kafka is not None:
            specs.append(self.kafka.spec())
        if self.postgres is not None:
            specs.append(self.postgres.spec())
        if self.smtp_port is not None:
            specs.append(sink_spec(port=self.smtp_port, folder=self.data.mail))
        return specs

    def service(self, service: ServiceSpec, settings: Settings, extra: Mapping[str, str], gate: Gate) -> ChildSpec:
        command = Command(
            name=service.name,
            argv=[sys.executable, *service.command],
            env={
                **inherited_environment(),
                **own_environment(),
                **service_environment(settings, self.endpoints, self.ports, service),
                **extra,
                **gate.environment,
            },
            pass_fds=(gate.fd,),
        )
        # A worker first reads back its state, which takes as long as the state is large.
        auth = as_service(settings, "firstbell-up") if settings.token_for_health else None
        return ChildSpec(command=command, ready=lambda: answers_ready(self.urls[service.name], auth), deadline=180)

    def services(self, pids: Mapping[str, int | None]) -> dict[str, RunningService]:
        names = ("kafka", "postgres", "smtp", *self.ports)
        return {name: RunningService(pid=pids.get(name), url=self.urls.get(name)) for name in names}

    def stack(self, settings: Settings) -> Stack:
        return Stack(
            **self.urls,
            console=settings.public_url or self.urls["casework"],
            kafka=self.endpoints.kafka,
            database=self.endpoints.database,
            database_app=self.endpoints.database_of(READER),
            smtp=self.endpoints.smtp,
            mail_dir=self.data.mail if settings.smtp is None else None,
            data_dir=self.data.root,
            issuer=settings.oidc_issuer or "",
            services=self.services({}),
        )


def own_environment() -> dict[str, str]:
    """The parent's `FIRSTBELL_…` that only some service knows; the shared ones come from the settings in use."""
    shared = {f"FIRSTBELL_{name.upper()}" for name in Settings.model_fields}
    return {name: value for name, value in os.environ.items() if name.startswith("FIRSTBELL_") and name not in shared}


def service_environment(
    settings: Settings, endpoints: Endpoints, ports: Mapping[str, int], service: ServiceSpec
) -> dict[str, str]:
    """The parent's settings as a service's environment, with the addresses filled in; what is None is left out.

    The database is that of the service's own role.
    """
    values = settings.model_dump(mode="json", exclude_none=True)
    values |= {name: value.get_secret_value() for name, value in settings if isinstance(value, SecretStr)}
    values |= {f"{name}_port": port for name, port in ports.items()}
    values |= {"kafka": endpoints.kafka, "smtp": endpoints.smtp}
    values["database"] = endpoints.database_of(service.name)
    values["data_dir"] = str(settings.data_dir.absolute())
    return {f"FIRSTBELL_{name.upper()}": str(value) for name, value in values.items()}


async def answers_ready(url: str, auth: httpx.Auth | None = None) -> bool:
    """Whether `GET /readyz` says 200."""
    if not await accepts_connections(url.rpartition("/")[2]):
        return False
    try:
        # Without TLS' certificates, whose loading takes 30 ms a client: this is asked again and again.
        async with httpx.AsyncClient(auth=auth, trust_env=False, timeout=5, verify=False) as client:  # noqa: S501
            return (await client.get(f"{url}/readyz")).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
