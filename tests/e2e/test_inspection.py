"""A parent asks: on the whole system, from the first look to the proof that all is gone."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from tests.e2e.districts import CONSENT, WEEK
from tests.e2e.system import Json, System, eventually, firstbell
from tests.e2e.test_corrections import Files
from tests.e2e.test_corrections import files as files  # noqa: PLC0414 - a fixture

SAID = "She was at the doctor's."


def test_a_parent_sees_corrects_and_withdraws_and_what_waited_is_then_gone(
    system: System, ingest: httpx.Client, casework: httpx.Client, files: Files, tmp_path: Path
) -> None:
    def run(*arguments: str) -> str:
        return firstbell(*arguments, "--data-dir", system.data_dir).stdout

    def inspected() -> tuple[Json, str]:
        document: Json = json.loads(run("inspect", student, "--out", str(page), "--json", "-"))
        return document, page.read_text(encoding="utf-8")

    page = tmp_path / "page.html"
    files.student("mine")
    files.student("another")
    files.take([("mine", day, "absent") for day in WEEK] + [("another", day, "absent") for day in WEEK])
    files.becomes("mine", mon="absent", tue="absent", wed="absent", thu="absent", fri="absent")
    student, pseudonym = files.ids["mine"], files.pseudonyms["mine"]

    run("inspections", "correct", student, "--statement", SAID, "--about", WEEK[0])
    assert [one["statement"] for one in files.window("mine")["statements"]] == [SAID]
    document, text = inspected()
    assert document["windows"][pseudonym]["document"]["absent_days"] == len(WEEK)
    assert [alert["student"] for alert in document["alerts"]] == [pseudonym]
    assert "a caseworker of" in text
    for secret in (files.ids["another"], files.pseudonyms["another"]):
        assert secret not in text + json.dumps(document)

    revoking = {"student_id": student, "agreement_id": CONSENT["agreement_id"], "revoked_on": WEEK[-1]}
    assert ingest.post("/v1/consents", json=[revoking]).json()["results"][0]["status"] == "accepted"
    assert casework.get(f"/v1/students/{pseudonym}/window").status_code == 404
    held, text = inspected()
    proofs = {one["pseudonym"]: one["proof"] for one in held["ingest"]["erased"] if one["proof"]}
    assert {one["state"] for one in proofs.values()} == {"held"}, "of attendance, and of grades"
    assert SAID in text.replace("&#39;", "'")
    assert firstbell("doctor", "--data-dir", system.data_dir).returncode == 0

    released = json.loads(run("inspections", "close", str(document["inspection"]["id"]), "--json"))["released"]
    assert sorted(released) == sorted(one["id"] for one in proofs.values())

    def complete() -> Json | None:
        found: Json = json.loads(run("proofs", proofs[pseudonym]["id"], "--json"))
        return found if found["state"] == "complete" else None

    removed = eventually(complete, "every service has confirmed")["removed"]
    assert removed["ingest.corrections"] == removed["casework.alerts"] == removed["warning.windows"] == 1
    after, text = inspected()
    assert after["ingest"]["feeds"] == []
    assert "Nothing is held about this student any more." in text
    assert "a caseworker of" in text
    assert files.window("another")["absent_days"] == len(WEEK)
    run("inspections", "close", str(after["inspection"]["id"]))
