"""The ODS of the tests behaves as the published contract says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.ods.app import CLIENT_ID, CLIENT_SECRET, Ods
from tests.ods.server import listening
from tests.ods.store import OdsState
from tests.ods.weather import Cut, Expire, Fail, Throttle

STUDENTS = "data/v3/ed-fi/students"


@pytest.fixture
def ods() -> Ods:
    ods = Ods()
    for number in range(5):
        ods.state.put("students", {"studentUniqueId": f"S{number}", "firstName": "A", "lastSurname": "B"})
    return ods


@pytest.fixture
def client(ods: Ods) -> Iterator[httpx.Client]:
    with listening(ods) as url, httpx.Client(base_url=url) as client:
        authorize(client)
        yield client


def authorize(client: httpx.Client) -> None:
    oauth = client.get("").json()["urls"]["oauth"]
    answer = client.post(oauth, data={"grant_type": "client_credentials"}, auth=(CLIENT_ID, CLIENT_SECRET))
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"


def ids(answer: httpx.Response) -> list[str]:
    return [row["studentUniqueId"] for row in answer.json()]


def attendance(student: str, day: str) -> dict[str, Any]:
    return {
        "attendanceEventCategoryDescriptor": "uri://ed-fi.org/AttendanceEventCategoryDescriptor#Absence",
        "eventDate": day,
        "sessionReference": {"schoolId": 255, "schoolYear": 2022, "sessionName": "Fall"},
        "studentReference": {"studentUniqueId": student},
    }


def test_a_window_has_both_of_its_ends(client: httpx.Client) -> None:
    answer = client.get(STUDENTS, params={"minChangeVersion": 2, "maxChangeVersion": 3, "totalCount": "true"})
    assert ids(answer) == ["S1", "S2"]
    assert answer.headers["Total-Count"] == "2"


def test_a_row_that_changes_leaves_the_window_and_later_rows_move_up(ods: Ods, client: httpx.Client) -> None:
    ods.weather.between = change_first
    pages = [
        ids(client.get(STUDENTS, params={"offset": offset, "limit": 2, "maxChangeVersion": 5})) for offset in (0, 2, 4)
    ]
    assert pages == [["S0", "S1"], ["S3", "S4"], []]  # S2 is skipped by who reads forward


def change_first(state: OdsState) -> None:
    first = min(state.standing("students"), key=lambda row: row.version)
    state.put("students", first.body | {"firstName": f"{first.version}"})


def test_a_row_deleted_and_made_again_is_not_among_the_deletes(ods: Ods, client: httpx.Client) -> None:
    body = ods.state.standing("students")[0].body
    assert ods.state.delete("students", studentUniqueId="S0") == 1
    gone = client.get(f"{STUDENTS}/deletes").json()
    assert [one["keyValues"] for one in gone] == [{"studentUniqueId": "S0"}]
    ods.state.put("students", body)
    assert client.get(f"{STUDENTS}/deletes").json() == []


def test_key_changes_of_a_window_are_one_from_first_to_last(ods: Ods, client: httpx.Client) -> None:
    ods.state.put("studentSchoolAttendanceEvents", attendance("S0", "2021-09-01"))
    ods.state.rename("studentUniqueId", "S0", "T0")
    ods.state.rename("studentUniqueId", "T0", "U0")
    (change,) = client.get(f"{STUDENTS}/keyChanges").json()
    assert (change["oldKeyValues"], change["newKeyValues"]) == ({"studentUniqueId": "S0"}, {"studentUniqueId": "U0"})
    (referring,) = client.get("data/v3/ed-fi/studentSchoolAttendanceEvents/keyChanges").json()
    assert referring["newKeyValues"]["studentUniqueId"] == "U0"


def test_a_snapshot_stays_as_it_was(ods: Ods, client: httpx.Client) -> None:
    use = {"Use-Snapshot": "true"}
    assert client.get(STUDENTS, headers=use).status_code == 404
    ods.snapshot()
    ods.state.delete("students")
    assert len(client.get("changeQueries/v1/snapshots").json()) == 1
    assert len(ids(client.get(STUDENTS, headers=use))) == 5
    assert ids(client.get(STUDENTS)) == []


def test_faults_befall_one_answer_each(ods: Ods, client: httpx.Client) -> None:
    ods.weather.plan("/students", Throttle(3), Fail(502), Expire())
    throttled = client.get(STUDENTS)
    assert (throttled.status_code, throttled.headers["Retry-After"]) == (429, "3")
    assert client.get(STUDENTS).status_code == 502
    assert client.get(STUDENTS).status_code == 401
    assert client.get(STUDENTS).status_code == 401
    authorize(client)
    ods.weather.plan("/students", Cut())
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(STUDENTS)
    assert len(ids(client.get(STUDENTS))) == 5


def test_what_a_key_set_has_no_right_to_and_what_a_version_lacks(ods: Ods, client: httpx.Client) -> None:
    ods.forbidden.add("students")
    ods.lacking.add("grades")
    assert client.get(STUDENTS).status_code == 403
    assert client.get("data/v3/ed-fi/grades").status_code == 404


def test_another_secret_gets_no_token(client: httpx.Client) -> None:
    form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": "another"}
    assert client.post("oauth/token", data=form).status_code == 401
