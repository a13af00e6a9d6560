"""What is kept, in words that a parent reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, tzinfo
from typing import Final

from services.ingest.inspection.schemas import Erased, HeldMark, Seen
from services.platform.audit.entry import ALLOWED, FEED_OF_ENROLLMENTS, FEED_OF_MARKS, MAIL
from services.platform.sharing import ANY

NOT_KEPT: Final = "not kept"
_MONTHS: Final = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
_ABSENT: Final = {True: "absent, excused", False: "absent, not excused", None: "absent, not known to be excused"}
_STATUS: Final = {
    "present": "there",
    "tardy": "late",
    "early_departure": "left early",
    "partial": "there for a part of the day",
    "retracted": "nothing: what was said before is taken back",
}
LEVELS: Final = {
    "watch": "watch (somebody looks at the reasons)",
    "elevated": "elevated (a call to the family is planned)",
    "urgent": "urgent (the family is to be called at once)",
}
ALERT_STATUS: Final = {
    "open": "open",
    "cleared": "over, since attendance changed",
    "withdrawn": "withdrawn, since there is no reason for it any more",
    "closed": "closed by the people who worked on it",
}
STEPS: Final = {
    "AlertRaised": "The alert began, at the level",
    "AlertLevelChanged": "The level became",
    "AlertAmended": "The reasons changed, at the level",
    "AlertCleared": "The alert ended, from the level",
    "AlertWithdrawn": "The alert was withdrawn, from the level",
}
BECAUSE: Final = {
    "attendance": "because of the attendance that the school reported",
    "correction": "because the school corrected its records",
    "not_shared": "because the school is not shared any more",
}
ACTIONS: Final = {
    "taken": "Somebody took the case on",
    "snoozed": "Somebody put the case off",
    "contacted": "Somebody contacted the family",
    "closed": "Somebody closed the case",
    "assigned": "Somebody was given the case",
    "referred": "Somebody referred the family to",
    "referral_accepted": "The referral was accepted",
    "referral_declined": "The referral was declined",
    "referral_expired": "The referral was answered by nobody",
    "returned": "Nobody had the case any more",
    "undone": "Somebody took back what they had done before",
}
OUTCOMES: Final = {
    "homelessness_identified": "the family has no home of its own",
    "housing_crisis": "the family is about to lose its home",
    "helped": "the family was helped",
    "already_known": "the family was known already",
    "not_at_risk": "the family was not at risk",
    "unreachable": "the family could not be reached",
    "moved_away": "the family has moved away",
    "not_homeless": "the family has a home",
    "could_not_reach": "the family could not be reached",
    "other": "something else",
}
MAILS: Final = {"withdrawn": "withdrawn", "escalation": "nobody had taken it"}
"""Other mails say a level."""
MAIL_STATUS: Final = {
    "pending": "not sent yet",
    "sent": "sent",
    "failed": "could not be sent",
    "cancelled": "cancelled before it was sent",
}
ENDED: Final = {
    "withdrawn": "The consent was withdrawn",
    "expired": "The consent expired",
    "agreement_ended": "The agreement ended",
    "destroyed": "The record was destroyed",
}
STATES: Final = {
    None: "No consent of before counts again.",
    "complete": "All of it is gone, and every part of the system has confirmed it.",
    "pending": "It is being removed now; not every part of the system has confirmed it yet.",
    "held": "Nobody is shown anything any more. The removal waits until this inspection is closed.",
}
DECISIONS: Final = {"amended": "The record was corrected", "refused": "The record was left as it is"}
ENGAGEMENT: Final = "was shown whether attendance, behaviour and courses are on track"
KINDS: Final = {
    "attendance": "attendance",
    "demographics": "gender, race and ethnicity, English and special education",
    "programs": "programmes",
    "grades": "courses and grades",
    "assessments": "tests",
    "suspensions": "suspensions",
    "graduations": "graduation",
    "housing_status": "what became of a case",
}
"""The kinds of records of agreement and consents, as a parent calls them."""
_LEVELS: Final = {"dual": "for high school and college at once"}
_GRADUATION: Final = {
    "graduated": "graduated",
    "continuing": "still at school",
    "dropped_out": "left school without graduating",
    "transferred": "went to another school",
}
_UNKNOWN_CLASS: Final = "0"
_SEEN: Final = {
    "GET /v1/alerts": "was shown a list of alerts, with this student's in it",
    "GET /v1/alerts/{id}": "was shown an alert",
    "GET /v1/alerts/{alert_id}/actions": "was shown what was done about an alert",
    "GET /v1/students/{student}/year": "was shown a school year, day by day",
    "GET /v1/deliveries": "was shown which mails were sent",
    "GET /v1/cases": "was shown a list of cases",
    "GET /v1/cases/{id}": "was shown a case",
    "POST /v1/cases/{id}/actions": "noted what was done about a case",
    "POST /v1/alerts/{alert_id}/actions": "noted what was done about an alert",
    "GET /v1/students/{student}/window": "was shown the attendance and the figures made of it",
    "GET /v1/students/{student}/engagement": ENGAGEMENT,
    "GET /students/{student}/engagement": ENGAGEMENT,
    "engagement": ENGAGEMENT,
    "GET /v1/students/{student}/access": "was shown who may see, and who saw, the record",
    MAIL: "got a mail about a case, which names nobody",
    FEED_OF_MARKS: "received attendance",
    FEED_OF_ENROLLMENTS: "received enrollments",
    "audit export": "exported the list of those who saw the record",
    "withdraw": "withdrew the consent, and was shown what was removed with it",
    "erasure verify": "looked whether anything can still be read",
    "proofs": "was shown the proofs of what was removed",
    "inspection": "made a document such as this one",
    "correction": "kept a parent's statement, or a decision on one",
    "destruction": "destroyed what was kept",
}
_ROLES: Final = {
    "district": "a system of the school district",
    "steward": "the district's data steward",
    "caseworker": "a caseworker",
    "supervisor": "a supervisor",
    "lead": "the lead of the programme",
    "operator": "an operator of the system",
    "service": "the system itself",
}
FIGURES: Final = {
    "as_of": "As of",
    "enrolled_days": "School days that count",
    "absent_days": "Days absent",
    "absence_rate": "Share of days absent",
    "excused_days": "Of these excused",
    "unexcused_days": "Of these not excused",
    "tardy_days": "Days late",
    "early_departure_days": "Days left early",
    "partial_days": "Days there for a part",
    "current_streak": "Days absent in a row now",
    "longest_streak": "Most days absent in a row",
    "absences_5": "Absent of the last 5 days",
    "absences_10": "Absent of the last 10 days",
    "absences_20": "Absent of the last 20 days",
    "absences_45": "Absent of the last 45 days",
    "moves": "Changes of school",
    "shock_days": "Days on which much of the school was absent",
    "not_shared_days": "Days that are not shared",
}
"""The window's figures, in the order in which they are told."""


