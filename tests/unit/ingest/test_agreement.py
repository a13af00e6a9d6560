"""The agreement's document: what is wrong with a file is said with line and field, all at once; what it covers."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from services.contracts.reference import EnrollmentSpan
from services.ingest.agreement.document import Agreement, assumed, covers
from services.ingest.agreement.folder import agreement_of
from services.ingest.agreement.reading import AgreementError, load_agreement
from services.ingest.agreement.spans import in_scope
from services.ingest.formats import open_sources

PILOT = Path(__file__).resolve().parents[3] / "deploy" / "agreement.toml"
TEXT = PILOT.read_text(encoding="utf-8")


def written(folder: Path, text: str) -> Path:
    path = folder / "agreement.toml"
    path.write_text(text, encoding="utf-8")
    return path


def wrong(folder: Path, text: str) -> list[tuple[str, str]]:
    """The lines' texts and fields of all that is wrong."""
    path = written(folder, text)
    with pytest.raises(AgreementError) as raised:
        load_agreement(path)
    lines = text.splitlines()
    said = str(raised.value).splitlines()
    assert len(said) == len(raised.value.wrong)
    assert all(line.startswith(f"{path}:") for line in said)
    return [(lines[one.line - 1].split("#")[0].strip(), one.field) for one in raised.value.wrong]


def test_the_pilots_agreement_names_its_schools_and_who_gets_what() -> None:
    agreement = load_agreement(PILOT)
    (feed,) = agreement.feeds()
    assert (feed.agency, feed.purpose) == ("project-hope", "homelessness-prevention")
    assert feed.schools == {"dearborn", "orchard-gardens", "winthrop"}
    assert {len(one.schools) for one in agreement.disclosure} == {3, 6}


def test_what_does_not_flow_is_kept_for_each_party_and_purpose() -> None:
    agreement = load_agreement(PILOT)
    live, kept = agreement.attendance_feeds()
    assert (live.live, str(live.id), kept.live, str(kept.id)) == (
        True,
        "project-hope",
        False,
        "dsni/program-evaluation",
    )
    assert len(kept.schools) == 6
    aggregate = agreement.disclosure[1].model_copy(update={"form": "aggregate", "schools": ("more",)})
    grades = agreement.disclosure[1].model_copy(update={"records": ("grades",), "schools": ("others",)})
    wider = agreement.model_copy(update={"disclosure": (*agreement.disclosure, aggregate, grades)})
    assert [one.schools - kept.schools for one in wider.attendance_feeds()[1:]] == [{"more"}]
    assert [(str(one.id), one.live, one.id.kind, one.id.purpose) for one in wider.record_feeds("grades")] == [
        ("dsni/grades:program-evaluation", False, "grades", "program-evaluation")
    ]
    assert {one.kind for one in agreement.all_feeds()} == {"attendance", "demographics", "programs"}


def test_comments_and_order_are_no_other_document(tmp_path: Path) -> None:
    other = written(tmp_path, "small_cell = 10\n" + TEXT.replace("small_cell = 10 ", "# "))
    assert load_agreement(other).digest == load_agreement(PILOT).digest
    changed = written(tmp_path, TEXT.replace("small_cell = 10", "small_cell = 11"))
    assert load_agreement(changed).digest != load_agreement(PILOT).digest


def test_everything_that_is_wrong_is_said_at_once_with_line_and_field(tmp_path: Path) -> None:
    text = (
        TEXT.replace("version = 1 ", "version = 0 ")
        .replace("destroy_by = 2018-12-31", "destroy_by = 2018-01-01")
        .replace('role = "lead"', 'role = "friend"')
        .replace('to = "dsni"', 'to = "nobody"')
        .replace('form = "live"', 'form = "live"\ncolour = "red"')
        .replace('"attendance", "contact", "housing_status"', '"contact", "contact"')
    )
    assert wrong(tmp_path, text) == [
        ("version = 0", "version"),
        ("destroy_by = 2018-01-01", "destroy_by"),
        ('role = "friend"', "party 2 role"),
        ('records = ["contact", "contact"]', "disclosure 1 records"),
        ('records = ["contact", "contact"]', "disclosure 1 records"),
        ('colour = "red"', "disclosure 1 colour"),
        ('to = "nobody"', "disclosure 2 to"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('id = "DSA-2016"', 'id = "*"', "id"),
        ('id = "dsni"', 'id = "bps"', "party 2 id"),
        ('role = "agency"', 'role = "lead"', "disclosure 1 form"),
        ('form = "student"', 'form = "live"', "disclosure 2 form"),
        ("expires_on = 2018-06-30", "expires_on = 2016-06-30", "expires_on"),
        ('"winthrop"]   #', '"dearborn"]   #', "disclosure 1 schools"),
        ('"winthrop"]   #', '"*"]   #', "disclosure 1 schools"),
        ("effective_on = 2016-12-05", 'effective_on = "soon"', "effective_on"),
    ],
)
def test_what_cannot_be_is_named(tmp_path: Path, old: str, new: str, field: str) -> None:
    assert old in TEXT
    assert field in [name for _, name in wrong(tmp_path, TEXT.replace(old, new))]


