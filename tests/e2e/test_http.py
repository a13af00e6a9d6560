"""Marks that a school posts: alerts in the history, mails in the sink, windows; corrections and withdrawals."""

from __future__ import annotations

import os
import subprocess
import sys
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from uuid import uuid4

import httpx

from services.contracts.topics import ALERTS, MARKS
from tests.e2e.districts import CONSENT, WEEK
from tests.e2e.kafka_records import alerts_of, records_of
from tests.e2e.schools import School
from tests.e2e.snapshots import every_alert
from tests.e2e.system import Json, System, eventually


def mails_of(system: System, case: str, count: int) -> list[Message]:
    """The mails of a case, oldest first, once there are as many as expected."""
    folder = system.data_dir / "mail"

    def found() -> list[Message]:
        mails = [message_from_bytes(path.read_bytes()) for path in sorted(folder.glob("*.eml"))]
        return [mail for mail in mails if case in str(mail["Subject"])]

    eventually(lambda: len(found()) >= count, f"{count} mails of a case")
    return found()


def test_marks_become_an_alert_and_a_mail_that_names_nobody(system: System, school: School) -> None:
    student = school.student()
    school.absent(student, *WEEK[:3])

    alert = school.the_alert(level="watch", status="open")
    assert (alert["student"], alert["student_id"]) == (student.pseudonym, student.id)
    assert alert["raised_on"] == WEEK[2]
    assert [(reason["rule"], reason["dates"]) for reason in alert["reasons"]] == [("streak_3", WEEK[:3])]
    (mail,) = mails_of(system, alert["case_number"], 1)
    assert mail["Message-ID"]
    assert "watch" in str(mail["Subject"])
    whole = mail.as_string()
    assert f"/cases/{alert['id']}" in whole
    for secret in (student.id, student.pseudonym, school.id, CONSENT["signed_by"]):
        assert secret not in whole

    school.absent(student, *WEEK[3:])
    alert = school.the_alert(level="elevated", status="open")
    assert alert["raised_on"] == WEEK[2]
    assert {reason["rule"] for reason in alert["reasons"]} == {"streak_3", "streak_5"}
    mails = mails_of(system, alert["case_number"], 2)
    assert ["elevated" in str(mail["Subject"]) for mail in mails] == [False, True]
    window = school.window(student).raise_for_status().json()
    assert (window["student_id"], window["school_id"], window["as_of"]) == (student.id, school.id, WEEK[4])
    assert (window["enrolled_days"], window["absent_days"], window["current_streak"]) == (5, 5, 5)
    assert [(mark["date"], mark["status"]) for mark in window["marks"]] == [(day, "absent") for day in WEEK]


def test_what_was_sent_is_listed_beside_the_case(school: School, casework: httpx.Client) -> None:
    student = school.student()
    school.absent(student, *WEEK[:3])
    alert = school.the_alert(level="watch")

    def sent() -> list[Json]:
        query = {"alert": alert["id"], "state": "sent"}
        return list(casework.get("/v1/deliveries", params=query).raise_for_status().json()["items"])

    (delivery,) = eventually(sent, "the mail was sent")
    assert (delivery["alert"], delivery["case"], delivery["channel"]) == (alert["id"], alert["id"], "mail")
    assert (delivery["attempts"], delivery["not_before"], delivery["reason"]) == (1, None, None)
    assert casework.get("/v1/deliveries", params={"alert": alert["id"], "state": "queued"}).json()["items"] == []


def test_a_school_year_says_what_each_day_was(school: School, casework: httpx.Client) -> None:
    student = school.student()
    school.absent(student, *WEEK[:3])
    school.the_alert(level="watch")
    path = f"/v1/students/{student.pseudonym}/year"
    year = casework.get(path, params={"as_of": WEEK[4]}).raise_for_status().json()
    assert (year["student_id"], year["begins"], year["as_of"]) == (student.id, "2016-07-01", WEEK[4])
    week = {day["date"]: day["what"] for day in year["days"] if day["date"] in WEEK}
    assert [week[day] for day in WEEK] == ["absent", "absent", "absent", "no_data", "no_data"]
    assert year["usual"]["longest_run"] == year["counts"]["absent"] == 3


