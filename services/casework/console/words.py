"""The contract's values in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from services.casework.console.language import Language, marked
from services.casework.console.sentences import OF_MODEL, spoken

DASH: Final = "-"
"""Where there is nothing to say."""

Say = Callable[[str], str]


N_: Final = marked

STATES: Final[Mapping[str, str]] = {
    "new": N_("New"),
    "mine": N_("Mine"),
    "taken": N_("Taken"),
    "due": N_("Follow-up due"),
    "snoozed": N_("Snoozed"),
    "closed": N_("Closed"),
    "referred": N_("Referred to you"),
    "cleared": N_("Attendance recovered"),
    "withdrawn": N_("Withdrawn"),
}
ORDERS: Final[Mapping[str, str]] = {
    "newest": N_("Newest first"),
    "oldest": N_("Oldest first"),
    "level": N_("Highest level first"),
    "due": N_("Earliest due first"),
}
LEVELS: Final[Mapping[str, str]] = {"watch": N_("Watch"), "elevated": N_("Elevated"), "urgent": N_("Urgent")}
OUTCOMES: Final[Mapping[str, str]] = {
    "helped": N_("Helped"),
    "already_known": N_("Already known"),
    "not_at_risk": N_("Not at risk"),
    "unreachable": N_("Unreachable"),
    "moved_away": N_("Moved away"),
    "homelessness_identified": N_("Homelessness identified"),
    "housing_crisis": N_("Housing crisis"),
}
PAST_OUTCOMES: Final[Mapping[str, str]] = {
    "not_homeless": N_("Not homeless"),
    "could_not_reach": N_("Could not be reached"),
    "other": N_("Something else"),
}
"""Of before there were cases: read, and not chosen any more."""
HOUSING: Final = ("homelessness_identified", "housing_crisis")
DAYS: Final[Mapping[str, str]] = {
    "absent": N_("Absent"),
    "excused": N_("Absent, excused"),
    "tardy": N_("Tardy"),
    "early_departure": N_("Left early"),
    "present": N_("Present"),
    "no_data": N_("No data"),
    "not_shared": N_("Not shared"),
    "no_school": N_("No school"),
}
OF_SCHOOL: Final = N_("{share} of the school absent")
RESULTS: Final[Mapping[str, str]] = {
    "reached": N_("Reached"),
    "not_reached": N_("Not reached"),
    "left_message": N_("Left a message"),
}
KINDS: Final[Mapping[str, str]] = {
    "call": N_("Call"),
    "text": N_("Text message"),
    "email": N_("E-mail"),
    "letter": N_("Letter"),
    "visit": N_("Visit"),
    "other": N_("Another way"),
}
PLACES: Final[Mapping[str, str]] = {
    "crisis_intervention": N_("Crisis intervention"),
    "resources": N_("Resources"),
    "organizing_support": N_("Organizing support"),
    "mckinney_vento_liaison": N_("McKinney-Vento liaison"),
}
DELIVERIES: Final[Mapping[str, str]] = {
    "queued": N_("waits to be sent"),
    "sent": N_("sent"),
    "failed": N_("could not be sent"),
    "cancelled": N_("cancelled"),
}
PROOFS: Final[Mapping[str, str]] = {
    "complete": N_("complete"),
    "pending": N_("pending"),
    "held": N_("held while a parent inspects the record"),
}
UNKNOWN: Final = N_("unknown")
RETURNED: Final[Mapping[str, str]] = {
    "no_contact": N_("Back in the queue: it was taken, and nobody made contact within three school days."),
    "snooze_over": N_("The snooze is over."),
    "worse": N_("Awake again: it got worse."),
    "owner_away": N_("The snooze is over, and who had it is away."),
    "referral_declined": N_("The referral was declined."),
    "referral_expired": N_("Nobody answered the referral within five working days."),
    "reopened": N_("Open again: a new episode within 30 school days."),
}
DONE: Final[Mapping[str, str]] = {
    "take": N_("took the case"),
    "undo": N_("undid what was done before"),
    "assign": N_("assigned the case"),
    "contact": N_("logged a contact"),
    "refer": N_("referred the family"),
    "snooze": N_("snoozed the case"),
    "close": N_("closed the case"),
    "accept_referral": N_("accepted the referral"),
    "decline_referral": N_("declined the referral"),
    "AlertRaised": N_("Alert raised"),
    "AlertLevelChanged": N_("Level changed"),
    "AlertAmended": N_("Alert amended"),
    "AlertCleared": N_("Alert cleared"),
    "AlertWithdrawn": N_("Alert withdrawn"),
    "cleared": N_("Attendance recovered, and nobody had taken the case."),
    "withdrawn": N_("A correction of the school's records undid it."),
}
BECAUSE: Final[Mapping[str, str]] = {
    "attendance": N_("by attendance"),
    "correction": N_("by a correction of the school"),
    "not_shared": N_("no longer shared"),
}
ROLES: Final[Mapping[str, str]] = {
    "caseworker": N_("Caseworker"),
    "supervisor": N_("Supervisor"),
    "steward": N_("Data steward"),
    "operator": N_("Operator"),
    "lead": N_("Programme lead"),
    "district": N_("District"),
}
ALERT_STATUS: Final[Mapping[str, str]] = {
    "open": N_("in force"),
    "cleared": N_("cleared"),
    "withdrawn": N_("withdrawn"),
    "closed": N_("closed"),
}
REASON_KINDS: Final[tuple[str, ...]] = (
    N_("absences in a row"),
    N_("share of days missed this year"),
    N_("sudden change from the usual"),
    N_("absences in September"),
    N_("late arrivals"),
    N_("change of school and absences"),
    N_("two children of one household"),
    N_("pattern of attendance"),
)
SENTENCES: Final[tuple[str, ...]] = (
    N_("Absent {count} school days in a row without an excuse, {first} to {last}."),
    N_("Absent {count} of {days} enrolled days this year ({rate}): chronically absent."),
    N_("Absent {count} of {days} enrolled days this year ({rate}): severely chronically absent."),
    N_("Absent {count} of the last {days} days that count ({rate}), far above the student's own usual of {usual}."),
    N_("Absent {count} days in September without an excuse."),
    N_("Late {count} times in the last {days} school days."),
    N_("Changed school during the year and absent {count} of the last {days} school days without an excuse."),
    N_("Another child of the household turned within {days} days of this one."),
    N_("School days attended."),
    N_("A rate for the year below 10%."),
    N_("A rate for the year below 20%."),
    N_("Absence over ten days back near the student's usual."),
    N_("The end of October, when the year's rate has taken over."),
    N_("Fewer than five late arrivals in ten days."),
    N_("Fewer than two absences in ten days."),
    N_("The other child's alert clearing."),
    N_("{rate} of days, over the last {days} that count"),
)
"""Those of the policy that ships, by which its sentences are found again; those of another policy stay as they are."""
SAID: Final[Mapping[str, str]] = {
    "take": N_("You have the case now."),
    "undo": N_("Undone."),
    "assign": N_("Assigned."),
    "contact": N_("The contact is logged."),
    "refer": N_("Referred."),
    "snooze": N_("Snoozed."),
    "close": N_("The case is closed."),
    "accept_referral": N_("The referral is accepted."),
    "decline_referral": N_("The referral is declined."),
    "none": N_("Nothing was selected."),
    "some": N_("Done, but for some cases that have changed meanwhile: they are as they were."),
    "all": N_("Done."),
}
REFUSED: Final[Mapping[str, tuple[str, str]]] = {
    "another_role": (N_("Not for your role"), N_("This page is for people of another role.")),
    "nothing_here": (N_("Nothing here"), N_("There is no such page.")),
    "expired_form": (
        N_("Please send it again"),
        N_("The form was not of this session. Go back, reload and try again."),
    ),
    "no_agency": (N_("No agreement is in force"), N_("Without one no agency has caseworkers here.")),
    "session_ends": (N_("Sign in again"), N_("This session cannot be extended.")),
    "token_not_valid": (N_("Not signed in"), N_("The token is not valid, or not any more. Get another one.")),
    "keys_away": (N_("Not available now"), N_("The keys of the identity provider cannot be read; try again.")),
    "sign_in_again": (N_("Please sign in again"), N_("The sign-in took too long, or was begun elsewhere.")),
    "provider_refused": (N_("Not signed in"), N_("The identity provider did not sign you in.")),
    "provider_failed": (N_("Not signed in"), N_("Signing in by the identity provider did not work.")),
    "api_403": (N_("Not yours to do"), N_("You may not do this.")),
    "api_404": (N_("Not here"), N_("There is no such case, or it may not be shown any more.")),
    "api_409": (N_("Not possible now"), N_("Somebody else was quicker, or it has changed.")),
    "api_412": (N_("The case has changed"), N_("It has changed since you opened it: look at it again.")),
    "api_422": (N_("Something does not fit"), N_("What was sent cannot be. Go back and correct it.")),
    "api_429": (N_("Too many students"), N_("Nobody may look at so many students in an hour. Try again later.")),
    "api_503": (N_("Not available now"), N_("A part of First Bell does not answer; try again in a moment.")),
}


class Words:
    """What templates say in a language, beside their own text."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._say: Say = language.translations.gettext
        self.states = self._all(STATES)
        self.orders = self._all(ORDERS)
        self.levels = self._all(LEVELS)
        self.outcomes = self._all(OUTCOMES)
        self.days = self._all(DAYS)
        self._past_outcomes = self._all(PAST_OUTCOMES)
        self.results = self._all(RESULTS)
        self.kinds = self._all(KINDS)
        self.places = self._all(PLACES)
        self.deliveries = self._all(DELIVERIES)
        self.proofs = self._all(PROOFS)
        self.returned = self._all(RETURNED)
        self.done = self._all(DONE)
        self.because = self._all(BECAUSE)
        self.roles = self._all(ROLES)
        self.alert_status = self._all(ALERT_STATUS)

    def _all(self, texts: Mapping[str, str]) -> dict[str, str]:
        return {value: self._say(text) for value, text in texts.items()}

    def of(self, given: str) -> str:
        """A word of the policy that ships, in the language."""
        return self._say(given) if given in REASON_KINDS else given

    def reason(self, given: str) -> str:
        """A sentence of the policy or of the model that ships, in the language; another as it is."""
        return spoken(given, (*SENTENCES, *OF_MODEL), self._language)

    def outcome(self, given: str) -> str:
        """How a case ended."""
        return self.outcomes.get(given) or self._past_outcomes.get(given, given)

    def said(self, given: str | None) -> str:
        """What was done, for who did it."""
        return self._say(SAID[given]) if given is not None and given in SAID else ""

    def refused(self, why: str) -> tuple[str, str]:
        """Title and sentence of why something is not shown."""
        title, sentence = REFUSED.get(why, REFUSED["api_503"])
        return self._say(title), self._say(sentence)

    def of_school(self, rate: float) -> str:
        """What share of the school was absent."""
        return self._say(OF_SCHOOL).format(share=self.percent(rate))

    def month(self, given: date) -> str:
        """A month's short name."""
        return self._language.form(given, "LLL")

    def month_of_year(self, given: date) -> str:
        """A month and its year."""
        return self._language.form(given, "LLLL y")

    def day(self, given: str | date | None) -> str:
        """A date."""
        if given is None:
            return DASH
        return self._language.day(date.fromisoformat(given) if isinstance(given, str) else given)

    def moment(self, given: str | datetime | None) -> str:
        """A moment."""
        if given is None:
            return DASH
        return self._language.moment(datetime.fromisoformat(given) if isinstance(given, str) else given)

    def number(self, given: float | None) -> str:
        """A number."""
        return DASH if given is None else self._language.number(given)

    def known(self, given: float | None) -> str:
        """A number; where it is not known, that."""
        return self._say(UNKNOWN) if given is None else self._language.number(given)

    def percent(self, given: float | None) -> str:
        """A share, 0 to 1."""
        return DASH if given is None else self._language.percent(given)

    def get(self, name: str, given: Any) -> str:
        """A value of one of the lists of words; one that is not among them as it is."""
        found: Mapping[str, str] = getattr(self, name)
        return found.get(str(given), str(given))
