"""One student's school year: what was said of each day, and the track of counted days made from it.

The track follows each mark and close at once when they come in order of date; whatever changes an
earlier day lets it be made anew at the next look, so the order of arrival changes nothing in the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models.attendance import PRESENT, DayMarks, SectionMark, day_code, with_mark
from models.enrollment import FOREVER, Segment, Span, school_on, segments
from models.episodes import add_day
from models.rules import Rules
from models.school import School
from models.school_year import first_day, last_day, year_of
from models.track import Day, Track

NO_YEAR = 1
"""The year of a student of whom nothing dated has come yet: every real one is later."""


class StudentYear:
    """Marks of one school year, where the student was enrolled and consented, and the track."""

    __slots__ = ("_segments", "_track", "ahead", "consent", "live", "marks", "spans", "year")

    def __init__(self, year: int) -> None:
        self.year = year
        self.marks: dict[int, DayMarks] = {}
        self.live: set[int] = set()
        """Days that were marked live, not in an imported history: levels are decided on them."""
        self.ahead: dict[int, DayMarks] = {}
        """Marks of later school years, kept until one of them begins: a wrong year in a date ends no window."""
        self.spans: tuple[Span, ...] = ()
        self.consent: tuple[int, int] | None = None
        """First and last day in force; None while none is known."""
        self._segments: tuple[Segment, ...] = ()
        self._track: Track | None = None

    def set_spans(self, spans: Sequence[Span]) -> None:
        """Take the enrollment spans, replacing earlier ones."""
        self.spans = tuple(sorted(spans))
        self.forget_track()

    def set_consent(self, first: int, last: int | None) -> None:
        """Take the run of days on which consent is in force."""
        self.consent = (first, FOREVER if last is None else last)
        self.forget_track()

    def start_anew(self, year: int) -> None:
        """Begin another school year: the days of the last one are dropped."""
        self.year = year
        self.marks = {day: marks for day, marks in self.ahead.items() if year_of(day) == year}
        self.ahead = {day: marks for day, marks in self.ahead.items() if year_of(day) > year}
        self.live = {day for day in self.live if day in self.marks or day in self.ahead}
        self.forget_track()

    def forget_days(self) -> None:
        """Drop every mark and the consent."""
        self.marks, self.ahead, self.live = {}, {}, set()
        self.consent = None
        self.forget_track()

    def forget_track(self) -> None:
        """Let the track be made anew at the next look."""
        self._track = None
        if self.consent is None:
            self._segments = ()
        else:
            first, last = self.consent
            self._segments = segments(self.spans, max(first, first_day(self.year)), min(last, last_day(self.year)))

    def school_on(self, day: int) -> str | None:
        """The school at which the day counts, or None (not enrolled, no consent)."""
        return school_on(self._segments, day)

    def current_school(self, schools: Mapping[str, School], rules: Rules) -> str | None:
        """The school of the last counted day, else the first to come; None when not enrolled."""
        if not self._segments:
            return None
        return self.track(schools, rules).totals.school or self._segments[0].school

    def take_mark(
        self, day: int, mark: SectionMark, *, live: bool, schools: Mapping[str, School], rules: Rules
    ) -> bool:
        """Take a row of this school year or a later one; False when it told nothing new."""
        kept = self.marks if year_of(day) == self.year else self.ahead
        old = kept.get(day)
        new = with_mark(old, mark) if old else (mark,)
        newly_live = live and day not in self.live
        if new is old and not newly_live:
            return False
        kept[day] = new
        if newly_live:
            self.live.add(day)
        if kept is self.marks:
            self.look_again(day, schools, rules)
        return True

    def look_again(self, day: int, schools: Mapping[str, School], rules: Rules) -> None:
        """Bring the track up to date with what is now known of one day."""
        track = self._track
        if track is None:
            return
        told = self._day(day, schools)
        last = track.ordinals[-1] if track.ordinals else 0
        if told is None:
            if day <= last:
                self._track = None
        elif day > last:
            add_day(track, told, rules)
        elif day < last:
            if not track.stands(told):
                self._track = None
        elif told != track.last:
            track.take_back()
            add_day(track, told, rules)

    def _day(self, day: int, schools: Mapping[str, School]) -> Day | None:
        """The day as it counts now, or None when it does not."""
        school_id = school_on(self._segments, day)
        school = schools.get(school_id) if school_id is not None else None
        if school_id is None or school is None:
            return None
        marks = self.marks.get(day)
        code = day_code(marks, school_id) if marks else None
        if code is None:
            if day not in school.closed:
                return None
            code = PRESENT
        if not school.is_instructional(day):
            return None
        return Day(day, school_id, code, day in school.shocks, school.is_step(day) or day in self.live)

    def track(self, schools: Mapping[str, School], rules: Rules) -> Track:
        """The counted days, made anew when something earlier has changed."""
        if self._track is None:
            self._track = self._made_anew(schools, rules)
        return self._track

    def _made_anew(self, schools: Mapping[str, School], rules: Rules) -> Track:
        track = Track()
        for segment in self._segments:
            school = schools.get(segment.school)
            if school is None:
                continue
            days = set(school.counted_between(segment.first, segment.last))
            days.update(d for d in self.marks if segment.first <= d <= segment.last)
            for day in sorted(days):
                told = self._day(day, schools)
                if told is not None:
                    add_day(track, told, rules)
        return track

    def has_decided(self, day: int) -> bool:
        """Whether the day is the last one counted and decides levels already: its close tells nothing new."""
        last = self._track.last if self._track is not None else None
        return last is not None and last.ordinal == day and last.step
