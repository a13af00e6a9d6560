"""Two agencies with live disclosures of one school; and a student who leaves the scope of one for a while."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from services.contracts.alerts import AlertEvent
from services.contracts.risk import ThresholdSet
from services.contracts.topics import ENROLLMENTS, THRESHOLDS
from tests.e2e.districts import simulate, write_csv
from tests.e2e.kafka_records import alerts_of, records_of
from tests.e2e.system import Json, System, firstbell, running
from tests.unit.models.hand_made import artifact

CAPACITY = 1
LAST_DAY = "2016-11-11"
HOPE, HEARTH = "project-hope", "hearth"
SCOPE = {HOPE: ("dearborn", "dudley"), HEARTH: ("dearborn", "dudley", "king")}
MOVER = "999001"
LEFT, BACK = date(2016, 10, 17), date(2016, 10, 31)
"""The mover goes to a school that is shared with one agency alone, and comes back."""


class Both(NamedTuple):
    """What a replay of both agencies' feeds came to."""

    system: System
    thresholds: dict[str | None, list[ThresholdSet]]
    alerts: dict[str | None, list[AlertEvent]]

    def mover(self, agency: str) -> str:
        """The mover's pseudonym for an agency."""
        query = "SELECT pseudonym FROM ingest.students WHERE student_id = %s AND agency = %s AND kept_for = ''"
        ((pseudonym,),) = self.system.rows(query, MOVER, agency)
        return str(pseudonym)

    def window(self, agency: str) -> Json:
        """The mover's window, as the agency's caseworker reads it."""
        known = self.system.bearer("caseworker", "--agency", agency)
        with httpx.Client(base_url=self.system.where["casework"], headers=known, timeout=30) as casework:
            found: Json = casework.get(f"/v1/students/{self.mover(agency)}/window").json()
        return found


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    base = tmp_path_factory.mktemp("agencies")
    folder, model, data_dir = base / "export", base / "model.json", base / "data"
    model.write_text(artifact(1).dump(), encoding="utf-8")
    _export(simulate(folder, 150))
    options = ("--capacity", str(CAPACITY), "--model", model, "--data-dir", data_dir, "--json", base / "out.json")
    firstbell("replay", folder, *options)
    settings = {"FIRSTBELL_CAPACITY": str(CAPACITY), "FIRSTBELL_MODEL_FILE": str(model)}
    with running(data_dir, agreement=False, **settings) as system:
        thresholds, alerts = defaultdict(list), defaultdict(list)
        for partition, value, _ in records_of(system.where["kafka"], THRESHOLDS):
            if partition == 0:
                told = ThresholdSet.model_validate_json(value)
                thresholds[told.agency].append(told)
        for alert in alerts_of(system.where):
            alerts[alert.agency].append(alert)
        yield Both(system, dict(thresholds), dict(alerts))


def _export(folder: Path) -> None:
    """Ten weeks of a simulated year, consented for both agencies, with an agreement of both, and the mover."""
    text = (folder / "agreement.toml").read_text(encoding="utf-8")
    start = text.index("[[disclosure]]")
    party = f'[[party]]\nid = "{HEARTH}"\nname = "Hearth"\nrole = "agency"\n\n'
    disclosures = [
        f'[[disclosure]]\nto = "{agency}"\npurpose = "homelessness-prevention"\nrecords = ["attendance"]\n'
        f'schools = {json.dumps(schools)}\nform = "live"\n'
        for agency, schools in SCOPE.items()
    ]
    (folder / "agreement.toml").write_text(text[:start] + party + "\n".join(disclosures), encoding="utf-8")
    consents, spans, marks = (_rows(folder, name) for name in ("consents", "enrollments", "attendance"))
    theirs = [{**consents[0], "student_id": MOVER, "signed_on": "2016-09-01"}, *consents]
    write_csv(folder, "consents.csv", [{**each, "recipients": f"{HOPE};{HEARTH}"} for each in theirs])
    days = [LEFT - timedelta(days=1), BACK - timedelta(days=1)]
    stays = [("dearborn", "2016-09-08", str(days[0])), ("king", str(LEFT), str(days[1])), ("dearborn", str(BACK), "")]
    names = ("school_id", "entry_date", "exit_date")
    spans += [{**spans[0], "student_id": MOVER, **dict(zip(names, stay, strict=True))} for stay in stays]
    write_csv(folder, "enrollments.csv", spans)
    absent = [LEFT - timedelta(days=number) for number in (3, 4, 5, 6)]
    mark = dict.fromkeys(marks[0], "")
    marks += [
        {**mark, "student_id": MOVER, "school_id": "dearborn", "date": str(day), "status": "absent"} for day in absent
    ]
    write_csv(folder, "attendance.csv", [row for row in marks if row["date"] <= LAST_DAY])


def _rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_agency_has_a_threshold_of_its_own_every_week(both: Both) -> None:
    weeks = {agency: [told.week for told in both.thresholds[agency]] for agency in SCOPE}
    assert weeks[HOPE] == weeks[HEARTH] == sorted(set(weeks[HOPE]))
    assert {told.capacity for agency in SCOPE for told in both.thresholds[agency]} == {CAPACITY}
    found = {agency: [told.threshold for told in both.thresholds[agency]] for agency in SCOPE}
    assert found[HOPE] != found[HEARTH]


def test_each_agencys_new_alerts_fit_its_capacity_and_are_counted_for_it_alone(both: Both) -> None:
    entered = {agency: both.thresholds[agency][-1].entered for agency in SCOPE}
    assert sum(entered.values()) > CAPACITY * len(both.thresholds[HOPE]), "one capacity for both would be full"
    with httpx.Client(base_url=both.system.where["warning"], timeout=30) as worker:
        metrics = worker.get("/metrics").text
    for agency, number in entered.items():
        assert 0 < number <= CAPACITY * (len(both.thresholds[agency]) + 2)
        assert f'firstbell_warning_entered{{agency="{agency}"}} {number:.1f}' in metrics


def test_who_leaves_the_scope_and_comes_back_has_moved_twice_and_the_days_between_are_counted(both: Both) -> None:
    hopes, hearths = both.window(HOPE), both.window(HEARTH)
    assert (hopes["moves"], hearths["moves"]) == (2, 2)
    assert (hopes["not_shared_days"], hearths["not_shared_days"]) == (10, 0)
    assert hopes["enrolled_days"] + hopes["not_shared_days"] == hearths["enrolled_days"]
    assert hopes["school_id"] == "dearborn"


def test_leaving_the_scope_clears_the_alert_and_says_not_where(both: Both) -> None:
    pseudonym = both.mover(HOPE)
    told = [alert for alert in both.alerts[HOPE] if alert.student == pseudonym]
    cleared = next(alert for alert in told if alert.type == "AlertCleared")
    assert told[0].type == "AlertRaised"
    assert (cleared.because, cleared.changed_on) == ("not_shared", LEFT)
    assert cleared.reasons[0].text.startswith("Since 17 Oct at a school whose attendance is not shared")
    assert not any(b"king" in alert.model_dump_json().encode() for alert in told)
    enrolled = [value for _, value, _ in records_of(both.system.where["kafka"], ENROLLMENTS) if value]
    assert not any(b"king" in value for value in enrolled if pseudonym.encode() in value)
    others = [alert for alert in both.alerts[HEARTH] if alert.student == both.mover(HEARTH)]
    assert "not_shared" not in {alert.because for alert in others}
