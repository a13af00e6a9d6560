"""A student as the worker keeps one, beside the columns of the school year."""

from __future__ import annotations

from models.attendance import DayMarks
from models.engine.episodes import Turn
from models.engine.levels import LevelChange
from models.engine.register import NOT_SHARED
from models.enrollment import Segment, Span, school_on
from services.contracts.alerts import AlertEvent
from services.contracts.ids import Pseudonym
from services.warning.lifecycle import EmittedAlert

NO_YEAR = 1
"""The school year of a student of whom nothing dated has come yet: every real one is later."""
NO_ROW = -1


class Student:
    """One consented student of a partition."""

    __slots__ = (
        "agency",
        "ahead",
        "changes",
        "consent",
        "emitted",
        "grade",
        "household",
        "level_at_close",
        "pending",
        "pseudonym",
        "row",
        "segments",
        "spans",
        "turns",
        "year",
    )

    def __init__(self, pseudonym: Pseudonym) -> None:
        self.pseudonym = pseudonym
        self.household: str | None = None
        self.grade: str | None = None
        self.agency: str | None = None
        """Whose feed it is; None while there is one."""
        self.spans: tuple[Span, ...] = ()
        self.consent: tuple[int, int] | None = None
        """First and last day in force; None while none is known."""
        self.year = NO_YEAR
        self.row = NO_ROW
        """In the columns of the school year."""
        self.segments: tuple[Segment, ...] = ()
        """Where the days of the school year count."""
        self.ahead: dict[int, tuple[DayMarks, bool]] | None = None
        """Marks of later school years, and whether they came live, kept until one begins: a wrong year in a date
        ends no window. Then they stay until the next one does: the write that has their days may be cut short."""
        self.changes: list[LevelChange] = []
        self.turns: list[Turn] | None = None
        """What `changes` say in words; None when they have not been put in words since the student was read."""
        self.emitted: list[EmittedAlert] = []
        self.pending: list[AlertEvent] = []
        """Emitted, but not yet acknowledged by Kafka: written to the table first, so that none is lost."""
        self.level_at_close = 0
        """The level emitted when a day was last closed: who is higher at the next one has entered."""

    @property
    def counts(self) -> bool:
        """Whether a consent is known: else there is no window."""
        return self.consent is not None

    def school_on(self, day: int) -> str | None:
        """The school at which the day counts, or None (not enrolled, not shared, no consent)."""
        found = school_on(self.segments, day)
        return None if found == NOT_SHARED else found
