"""The page that a parent reads: its words, and that it is one file that everybody can read."""

from __future__ import annotations

import re
from dataclasses import fields
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from lxml import html

from models.windows import Window
from services.ingest.inspection.schemas import HeldByIngest
from services.inspection import words
from services.inspection.document import HeldWindow, InspectionDocument
from services.inspection.page import render
from services.notify.inspection import HeldByNotify
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
        "The consent was withdrawn, with effect from 7 December 2016, for Project Hope; done by district",
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
