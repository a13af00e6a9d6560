"""The cases that people have closed, as labels: opened from `case.actions.v1`, named through the consent view.

Who may open is casework, which has sealed them: its role reads the keys, and here nothing else is changed by it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final
from uuid import UUID

from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError
from sqlalchemy import Text, any_, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.contracts.cases import CaseAction, Outcome
from services.contracts.topics import CASE_ACTIONS
from services.platform.consent import consented_students
from services.platform.consumer import stop_client
from services.platform.database import make_engine
from services.platform.errors import NotRunningError, OperatorError
from services.platform.kafka import make_consumer
from services.platform.keys.master import MasterKeys
from services.platform.keys.opening import NoEvent, open_events
from services.platform.roles import require_role
from services.platform.settings import Settings

CASEWORK: Final = "casework"
_READ_ONLY: Final = text("SET TRANSACTION READ ONLY")

READ_SECONDS: Final = 120.0
"""How long reading the topic may take: a year's closings are read in a few seconds."""


@dataclass(frozen=True, slots=True, order=True)
class ClosedCase:
    """How a student's case ended. `student_id` is the district's: it belongs in files of the contract, nowhere else."""

    student_id: str
    date: date
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class ClosedCases:
    """The closed cases of students whose consent is in force now, and what was left out."""

    cases: list[ClosedCase] = field(default_factory=list)
    """By student and date."""
    without_consent: int = 0
    """Closed cases of students without a consent in force."""
    erased: int = 0
    """Records of the topic whose key is gone: nobody can tell what they were."""
    unreadable: int = 0
    """Records of the topic that are no actions."""

    def outcomes(self) -> Counter[Outcome]:
        """How often each outcome came."""
        return Counter(case.outcome for case in self.cases)


def last_closings(actions: Iterable[CaseAction]) -> dict[UUID, CaseAction]:
    """Each alert's latest closing that was not undone, whatever the order and however often the actions came."""
    last: dict[UUID, CaseAction] = {}
    for action in actions:
        is_about_closing = action.action == "closed" or action.undoes == "closed"
        if is_about_closing and (action.alert_id not in last or action.at > last[action.alert_id].at):
            last[action.alert_id] = action
    return {alert: action for alert, action in last.items() if action.action == "closed"}


def named(closings: Iterable[CaseAction], student_ids: Mapping[str, str]) -> ClosedCases:
    """The closings under the district's ids; who has none of these is counted and left out."""
    closed = list(closings)
    cases = [
        ClosedCase(student_ids[action.student], action.on, action.outcome)
        for action in closed
        if action.student in student_ids and action.outcome is not None
    ]
    return ClosedCases(sorted(cases), len(closed) - len(cases))


async def closed_cases(settings: Settings) -> ClosedCases:
    """The cases closed until now, from the Kafka and the database of the settings.

    Raises `NotRunningError` when Kafka does not answer, `OperatorError` when the topic is not there or the database
    does not answer, `RolesError` when its user is not casework, `SettingsError` when a setting or the master key is
    missing.
    """
    kafka = settings.require_kafka()
    try:
        values = await _values(kafka)
    except UnknownTopicOrPartitionError as error:
        raise OperatorError(f"{CASE_ACTIONS.name} is not there: `firstbell prepare` makes it.") from error
    except (KafkaError, OSError, TimeoutError) as error:
        raise NotRunningError(
            f"Kafka at {kafka} does not answer ({type(error).__name__}). `firstbell doctor` says what runs."
        ) from error
    try:
        return await _opened(settings, values)
    except SQLAlchemyError as error:
        raise OperatorError(
            f"The database does not answer ({type(error).__name__}). `firstbell doctor` says what is wrong."
        ) from None  # its words may hold values


async def _values(kafka: str) -> list[bytes]:
    """Every value of the topic, from its beginning to where it ends now."""
    consumer = make_consumer(kafka, CASE_ACTIONS.name, group=None)
    values: list[bytes] = []
    try:
        async with asyncio.timeout(READ_SECONDS):
            await consumer.start()
            ends = await consumer.end_offsets(consumer.assignment())
            while any([await consumer.position(partition) < end for partition, end in ends.items()]):
                batches = await consumer.getmany(timeout_ms=1000)
                values += [record.value or b"" for batch in batches.values() for record in batch]
    finally:
        await stop_client(consumer)
    return values


async def _opened(settings: Settings, values: Sequence[bytes]) -> ClosedCases:
    engine = make_engine(settings.require_database(), service=CASEWORK, pool_size=1)
    try:
        async with engine.connect() as connection:
            await connection.execute(_READ_ONLY)
            await require_role(connection, CASEWORK)
            read = CaseAction.model_validate_json
            found = await open_events(connection, MasterKeys.of(settings), CASE_ACTIONS, read, values)
            closings = last_closings(each for each in found if isinstance(each, CaseAction)).values()
            cases = named(closings, await _student_ids(connection, {action.student for action in closings}))
    finally:
        await engine.dispose()
    return replace(cases, erased=found.count(None), unreadable=sum(isinstance(each, NoEvent) for each in found))


async def _student_ids(connection: AsyncConnection, pseudonyms: set[str]) -> dict[str, str]:
    """The district's ids of those whose consent is in force now, by pseudonym."""
    pseudonym, student_id = consented_students.c.pseudonym, consented_students.c.student_id
    wanted = pseudonym == any_(literal(sorted(pseudonyms), ARRAY(Text)))
    return {row[0]: row[1] for row in await connection.execute(select(pseudonym, student_id).where(wanted))}
