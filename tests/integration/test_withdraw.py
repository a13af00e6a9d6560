"""`firstbell withdraw` on a real Kafka and PostgreSQL: as POST /v1/consents with revoked_on."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import pytest_asyncio
from click.testing import CliRunner, Result

from services.cli.withdraw import withdraw
from services.platform.database import make_engine
from services.platform.keys.master import make_master_key
from tests.integration.taking import Taken
from tests.integration.test_agreement import HEARTH, HOPE, agreement


@pytest_asyncio.fixture(loop_scope="session")
async def sealing(taken: Taken) -> Taken:
    """An intake that can make keys, with an agreement in force."""
    engine = make_engine(taken.settings.require_database(), service="ingest", pool_size=1)
    await make_master_key(taken.settings, engine)
    await engine.dispose()
    await taken.apply(agreement())
    return taken


async def run(taken: Taken, *arguments: str) -> Result:
    environment = {
        "FIRSTBELL_DATABASE": taken.settings.require_database(),
        "FIRSTBELL_KAFKA": taken.settings.require_kafka(),
    }
    given = [*arguments, "--data-dir", str(taken.settings.data_dir)]
    return await asyncio.to_thread(CliRunner().invoke, withdraw, given, env=environment)


async def test_access_ends_at_once_for_every_recipient(sealing: Taken, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    student, _ = await sealing.consent(HOPE, HEARTH)
    assert len(await sealing.pseudonyms(student)) == 2
    result = await run(sealing, student, "--no-wait", "--json")
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    assert (document["on"], list(document)) == ("2016-12-07", ["on", "outcomes", "proofs"])
    assert [(one["agreement"], one["status"]) for one in document["outcomes"]] == [("DSA", "accepted")]
    assert await sealing.pseudonyms(student) == {}
    assert student not in result.output + caplog.text


async def test_one_recipient_of_two_and_a_mistyped_one_withdraws_nothing(sealing: Taken) -> None:
    student, _ = await sealing.consent(HOPE, HEARTH)
    mistyped = await run(sealing, student, "--recipient", f"{HOPE}x", "--no-wait")
    assert (mistyped.exit_code, HEARTH in mistyped.output) == (1, True), mistyped.output
    assert len(await sealing.pseudonyms(student)) == 2
    result = await run(sealing, student, "--recipient", HOPE, "--no-wait")
    assert result.exit_code == 0, result.output
    assert list(await sealing.pseudonyms(student)) == [HEARTH]


async def test_twice_changes_nothing(sealing: Taken) -> None:
    student, _ = await sealing.consent(HOPE)
    await run(sealing, student, "--no-wait")
    again = await run(sealing, student)
    assert (again.exit_code, "Nothing was held" in again.output) == (0, True), again.output


async def test_the_agreement_in_force_is_meant_also_when_nothing_is_kept_unless_one_is_named(sealing: Taken) -> None:
    given = {"": "DSA", "--agreement=DSA-2015": "DSA-2015"}
    for option, meant in given.items():
        result = await run(sealing, "RAW-unknown", "--no-wait", "--json", *filter(None, [option]))
        outcomes = json.loads(result.stdout)["outcomes"]
        assert [one["agreement"] for one in outcomes] == [meant], result.output


async def test_an_agreement_that_is_to_come_is_meant_too(sealing: Taken) -> None:
    student, _ = await sealing.consent(HOPE)
    term = {"effective_on": date(2017, 7, 1), "expires_on": date(2018, 6, 30), "destroy_by": date(2018, 8, 31)}
    to_come = agreement().model_copy(update={"id": "DSA-2017", **term})
    await sealing.apply(to_come)
    result = await run(sealing, student, "--no-wait")
    assert result.exit_code == 0, result.output
    await sealing.intake.set_replay_day(date(2017, 7, 1))
    await sealing.intake.sweep()
    row = sealing.consent_row(student, HOPE, agreement_id="DSA-2017")
    (outcome,) = await sealing.intake.take_consents([row])
    assert outcome.status == "rejected"


async def test_a_consent_of_that_very_day_that_came_after_it_is_not_passed_over_in_silence(sealing: Taken) -> None:
    student, _ = await sealing.consent(HOPE)
    await run(sealing, student, "--no-wait")
    same_day = replace(sealing.consent_row(student, HOPE), signed_on=date(2016, 12, 7))
    await sealing.intake.take_consents([same_day])
    again = await run(sealing, student, "--no-wait")
    assert (again.exit_code, "say --on 2016-12-08" in again.output) == (1, True), again.output
    assert (await run(sealing, student, "--on", "2016-12-08")).exit_code == 0
    await sealing.intake.set_replay_day(date(2016, 12, 8))
    await sealing.intake.sweep()
    assert await sealing.pseudonyms(student) == {}
    (outcome,) = await sealing.intake.take_consents([same_day])
    assert outcome.status == "rejected"


async def test_a_day_that_is_to_come_is_told(sealing: Taken) -> None:
    student, _ = await sealing.consent(HOPE)
    result = await run(sealing, student, "--on", "2016-12-20")
    assert (result.exit_code, "takes effect on 2016-12-20" in result.output) == (0, True), result.output
    assert await sealing.pseudonyms(student) != {}
    await sealing.intake.set_replay_day(date(2016, 12, 20))
    await sealing.intake.sweep()
    assert await sealing.pseudonyms(student) == {}


async def test_what_is_no_id_is_refused_without_being_repeated(sealing: Taken) -> None:
    result = await run(sealing, "a\nb" * 3)
    assert (result.exit_code, "student_id" in result.output) == (1, True), result.output
    assert "a\nb" not in result.output