def test_a_missing_field_is_looked_for_in_its_table(tmp_path: Path) -> None:
    assert ("[[party]]", "party 1 name") in wrong(tmp_path, TEXT.replace('name = "Boston Public Schools"\n', ""))


def test_what_is_no_toml_is_said_with_its_line(tmp_path: Path) -> None:
    assert wrong(tmp_path, TEXT.replace("version = 1 ", "version 1 ")) == [("version 1", "")]
    (tmp_path / "latin.toml").write_bytes(b'id = "\xff"\n')
    with pytest.raises(AgreementError, match="UTF-8"):
        load_agreement(tmp_path / "latin.toml")


def test_a_feed_has_its_schools_within_the_term() -> None:
    agreement = load_agreement(PILOT)
    (feed,) = agreement.feeds()
    assert covers(agreement, feed, "dearborn", date(2016, 12, 5))
    assert covers(agreement, feed, "dearborn", date(2018, 6, 30))
    assert not covers(agreement, feed, "dearborn", date(2016, 12, 4))
    assert not covers(agreement, feed, "dearborn", date(2018, 7, 1))
    assert not covers(agreement, feed, "burke", date(2016, 12, 5))


def test_an_agency_learns_of_an_enrollment_elsewhere_only_when_it_was() -> None:
    agreement = load_agreement(PILOT)
    (feed,) = agreement.feeds()
    here = EnrollmentSpan(school_id="dearborn", entry_date=date(2016, 9, 8), calendar="track b")
    away = EnrollmentSpan(school_id="burke", entry_date=date(2017, 2, 1), exit_date=date(2017, 3, 1), calendar="c")
    assert in_scope(agreement, feed, [here]) == [
        EnrollmentSpan(
            school_id="dearborn", entry_date=date(2016, 12, 5), exit_date=date(2018, 6, 30), calendar="track b"
        )
    ]
    assert in_scope(agreement, feed, [away]) == [
        EnrollmentSpan(school_id="", entry_date=date(2017, 2, 1), exit_date=date(2017, 3, 1), shared=False)
    ]
    over = EnrollmentSpan(school_id="dearborn", entry_date=date(2016, 9, 8), exit_date=date(2016, 12, 2))
    assert in_scope(agreement, feed, [over]) == []


def test_a_span_that_is_cut_or_masked_wins_over_no_other() -> None:
    agreement = load_agreement(PILOT)
    (feed,) = agreement.feeds()
    never_closed = EnrollmentSpan(school_id="dearborn", entry_date=date(2016, 9, 1))
    later = EnrollmentSpan(school_id="winthrop", entry_date=date(2016, 10, 1), exit_date=date(2018, 6, 1))
    assert in_scope(agreement, feed, [never_closed, later]) == [
        EnrollmentSpan(school_id="winthrop", entry_date=date(2016, 12, 5), exit_date=date(2018, 6, 1)),
        EnrollmentSpan(school_id="dearborn", entry_date=date(2018, 6, 2), exit_date=date(2018, 6, 30)),
    ]


def test_what_is_assumed_covers_all_and_is_kept_as_it_is() -> None:
    agreement = assumed("project-hope", "homelessness-prevention")
    (feed,) = agreement.feeds()
    assert covers(agreement, feed, "any", date(1999, 1, 1))
    assert Agreement.model_validate_json(agreement.model_dump_json()) == agreement


def test_a_folder_has_one_agreement_or_it_is_assumed_and_said(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        (folder / "schools.csv").write_text("school_id,name\nburke,Burke\n", encoding="utf-8")
    assert "There is no agreement.toml: assumed" in agreement_of(open_sources([one])).note
    written(one, TEXT)
    source = open_sources([one, other])
    assert agreement_of(source).agreement == load_agreement(PILOT)
    assert source.not_read == []
    written(other, TEXT.replace("version = 1 ", "version = 2 "))
    with pytest.raises(AgreementError, match="the same agreement"):
        agreement_of(open_sources([one, other]))