def kinds(given: Iterable[str]) -> str:
    """Kinds of records, one after the other."""
    return "; ".join(KINDS.get(one, one) for one in given)


def course_level(given: str) -> str:
    """The level of a course."""
    return _LEVELS.get(given, given)


def graduation(given: str) -> str:
    """What is known of the end of school."""
    return _GRADUATION.get(given, given)


def class_of(given: str) -> str:
    """The year of expected graduation."""
    return "not known" if given == _UNKNOWN_CLASS else given


class Plain:
    """Dates, schools and parties by the names that people know."""

    def __init__(self, zone: tzinfo, schools: Mapping[str, str], parties: Mapping[str, str]) -> None:
        self._zone = zone
        self._schools = schools
        self._parties = parties

    def moment(self, at: datetime) -> str:
        """Day and time in the district's timezone."""
        local = at.astimezone(self._zone)
        return f"{day(local.date())} at {local:%H:%M}"

    def school(self, school_id: str) -> str:
        """A school by its name."""
        return self._schools.get(school_id, school_id) or "a school that is not shared"

    def party(self, party_id: str) -> str:
        """A party of the agreement by its name."""
        return "everyone" if party_id == ANY else self._parties.get(party_id, party_id)

    def source(self, mark: HeldMark) -> str:
        """Where a mark comes from, and of when it is."""
        of_when = "" if mark.recorded_at is None else f", as of {self.moment(mark.recorded_at)}"
        if mark.source is None:
            return f"kept in the district's database{of_when}"
        how = "from a file that the district imported" if mark.source == "file" else "from a message of the school"
        taken = "" if mark.taken_at is None or mark.source == "file" else f", taken in {self.moment(mark.taken_at)}"
        return f"{how}{of_when}{taken}"

    def who(self, seen: Seen) -> str:
        """Who was shown something."""
        role = _ROLES.get(seen.role, seen.role)
        of_agency = "" if seen.agency is None else f" {'for' if seen.role == 'service' else 'of'} "
        named = "" if seen.role == "service" else f" ({seen.subject})"
        return f"{role}{of_agency}{'' if seen.agency is None else self.party(seen.agency)}{named}"

    def when(self, seen: Seen) -> str:
        """When, and how often."""
        if seen.times == 1:
            return self.moment(seen.first)
        return f"{seen.times:,} times, from {self.moment(seen.first)} to {self.moment(seen.last)}"


def day(given: date) -> str:
    """A date, for example 7 December 2016."""
    return f"{given.day} {_MONTHS[given.month - 1]} {given.year}"


def said(mark: HeldMark) -> str:
    """What a school said of a day."""
    return status(mark.status, excused=mark.excused)


def status(given: str | None, *, excused: bool | None) -> str:
    """A mark's status."""
    if given is None:
        return "something, of which only a check sum is kept"
    return _ABSENT[excused] if given == "absent" else _STATUS.get(given, given)


def did(seen: Seen) -> str:
    """What somebody was shown, or asked for in vain."""
    action = _SEEN.get(seen.action, seen.action)
    return action if seen.outcome == ALLOWED else f"asked and was refused, so nothing was shown: {action}"


def why_ended(erased: Erased) -> str:
    """What ended, for which records and purpose, and with effect from when."""
    of = f" ({kinds(erased.kinds)})" if erased.kinds else ""
    purpose = f", for the purpose {erased.kept_for}" if erased.kept_for else ""
    return f"{ENDED[erased.because]}{of}{purpose}, with effect from {day(erased.ended_on)}"
