"""What the agreement in force lets in, for whom, and until when: on a real Kafka and a real PostgreSQL."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from services.contracts.reference import Consent, Enrollment, EnrollmentSpan
from services.contracts.topics import CONSENTS, ENROLLMENTS
from services.ingest.agreement.document import Agreement
from services.ingest.app import create_app
from services.ingest.rows.parse import SchoolDayRow
from services.ingest.store.agreements import NoAgreementError, VersionError
from tests.identity import Identity
from tests.integration.ingest_support import CONSENT
from tests.integration.running import running
from tests.integration.taking import Taken

FIRST, DAY, LAST = date(2016, 12, 5), date(2016, 12, 6), date(2018, 6, 30)
HOPE, HEARTH = "project-hope", "hearth"


def agreement(version: int = 1, **more: Any) -> Agreement:
    """Two agencies, of which each gets one school, and both get `both`."""
    live = {"purpose": "homelessness-prevention", "records": ["attendance"], "form": "live"}
    given = {
        "id": "DSA",
        "version": version,
        "effective_on": FIRST,
        "expires_on": LAST,
        "destroy_by": date(2018, 12, 31),
        "party": [{"id": one, "name": one, "role": "agency"} for one in (HOPE, HEARTH)],
        "disclosure": [
            {"to": HOPE, "schools": ["both", "hopes"], **live},
            {"to": HEARTH, "schools": ["both", "hearths"], **live},
        ],
    }
    return Agreement.model_validate(given | more)


ONE_AGENCY = [
    {
        "to": HOPE,
        "purpose": "homelessness-prevention",
        "records": ["attendance"],
        "schools": ["hopes"],
        "form": "live",
    }
]


async def test_without_an_agreement_nothing_is_taken_in(taken: Taken, identity: Identity) -> None:
    with pytest.raises(NoAgreementError, match="firstbell agreement apply"):
        await taken.consent(HOPE)
    with pytest.raises(NoAgreementError):
        await taken.marks("s", ("both", DAY))
    async with running(create_app(taken.settings), identity.auth("district")) as client:
        for path in ("attendance", "consents", "enrollments", "school-days"):
            body: dict[str, object] = {"student_id": "s", "school_id": "both", "date": "2016-12-05", "status": "absent"}
            body |= {
                **CONSENT,
                "signed_on": "2016-09-01",
                "entry_date": "2016-09-08",
                "instructional": True,
            }
            answer = await client.post(f"/v1/{path}", json=body)
            assert answer.status_code == 409, path
            assert "firstbell agreement apply" in answer.json()["detail"]


async def test_two_agencies_get_what_is_theirs_and_cannot_join_it(taken: Taken) -> None:
    await taken.apply(agreement())
    student, shown = await taken.consent(HOPE, HEARTH)
    known = await taken.pseudonyms(student)
    assert known.keys() == {HOPE, HEARTH}
    assert known[HOPE] != known[HEARTH]
    assert shown in known.values()
    for number, school in enumerate(("both", "hopes", "hearths")):
        first = FIRST + timedelta(days=number)
        assert await taken.enroll(student, school, first, first) == "accepted"

    places = [("both", DAY), ("hopes", DAY), ("hearths", DAY), ("nobodys", DAY), ("both", FIRST - timedelta(days=1))]
    told = ["accepted", "accepted", "accepted", "out_of_scope", "out_of_scope"]
    assert await taken.marks(student, *places) == told
    assert await taken.marks(student, *places) == ["duplicate", "duplicate", "duplicate", *told[3:]]
    assert sorted(await taken.sent_marks(known[HOPE])) == [("both", DAY), ("hopes", DAY)]
    assert sorted(await taken.sent_marks(known[HEARTH])) == [("both", DAY), ("hearths", DAY)]

    values = [await taken.of(ENROLLMENTS, known[one]) for one in (HOPE, HEARTH)]
    hopes, hearths = (Enrollment.model_validate_json(found[-1] or b"") for found in values)
    assert (hopes.agency, hearths.agency) == (HOPE, HEARTH)
    assert {span.school_id for span in hopes.spans if span.shared} == {"both", "hopes"}
    assert {span.school_id for span in hearths.spans if span.shared} == {"both", "hearths"}


async def test_a_consent_for_one_agency_is_none_for_the_other(taken: Taken) -> None:
    await taken.apply(agreement())
    student, pseudonym = await taken.consent(HEARTH)
    assert await taken.pseudonyms(student) == {HEARTH: pseudonym}
    assert await taken.marks(student, ("both", DAY), ("hopes", DAY)) == ["accepted", "not_consented"]
    other, pseudonym = await taken.consent(HOPE, agreement_id="an earlier one")
    assert (await taken.pseudonyms(other), pseudonym) == ({}, None)


async def test_of_a_school_out_of_scope_an_agency_learns_when_and_not_where(taken: Taken) -> None:
    await taken.apply(agreement())
    student, _ = await taken.consent(HOPE)
    assert await taken.enroll(student, "hopes", date(2016, 9, 8), date(2017, 1, 31)) == "accepted"
    assert await taken.enroll(student, "nobodys", date(2017, 2, 1), date(2017, 3, 1)) == "out_of_scope"
    assert await taken.enroll(student, "hopes", date(2017, 3, 2)) == "accepted"

    values = await taken.of(ENROLLMENTS, (await taken.pseudonyms(student))[HOPE])
    assert Enrollment.model_validate_json(values[-1] or b"").spans == [
        EnrollmentSpan(school_id="hopes", entry_date=FIRST, exit_date=date(2017, 1, 31)),
        EnrollmentSpan(school_id="", entry_date=date(2017, 2, 1), exit_date=date(2017, 3, 1), shared=False),
        EnrollmentSpan(school_id="hopes", entry_date=date(2017, 3, 2), exit_date=LAST),
    ]
    assert all(b"nobodys" not in (value or b"") for value in values)
    assert (
        await taken.rows("SELECT 1 FROM ingest.enrollments WHERE school_id = 'nobodys' OR school_id = :id", "x") == []
    )


async def test_a_calendar_out_of_scope_is_not_taken(taken: Taken) -> None:
    await taken.apply(agreement())
    rows = [SchoolDayRow(school_id=one, date=DAY, instructional=True, reported=True) for one in ("both", "nobodys")]
    assert [one.status for one in await taken.intake.take_school_days(rows)] == ["accepted", "out_of_scope"]
    assert (await taken.intake.reports()).keys() == {"both"}


async def test_a_version_that_drops_an_agency_ends_what_it_had(taken: Taken) -> None:
    await taken.apply(agreement())
    student, _ = await taken.consent(HOPE, HEARTH)
    before = await taken.pseudonyms(student)
    await taken.apply(agreement(2, disclosure=ONE_AGENCY))

    assert await taken.pseudonyms(student) == {HOPE: before[HOPE]}
    assert (await taken.of(CONSENTS, before[HEARTH]))[-1] is None
    assert (await taken.of(CONSENTS, before[HOPE]))[-1] is not None
    assert await taken.marks(student, ("both", DAY), ("hopes", DAY)) == ["out_of_scope", "accepted"]


async def test_a_version_that_drops_a_school_masks_it_in_what_is_known(taken: Taken) -> None:
    await taken.apply(agreement())
    student, pseudonym = await taken.consent(HOPE)
    await taken.enroll(student, "both", date(2016, 9, 8))
    await taken.apply(agreement(2, disclosure=ONE_AGENCY))

    values = await taken.of(ENROLLMENTS, pseudonym or "")
    assert Enrollment.model_validate_json(values[-1] or b"").spans == [
        EnrollmentSpan(school_id="", entry_date=FIRST, exit_date=LAST, shared=False)
    ]


async def test_the_end_of_the_term_closes_all_by_the_one_clock(taken: Taken) -> None:
    await taken.apply(agreement())
    student, pseudonym = await taken.consent(HOPE)
    assert pseudonym is not None
    await taken.intake.set_replay_day(LAST)
    await taken.intake.sweep()
    assert await taken.pseudonyms(student) == {HOPE: pseudonym}

    await taken.intake.set_replay_day(LAST + timedelta(days=1))
    assert await taken.pseudonyms(student) == {}, "before any sweep"
    with pytest.raises(NoAgreementError):
        await taken.marks(student, ("hopes", DAY))
    await taken.intake.sweep()
    assert (await taken.of(CONSENTS, pseudonym))[-1] is None


async def test_a_revocation_counts_while_the_agency_is_out_of_the_agreement(taken: Taken) -> None:
    await taken.apply(agreement())
    student, _ = await taken.consent(HOPE, HEARTH)
    await taken.apply(agreement(2, disclosure=ONE_AGENCY))
    assert await taken.revoke(student, date(2016, 12, 7)) == "accepted"
    await taken.apply(agreement(3))
    assert await taken.pseudonyms(student) == {}
    await taken.apply(agreement(4, expires_on=date(2016, 12, 6)))
    assert await taken.revoke(student, date(2016, 12, 6)) == "accepted", "without an agreement in force"


async def test_an_agency_that_comes_later_gets_no_consent_that_was_revoked(taken: Taken) -> None:
    await taken.apply(agreement(disclosure=ONE_AGENCY))
    student, _ = await taken.consent(HOPE, HEARTH)
    await taken.revoke(student, date(2016, 12, 7))
    await taken.apply(agreement(2))
    await taken.consent(HOPE, HEARTH, student=student)
    assert await taken.pseudonyms(student) == {}


async def test_with_another_purpose_nobody_passes_by_the_old_consent_even_before_a_sweep(taken: Taken) -> None:
    await taken.apply(agreement())
    student, pseudonym = await taken.consent(HOPE)
    assert await taken.pseudonyms(student) == {HOPE: pseudonym}
    other = [{**ONE_AGENCY[0], "purpose": "marketing"}]
    await taken.intake.apply(agreement(2, disclosure=other))
    assert await taken.pseudonyms(student) == {}
    assert await taken.marks(student, ("hopes", DAY)) == ["not_consented"]


async def test_what_a_term_ended_begins_anew_when_it_is_handed_in_under_the_next_one(taken: Taken) -> None:
    await taken.apply(agreement())
    student, pseudonym = await taken.consent(HOPE)
    assert await taken.marks(student, ("hopes", DAY)) == ["accepted"]
    await taken.apply(agreement(2, expires_on=DAY))
    assert await taken.pseudonyms(student) == {}
    assert (await taken.of(CONSENTS, pseudonym or ""))[-1] is None
    await taken.apply(agreement(3))
    assert await taken.pseudonyms(student) == {}
    assert await taken.marks(student, ("hopes", DAY)) == ["not_consented"]
    _, again = await taken.consent(HOPE, student=student)
    assert await taken.pseudonyms(student) == {HOPE: again} != {HOPE: pseudonym}
    assert await taken.marks(student, ("hopes", DAY)) == ["accepted"]


async def test_terms_that_adjoin_are_one(taken: Taken) -> None:
    await taken.apply(agreement(expires_on=date(2016, 12, 7)))
    student, pseudonym = await taken.consent(HOPE)
    await taken.apply(agreement(2, effective_on=date(2016, 12, 8)))
    await taken.intake.set_replay_day(date(2016, 12, 8))
    await taken.intake.sweep()
    assert await taken.pseudonyms(student) == {HOPE: pseudonym}
    assert None not in await taken.of(CONSENTS, pseudonym or "")


async def test_a_school_that_is_added_is_masked_no_more(taken: Taken) -> None:
    await taken.apply(agreement(disclosure=ONE_AGENCY))
    student, pseudonym = await taken.consent(HOPE)
    await taken.enroll(student, "both", FIRST)
    await taken.apply(agreement(2))
    await taken.enroll(student, "both", FIRST)
    values = await taken.of(ENROLLMENTS, pseudonym or "")
    assert [one.school_id for one in Enrollment.model_validate_json(values[-1] or b"").spans] == ["both"]


async def test_before_any_agreement_nothing_that_is_kept_is_touched(taken: Taken) -> None:
    insert = "INSERT INTO ingest.students (student_id, agency, pseudonym, slot, consent_from)"
    await taken.rows(f"{insert} VALUES (:id, 'a', 'p', 1, now()) RETURNING 1", "kept")
    await taken.intake.sweep()
    query = "SELECT student_id FROM ingest.students WHERE consent_from IS NOT NULL AND student_id = :id"
    assert [row.student_id for row in await taken.rows(query, "kept")] == ["kept"]


async def test_a_version_that_lengthens_the_term_lengthens_consents(taken: Taken) -> None:
    await taken.apply(agreement())
    student, pseudonym = await taken.consent(HOPE)
    later = LAST + timedelta(days=365)
    await taken.apply(agreement(2, expires_on=later, destroy_by=later))
    await taken.intake.set_replay_day(LAST + timedelta(days=1))
    await taken.intake.sweep()

    assert await taken.pseudonyms(student) == {HOPE: pseudonym}
    values = await taken.of(CONSENTS, pseudonym or "")
    runs = [Consent.model_validate_json(value) for value in values if value is not None]
    assert [run.valid_through for run in runs] == [LAST, later]
    assert len(values) == len(runs), "no tombstone came between"


async def test_a_version_is_one_document_and_holds_from_its_first_day(taken: Taken) -> None:
    assert await taken.intake.apply(agreement())
    assert not await taken.intake.apply(agreement())
    with pytest.raises(VersionError, match="raise `version`"):
        await taken.intake.apply(agreement(small_cell=11))
    to_come = agreement(3, effective_on=date(2017, 1, 1))
    await taken.intake.apply(to_come)
    with pytest.raises(VersionError, match="newer"):
        await taken.intake.apply(agreement(2))

    assert (await taken.intake.agreement()).version == 1
    await taken.intake.set_replay_day(date(2017, 1, 1))
    assert await taken.intake.agreement() == to_come
