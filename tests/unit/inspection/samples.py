"""A student of whom every service holds something."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

from services.casework.inspection import HeldAction, HeldAlert, HeldNote, HeldStep
from services.contracts.alerts import Reason
from services.ingest.inspection.schemas import (
    Erased,
    HeldByIngest,
    HeldConsent,
    HeldEnrollment,
    HeldFeed,
    HeldMark,
    HeldStatement,
    Seen,
)
from services.ingest.proofs.schemas import Proof
from services.inspection.document import HeldWindow, InspectionDocument, OpenedInspection
from services.notify.inspection import HeldByNotify, HeldMail, HeldNotice

PSEUDONYM, EARLIER = "p" * 22, "e" * 22
DAY = date(2016, 12, 7)
MOMENT = datetime(2016, 12, 8, 12, 10, tzinfo=UTC)
"""07:10 in Boston."""
ID = UUID(int=7)


def mark(status: str | None = "absent", **more: object) -> HeldMark:
    given: dict[str, object] = {
        "date": DAY,
        "school": "dearborn",
        "section": "",
        "status": status,
        "excused": False if status == "absent" else None,
        "recorded_at": MOMENT,
        "taken_at": MOMENT,
        "source": "file",
        "stands": True,
    }
    return HeldMark.model_validate(given | more)


def feed(**more: object) -> HeldFeed:
    given: dict[str, object] = {
        "pseudonym": PSEUDONYM,
        "party": "project-hope",
        "kind": "attendance",
        "kept_for": "",
        "records": [],
        "student_id": "D-100017",
        "first_name": "Planted <b>",
        "last_name": "Child & Co",
        "grade": "7",
        "household": "h" * 22,
        "slot": 12,
        "adult_on": None,
        "consent_from": DAY,
        "consent_through": None,
        "has_key": True,
        "events": 3,
        "consents": [
            HeldConsent(
                agreement="DSA-2016",
                signed_on=date(2016, 9, 1),
                signed_by="A Guardian",
                relationship="parent",
                method="paper",
                records=["attendance"],
                purpose="homelessness-prevention",
                recipients=["project-hope"],
                expires_on=date(2017, 6, 30),
                revoked_on=None,
            )
        ],
        "enrollments": [HeldEnrollment(school="dearborn", entry_date=date(2016, 9, 6), exit_date=None)],
        "marks": [mark(), mark("present", source="message", stands=False)],
        "statements": [
            HeldStatement(
                number=12,
                about=DAY,
                statement="She was at the doctor's.",
                asked_on=date(2016, 12, 12),
                decided_on=None,
                decision=None,
                note=None,
            )
        ],
    }
    return HeldFeed.model_validate(given | more)


def seen(**more: object) -> Seen:
    given: dict[str, object] = {
        "first": MOMENT,
        "last": MOMENT,
        "times": 1,
        "subject": "maria",
        "role": "caseworker",
        "agency": "project-hope",
        "action": "GET /v1/students/{student}/window",
        "purpose": "homelessness-prevention",
        "agreement": "DSA-2016/1",
        "outcome": "allowed",
    }
    return Seen.model_validate(given | more)


def erased(state: str = "complete") -> Erased:
    proof = Proof.model_validate(
        {
            "id": ID,
            "pseudonym": EARLIER,
            "by": "district",
            "at": MOMENT,
            "removed": {"casework.alerts": 2, "ingest.taken": 41},
            "confirmed": {},
            "state": state,
        }
    )
    return Erased(
        id=ID,
        pseudonym=EARLIER,
        agreement="DSA-2016",
        party="project-hope",
        kinds=["attendance"],
        kept_for="",
        because="withdrawn",
        ended_on=DAY,
        at=MOMENT,
        by="district",
        proof=proof,
    )


ALERT = HeldAlert(
    id=ID,
    case_number="FB-7K3Q-2MXA",
    student=PSEUDONYM,
    agency="project-hope",
    school="dearborn",
    level="elevated",
    status="closed",
    raised_on=DAY,
    updated_at=MOMENT,
    reasons=[
        Reason(
            rule="streak-5",
            kind="absences in a row",
            level="elevated",
            text="Absent 5 school days in a row.",
            dates=[DAY],
            usual="1 absence in 20 days",
            clears="Two days attended in a row.",
        )
    ],
    steps=[HeldStep(type="AlertRaised", level="elevated", changed_on=DAY, because="attendance", caused_at=MOMENT)],
    actions=[HeldAction(action="closed", outcome="not_homeless", on=date(2016, 12, 9), at=MOMENT)],
    notes=[HeldNote(on=date(2016, 12, 9), at=MOMENT, text="Spoke with an aunt.")],
)
NOTIFY = HeldByNotify(
    notices=[
        HeldNotice(
            case_number="FB-7K3Q-2MXA",
            student=PSEUDONYM,
            team="dudley",
            level="elevated",
            kinds=["absences in a row"],
            changed_on=DAY,
            is_open=False,
            last_told="elevated",
        )
    ],
    mails=[
        HeldMail(
            case_number="FB-7K3Q-2MXA",
            student=PSEUDONYM,
            recipient="maria@hope.example",
            kind="level",
            level="elevated",
            kinds=["absences in a row"],
            changed_on=DAY,
            status="sent",
            reason=None,
            created_at=MOMENT,
            sent_at=MOMENT,
        )
    ],
)
WINDOW = HeldWindow(
    state="held",
    document={
        "as_of": "2016-12-09",
        "absence_rate": 0.145,
        "absent_days": 9,
        "risk": {"score": 0.31, "model": "default", "simulated": True},
        "marks": [{"date": "2016-12-07", "status": "absent", "excused": False, "school_id": "dearborn"}],
    },
)


def document(**more: object) -> InspectionDocument:
    held = HeldByIngest(
        feeds=[feed()],
        erased=[erased()],
        seen=[seen(), seen(outcome="denied 404", role="supervisor", subject="jo")],
        schools={"dearborn": "Dearborn STEM Academy"},
        parties={"project-hope": "Project Hope"},
    )
    given = InspectionDocument(
        student_id="D-100017",
        made_at=MOMENT,
        made_by="cli:steward",
        inspection=OpenedInspection(id=3, opened_on=DAY, due_on=date(2017, 1, 21)),
        ingest=held,
        alerts=[ALERT],
        notify=NOTIFY,
        windows={PSEUDONYM: WINDOW},
    )
    return given.model_copy(update=more)
