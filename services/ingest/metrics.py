"""What ingest counts for the operator; no label holds an id."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import Counter, Histogram

from services.ingest.rows.outcomes import NO_SCHOOL, OLDER, OUTSIDE, Outcome, tally

MARKS_TAKEN = Counter("firstbell_ingest_marks", "Marks taken in, by result", ["result"])
MARKS_IDLE = Counter("firstbell_ingest_marks_idle", "Accepted marks that count nowhere or change nothing", ["why"])
RECORDS_TAKEN = Counter("firstbell_ingest_records", "Records beside attendance, by file and result", ["file", "result"])
REJECTIONS = Counter("firstbell_ingest_rejections", "Rejected rows and entries, by field", ["field"])
CONSENT_CHANGES = Counter("firstbell_ingest_consent_changes", "Consents that began or ended", ["change"])
PUBLISH_SECONDS = Histogram(
    "firstbell_ingest_publish_seconds",
    "From the first record of a batch to Kafka's last acknowledgement",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)


_WHY = {OLDER: "older", OUTSIDE: "outside_enrollment", NO_SCHOOL: "not_instructional"}


def count_marks(outcomes: Iterable[Outcome]) -> None:
    """Add these results."""
    outcomes = list(outcomes)
    for outcome in outcomes:
        if outcome.warning is not None:
            MARKS_IDLE.labels(_WHY[outcome]).inc()
    for status, number in tally(outcomes).items():
        MARKS_TAKEN.labels(status).inc(number)


def count_records(file: str, outcomes: Iterable[Outcome]) -> None:
    """Add these results of rows of this file of the export set."""
    for status, number in tally(outcomes).items():
        RECORDS_TAKEN.labels(file, status).inc(number)
