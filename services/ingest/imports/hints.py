"""Why rows were not consented or out of scope, and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from services.ingest.rows.kinds import RECORD_TABLES
from services.ingest.rows.outcomes import WhyNot
from services.platform.sharing import ATTENDANCE

_WORDS: Final[dict[WhyNot, str]] = {
    "unknown_student": "of students whom no such consent names",
    "agreement": "under another agreement",
    "records": "of other kinds of records alone",
    "purpose": "for another purpose",
    "recipient": "for other recipients",
    "not_yet": "before the consent",
    "ended": "after the consent",
    "withdrawn": "withdrawn",
}
_HINTS: Final[dict[WhyNot, str]] = {
    "unknown_student": "No consent to {kind} names these students: compare the ids of the files, and see `records` in "
    "the consents.",
    "agreement": "Their consents name another agreement: see `firstbell agreement show`.",
    "records": "Their consents do not cover {kind}: see `records` in the consents.",
    "purpose": "Their consents are for another purpose: see `purpose` and `firstbell agreement show`.",
    "recipient": "Their consents name other recipients: see `recipients` and `firstbell agreement show`.",
    "not_yet": "The dates are before the consents were signed.",
    "ended": "The dates are after the consents expired.",
    "withdrawn": "The consents were withdrawn.",
}
"""What to look at, by the commonest reason."""


def not_consented(file: str, why: Counter[WhyNot]) -> str:
    """How many rows of a file, and of which kind of records, for which reasons, and what to look at."""
    told = ", ".join(f"{number:,} {_WORDS[one]}" for one, number in why.most_common())
    ((commonest, _),) = why.most_common(1)
    kind = RECORD_TABLES[file].kind if file in RECORD_TABLES else ATTENDANCE
    return f"{file}: {why.total():,} rows are not consented ({told}). {_HINTS[commonest].format(kind=kind)}"


def out_of_scope(file: str, why: Counter[str]) -> Iterator[str]:
    """How many rows of a table of records, and why, a sentence each."""
    for reason, number in why.most_common():
        yield f"{file}: {number:,} rows are out of scope. {reason}; `firstbell agreement show` says what it shares."
