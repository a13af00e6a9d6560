"""What `firstbell pull` tells people, and writes as JSON."""

from __future__ import annotations

import pytest

from services.cli.pull import describe, is_root
from services.ingest.formats.base import Rejection
from services.ingest.pull.report import PullReport


def report() -> PullReport:
    found = PullReport(seconds=1.25)
    found.resources["schools"].change_version = 7
    counts = found.resources["grades"]
    counts.read, counts.upserted, counts.deleted, counts.rejected, counts.change_version = 1_200, 1_100, 2, 1, 7
    found.not_consented["unknown_student"] = 99
    found.rejections.extend([Rejection("grades", 3, "grade", "grade: expected a letter")])
    found.note("Not read: courses: the client has no right to it (403).")
    found.note("Not read: courses: the client has no right to it (403).")
    return found


def test_people_are_told_what_was_taken_and_what_was_not() -> None:
    assert list(describe(report())) == [
        "Pulled in 1.2 seconds:",
        "  grades: 1,200 read, 1,100 taken, 2 deleted, 1 rejected",
        "  not consented by reason: 99 unknown student. After new consents, pull once with --anew.",
        "  grades: grade: expected a letter (1 rows)",
        "Note: Not read: courses: the client has no right to it (403).",
    ]
    assert list(describe(PullReport())) == ["Pulled in 0.0 seconds:", "  nothing has changed"]


def test_the_document_has_each_resource_with_the_same_counts() -> None:
    nothing = dict.fromkeys(("read", "upserted", "deleted", "key_changed", "rejected"), 0)
    grades = {"read": 1_200, "upserted": 1_100, "deleted": 2, "rejected": 1}
    assert report().document() == {
        "resources": {
            "schools": {**nothing, "change_version": 7},
            "grades": {**nothing, **grades, "change_version": 7},
        },
        "seconds": 1.25,
    }


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("https://ods.example.org/api", True),
        ("http://127.0.0.1:8001", True),
        ("http://[::1]:8001/api", True),
        ("http://[", False),
        ("http://", False),
        ("http://ods.example.org:99999/", False),
        ("https://key:secret@ods.example.org/", False),
        ("https://ods.example.org/?token=1", False),
        ("ftp://ods.example.org/", False),
    ],
)
def test_an_address_that_nothing_can_be_asked_of_is_wrong_usage(url: str, root: bool) -> None:
    assert is_root(url) is root
