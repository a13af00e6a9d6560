"""The page that a parent reads: its words, and that it is one file that everybody can read."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from lxml import html

from models.windows import Window
from services.ingest.inspection.schemas import HeldByIngest, HeldRecord
from services.ingest.rows.kinds import RECORD_TABLES
from services.inspection import words
from services.inspection.document import HeldWindow, InspectionDocument
from services.inspection.page import render
from services.inspection.records import TOLD
from services.notify.inspection import HeldByNotify
from services.platform.sharing import ATTENDANCE, OTHER_RECORDS
from tests.unit.inspection import samples
from tests.unit.inspection.samples import PSEUDONYM, document, feed, mark, seen

BOSTON = ZoneInfo("America/New_York")


def rendered(given: InspectionDocument | None = None) -> str:
    return render(given or document(), BOSTON)


def text_of(page: str) -> str:
    return " ".join(" ".join(html.document_fromstring(page).itertext()).split())


def rows(page: str, caption: str) -> list[list[str]]:
    """The cells of the table of this caption."""
    for table in html.document_fromstring(page).iter("table"):
        if table.findtext("caption") == caption:
            return [["".join(cell.itertext()) for cell in row] for row in table.find("tbody").iter("tr")]
    raise AssertionError(f"no table {caption}")


def with_ingest(**more: object) -> InspectionDocument:
    given = document()
    return given.model_copy(update={"ingest": given.ingest.model_copy(update=more)})


def test_what_the_school_said_is_told_in_words_with_source_and_date() -> None:
    assert rows(rendered(), "Attendance, as the school reported it") == [
        [
            "On 7 December 2016",
            "Dearborn STEM Academy said: absent, not excused",
            "the whole day",
            "from a file that the district imported, as of 8 December 2016 at 07:10",
            "counts",
        ],
        [
            "On 7 December 2016",
            "Dearborn STEM Academy said: there",
            "the whole day",
            "from a message of the school, as of 8 December 2016 at 07:10, taken in 8 December 2016 at 07:10",
            "replaced by what was said later",
        ],
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (mark("absent", excused=True), "absent, excused"),
        (mark("absent", excused=None), "absent, not known to be excused"),
        (mark("tardy"), "late"),
        (mark("early_departure"), "left early"),
        (mark("partial"), "there for a part of the day"),
        (mark("retracted"), "nothing: what was said before is taken back"),
        (mark(None), "something, of which only a check sum is kept"),
    ],
)
def test_every_mark_has_its_words(given: samples.HeldMark, said: str) -> None:
    page = rendered(with_ingest(feeds=[feed(marks=[given])]))
    assert rows(page, "Attendance, as the school reported it")[0][1] == f"Dearborn STEM Academy said: {said}"


def test_who_saw_it_is_named_with_what_and_when() -> None:
    passed_on = seen(role="service", subject="ingest", action="feed of marks", times=41, last=samples.MOMENT)
    page = rendered(with_ingest(seen=[*document().ingest.seen, passed_on]))
    assert rows(page, "Everyone who was shown something of this student") == [
        [
            "8 December 2016 at 07:10",
            "a caseworker of Project Hope (maria)",
            "was shown the attendance and the figures made of it",
            "for homelessness-prevention under DSA-2016/1",
        ],
        [
            "8 December 2016 at 07:10",
            "a supervisor of Project Hope (jo)",
            "asked and was refused, so nothing was shown: was shown the attendance and the figures made of it",
            "for homelessness-prevention under DSA-2016/1",
        ],
        [
            "41 times, from 8 December 2016 at 07:10 to 8 December 2016 at 07:10",
            "the system itself for Project Hope",
            "received attendance",
            "for homelessness-prevention under DSA-2016/1",
        ],
    ]


def test_alerts_are_told_with_reasons_and_how_the_case_ended() -> None:
    page = rendered()
    assert rows(page, "Reasons") == [
        ["Absent 5 school days in a row.", "7 December 2016", "1 absence in 20 days", "Two days attended in a row."]
    ]
    assert rows(page, "What happened") == [
        [
            "7 December 2016",
            "The alert began, at the level elevated, because of the attendance that the school reported",
        ],
        [
            "9 December 2016",
            "Somebody closed the case: the family has a home (noted 8 December 2016 at 07:10)",
        ],
    ]


def test_statements_mails_figures_consents_and_what_was_removed_are_told() -> None:
    page = rendered()
    assert rows(page, "Requests to correct the record (34 CFR 99.20)") == [
        ["12 December 2016 (number 12)", "7 December 2016", "She was at the doctor's.", "not decided yet"]
    ]
    assert [row[1] for row in rows(page, "Mails, which name no student, and what each team was told")] == [
        "maria@hope.example",
        "team dudley",
    ]
    assert rows(page, "Consents, as the district handed them in")[0][:4] == [
        "1 September 2016",
        "A Guardian, parent, paper",
        "attendance for homelessness-prevention",
        "Project Hope",
    ]
    assert rows(page, "Consents that ended, and what was removed with each")[0][1:4] == [
        "The consent was withdrawn (attendance), with effect from 7 December 2016, for Project Hope; done by district",
        "casework.alerts: 2; ingest.taken: 41",
        "All of it is gone, and every part of the system has confirmed it.",
    ]
    text = text_of(page)
    for told in (
        "Share of days absent 14%",
        "a household key, " + "h" * 22,
        "0.31 of 1",
        "trained on made-up students",
    ):
        assert told in text


def test_every_figure_of_a_window_has_its_words() -> None:
    assert set(words.FIGURES) == {"as_of", *(field.name for field in fields(Window))}


def test_it_says_when_the_record_must_be_shown() -> None:
    assert "To be shown by 21 January 2017, which is 45 days after it was asked for" in text_of(rendered())


def test_a_worker_that_is_away_is_said() -> None:
    text = text_of(rendered(document(windows={PSEUDONYM: HeldWindow(state="away")})))
    assert "Warning. The part of the system that counts did not answer" in text
    assert "Nothing is counted." in text_of(rendered(document(windows={PSEUDONYM: HeldWindow(state="none")})))


def test_of_a_withdrawn_child_the_proof_and_the_looks_are_told() -> None:
    given = document(windows={}, alerts=[], notify=HeldByNotify(notices=[], mails=[]))
    page = rendered(given.model_copy(update={"ingest": given.ingest.model_copy(update={"feeds": []})}))
    text = text_of(page)
    assert "Nothing is held about this student any more." in text
    assert "a caseworker of Project Hope (maria)" in text
    assert str(samples.ID) in text


def test_of_an_erased_alert_it_is_told_that_there_was_one() -> None:
    bare = {"student": samples.EARLIER, "level": None, "school": None, "reasons": [], "steps": [], "actions": []}
    text = text_of(rendered(document(alerts=[samples.ALERT.model_copy(update=bare)])))
    assert "Case FB-7K3Q-2MXA, of 7 December 2016 That there was an alert is all that is kept of it." in text


def test_what_is_kept_in_other_forms_has_no_alerts() -> None:
    page = rendered(with_ingest(feeds=[feed(kept_for="program-evaluation", has_key=False)]))
    assert "What is kept for Project Hope: program-evaluation" in text_of(page)
    assert "What is counted from it now" not in page


def record(file: str, *, until: datetime | None = None, **says: bool | str | None) -> HeldRecord:
    empty = dict.fromkeys(RECORD_TABLES[file].fields)
    given = {"file": file, "says": empty | says, "first": None, "last": None, "said_at": samples.MOMENT, "until": until}
    return HeldRecord.model_validate(given)


RECORDS = {
    "demographics": record("demographics", gender="Female", english_learner=True, special_education=False),
    "programs": record("programs", program="Tutoring", entry_date="2016-12-06"),
    "eligibility": record("eligibility", program="Tutoring", from_date="2016-11-01", reason="grade 7"),
    "courses": record("courses", course="M7", title="Math 7", subject="Mathematics", level="dual", term="T1"),
    "grades": record("grades", course="M7", term="T1", grade="B+", credits="1"),
    "assessments": record("assessments", assessment="MCAS Math", date="2016-12-06", scale_score="240"),
    "suspensions": record("suspensions", date="2016-12-06", action="", days_out="0.5", in_school=True),
    "graduations": record("graduations", cohort_year="0", status="continuing"),
}
CELLS = {
    "demographics": ["Female", "-", "yes", "no"],
    "programs": ["Tutoring", "6 December 2016", "-"],
    "eligibility": ["Tutoring", "1 November 2016", "-", "grade 7"],
    "courses": ["M7", "Math 7", "Mathematics", "for high school and college at once", "T1", "-", "-"],
    "grades": ["M7", "T1", "B+", "1"],
    "assessments": ["MCAS Math", "6 December 2016", "240", "-"],
    "suspensions": ["6 December 2016", "0.5", "yes", "-"],
    "graduations": ["not known", "still at school", "-"],
}


@pytest.mark.parametrize("file", RECORD_TABLES)
def test_each_kind_has_a_section_that_says_for_whom_and_what_it_is(file: str) -> None:
    kind = RECORD_TABLES[file].kind
    kept = feed(kind=kind, kept_for="program-evaluation", marks=[], has_key=False, records=[RECORDS[file]])
    page = rendered(with_ingest(feeds=[kept]))
    assert f"What is kept for Project Hope: {words.KINDS[kind]}, for program-evaluation" in text_of(page)
    (row,) = rows(page, captions(page, "As of when")[-1 if file in {"eligibility", "grades"} else 0])
    assert row == [*CELLS[file], "8 December 2016 at 07:10", "counts"]
    assert f"{kind}:" not in text_of(page)
    assert "What the school said of each day" not in page


def captions(page: str, column: str) -> list[str | None]:
    """The captions of the tables with a column of this title."""
    found = html.document_fromstring(page).iter("table")
    return [one.findtext("caption") for one in found if column in [cell.text for cell in one.iter("th")]]


def test_every_file_and_field_that_is_kept_is_told() -> None:
    assert TOLD.keys() == RECORD_TABLES.keys()
    assert words.KINDS.keys() >= {ATTENDANCE, *OTHER_RECORDS}
    for name, table in RECORD_TABLES.items():
        assert {column.field for column in TOLD[name].columns} == set(table.fields), name


def test_what_was_corrected_stands_beside_what_replaced_it() -> None:
    before = record("grades", until=samples.MOMENT, course="M7", term="T1", grade="F")
    kept = feed(kind="grades", kept_for="program-evaluation", marks=[], records=[before, RECORDS["grades"]])
    told = rows(rendered(with_ingest(feeds=[kept])), "Grades in courses")
    assert [(row[2], row[-1]) for row in told] == [
        ("F", "corrected or taken back 8 December 2016 at 07:10"),
        ("B+", "counts"),
    ]


def test_a_kind_of_which_nothing_was_said_is_told_as_empty() -> None:
    page = rendered(with_ingest(feeds=[feed(kind="suspensions", kept_for="program-evaluation", marks=[])]))
    assert "Suspensions None is kept." in text_of(page)


def test_withdrawals_are_told_by_kind_and_purpose() -> None:
    gone = samples.erased().model_copy(update={"kinds": ["grades"], "kept_for": "program-evaluation"})
    told = rows(rendered(with_ingest(erased=[gone])), "Consents that ended, and what was removed with each")
    assert told[0][1].startswith("The consent was withdrawn (courses and grades), for the purpose program-evaluation,")


def test_everything_that_was_given_is_escaped() -> None:
    page = rendered()
    assert "Planted &lt;b&gt; Child &amp; Co" in page
    hostile = feed(first_name="</style><script>alert(1)</script>", marks=[mark(section="<img src=x>")])
    page = rendered(with_ingest(feeds=[hostile]))
    assert "<script" not in page
    assert "<img" not in page


def test_it_is_one_file_that_loads_nothing_and_can_be_read_by_all() -> None:
    page = rendered()
    tree = html.document_fromstring(page)
    assert tree.get("lang") == "en"
    assert "default-src 'none'" in page
    assert not tree.xpath("//script | //link | //img | //iframe | //*[@src] | //*[@style]")
    assert all(link.get("href", "").startswith("#") for link in tree.iter("a"))
    assert {link.get("href") for link in tree.iter("a")} == {f"#{part.get('id')}" for part in tree.iter("section")}
    levels = [int(heading.tag[1]) for heading in tree.xpath("//h1 | //h2 | //h3 | //h4")]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for table in tree.iter("table"):
        assert table.findtext("caption")
        assert len({len(row) for row in table.iter("tr")}) == 1
        assert all(cell.get("scope") for cell in table.iter("th"))
    assert len(set(tree.xpath("//@id"))) == len(tree.xpath("//@id"))
    assert re.search(r"@media print", page)


def test_the_document_survives_json() -> None:
    given = document()
    assert InspectionDocument.model_validate_json(given.model_dump_json()) == given
    assert HeldByIngest.model_validate_json(given.ingest.model_dump_json()).pseudonyms == [PSEUDONYM, samples.EARLIER]
