"""What is kept of the last event told, and told again."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from services.contracts.alerts import AlertEvent, Reason
from services.contracts.ids import Pseudonym
from services.warning.lifecycle import EmittedAlert, Subject, emit

ALERT, DAY = UUID(int=7), date(2016, 12, 5)
RAISED = AlertEvent(
    type="AlertRaised",
    event_id=uuid4(),
    alert_id=ALERT,
    seq=1,
    student="ann",
    household="home",
    school_id="0455",
    level="elevated",
    raised_on=DAY,
    changed_on=DAY,
    reasons=[
        Reason(rule="streak_5", kind="absences in a row", level="elevated", text="Absent.", dates=[DAY], clears="-")
    ],
    caused_at=datetime(2016, 12, 5, tzinfo=UTC),
)
STORED = "78bb64743004434b6f26a6a6583c899ad80ccdc029da1433b121c920125b6c2d00ddf91d23"
SUBJECT = Subject(Pseudonym("ann"), "home", "0456", datetime(2016, 12, 9, tzinfo=UTC))


def emitted(last: bytes) -> EmittedAlert:
    return EmittedAlert(str(ALERT), 1, [(DAY.toordinal(), 2, 0)], None, False, last)


def test_what_was_deflated_with_the_dictionary_stays_readable() -> None:
    """The bytes are of the release that first stored any: a dictionary of other bytes refuses them."""
    event = {
        "school_id": "0455",
        "level": "watch",
        "raised_on": "2016-12-05",
        "changed_on": "2016-12-05",
        "reasons": [],
    }
    stored = bytes.fromhex(STORED)
    (withdrawn,) = emit([emitted(stored)], [], SUBJECT)
    assert withdrawn.model_dump(mode="json", include=set(event)) == event