def test_an_alert_can_be_read_alone_filtered_and_as_csv(school: School, casework: httpx.Client) -> None:
    student = school.student()
    school.absent(student, *WEEK[:3])
    alert = school.the_alert(level="watch")

    detail = casework.get(f"/v1/alerts/{alert['id']}").raise_for_status().json()
    assert [step["type"] for step in detail["timeline"]] == ["AlertRaised"]
    assert {name: detail[name] for name in alert} == alert
    mine = {"student": student.pseudonym}
    for narrowed, count in (
        ({"level": "watch", "status": "open", "since": WEEK[2], "until": WEEK[2]}, 1),
        ({"since": WEEK[3]}, 0),
        ({"until": WEEK[1]}, 0),
        ({"level": "urgent"}, 0),
        ({"school": "another"}, 0),
    ):
        assert len(every_alert(casework, **mine, **narrowed)) == count, narrowed
    table = casework.get("/v1/alerts", params=mine, headers={"Accept": "text/csv"}).text.splitlines()
    assert len(table) == 2
    assert student.id in table[1]


def test_a_correction_withdraws_the_alert_and_tells_who_was_told(system: System, school: School) -> None:
    student = school.student()
    school.absent(student, *WEEK[:3])
    alert = school.the_alert(status="open")
    mails_of(system, alert["case_number"], 1)

    school.post("attendance", school.mark(student.id, WEEK[1], "present"))

    assert school.the_alert(status="withdrawn")["id"] == alert["id"]
    mails = mails_of(system, alert["case_number"], 2)
    assert "withdrawn" in str(mails[-1]["Subject"])
    window = school.window(student).raise_for_status().json()
    assert (window["absent_days"], window["current_streak"], window["longest_streak"]) == (2, 1, 1)


def test_a_mark_is_taken_once_and_bad_entries_stop_no_others(school: School) -> None:
    student = school.student()
    once = school.mark(student.id, WEEK[0], "absent", event_id=f"e-{uuid4().hex}")
    answer = school.post("attendance", once, once, {**once, "status": "Planted Name", "event_id": None}, {"date": 7})

    assert {name: answer[name] for name in ("accepted", "duplicate", "rejected", "not_consented")} == {
        "accepted": 1,
        "duplicate": 1,
        "rejected": 2,
        "not_consented": 0,
    }
    assert [one["index"] for one in answer["results"]] == [0, 1, 2, 3]
    assert "Planted" not in str(answer)


def test_of_a_student_without_consent_nothing_is_kept(system: System, school: School) -> None:
    unknown = f"S-{uuid4().hex[:10]}"
    answer = school.post("attendance", *(school.mark(unknown, day, "absent") for day in WEEK))

    assert answer["not_consented"] == len(WEEK)
    assert system.rows("SELECT 1 FROM ingest.students WHERE student_id = %s", unknown) == []


def test_a_withdrawal_works_at_once(school: School) -> None:
    student = school.student()
    school.absent(student, *WEEK[:3])
    school.the_alert(status="open")

    school.post("consents", {**CONSENT, "student_id": student.id, "revoked_on": "2017-01-09"})

    assert school.alerts() == []
    assert school.window(student).status_code == httpx.codes.NOT_FOUND
    late = school.post("attendance", school.mark(student.id, WEEK[3], "absent"))
    assert late["not_consented"] == 1


def test_an_alert_has_the_trace_of_the_request_that_caused_it(system: System, school: School) -> None:
    student, trace = school.student(), f"00-{uuid4().hex}-{uuid4().hex[:16]}-01"
    marks = [school.mark(student.id, day, "absent", excused=False) for day in WEEK]
    school.post("attendance", *marks, headers={"traceparent": trace})
    school.the_alert(status="open")

    assert student.pseudonym in {event.student for event in alerts_of(system.where)}
    for topic in (MARKS, ALERTS):
        assert ("traceparent", trace.encode()) in {
            header for each in records_of(system.where["kafka"], topic) for header in each.headers
        }


def test_the_example_of_a_schools_system_is_answered(system: System) -> None:
    example = Path(__file__).resolve().parents[2] / "examples" / "post_marks.py"
    token = system.bearer("district")["Authorization"].removeprefix("Bearer ")
    command, env = [sys.executable, example, system.where["ingest"]], {**os.environ, "TOKEN": token}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("absent: accepted\n")
