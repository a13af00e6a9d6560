"""Other worlds, by name: the default with other assumptions, to train on and to be tested on.

Each is a function from a config of the wanted size and year to another; its docstring says what differs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from models.simulation.config import MOST_SCHOOLS, SchoolConfig, WorldConfig

RURAL_PLACES: Final = 130
RURAL_ZONES: Final = ("America/Chicago", "America/Denver", "America/Boise")
_RURAL_KINDS: Final = (("K-8", "K", "8"), ("K-12", "K", "12"), ("Elementary", "K", "6"), ("High School", "7", "12"))


def weak_signal(base: WorldConfig) -> WorldConfig:
    """Housing trouble shows about a third as much."""
    return base.changed({"housing": {"signal": 0.35}})


def strong_signal(base: WorldConfig) -> WorldConfig:
    """Housing trouble shows half as much again, and in more of the students."""
    return base.changed({"housing": {"signal": 1.5, "shape": 3.0}})


def no_signal(base: WorldConfig) -> WorldConfig:
    """Nothing of housing shows in attendance or in moves: no model can be better than chance."""
    return base.changed({"housing": {"signal": 0.0}})


def rural(base: WorldConfig) -> WorldConfig:
    """Many small schools in other time zones, failing buses, storms, and days off of their own."""
    number = min(max(5, round(base.students / RURAL_PLACES)), MOST_SCHOOLS)
    schools = tuple(_rural_school(n) for n in range(1, number + 1))
    return base.model_copy(update={"schools": schools}).changed(
        {
            "calendar": {"instructional_days": 170, "snow_closures": 6, "storms": 5, "building_closures": 4},
            "causes": {"bus": {"schools": -(-len(schools) // 2), "days": 4}, "weather": {"absent": (0.3, 0.6)}},
            "people": {"same_school": 0.9, "school_absence": 0.3, "transfers": 0.06},
        }
    )


def late_reporting(base: WorldConfig) -> WorldConfig:
    """Half of the schools are late, days stay silent, much is corrected, and only absences have rows."""
    return base.changed(
        {
            "reporting": {
                "late_schools": 0.5,
                "late_days": 0.45,
                "other_late_days": 0.05,
                "silent_days": 0.03,
                "late_notes": 0.5,
                "absent_was_tardy": 0.4,
                "absent_was_present": 0.008,
                "present_was_absent": 0.03,
                "reason_known": 0.3,
                "absence_only": True,
                "no_recorded_at": 0.1,
                "duplicates": 0.02,
            }
        }
    )


def sections(base: WorldConfig) -> WorldConfig:
    """Six rows a day from grade 6 on, one per class period, some of which are cut alone."""
    return base.changed({"reporting": {"sections": 6, "section_part": 0.35, "section_cut": 0.03}})


def high_absence(base: WorldConfig) -> WorldConfig:
    """Everybody is absent more, by 1.6 times or so: 40% are chronically absent."""
    return base.changed({"people": {"absence": 1.6}})


def low_absence(base: WorldConfig) -> WorldConfig:
    """Everybody is absent less, and few drift away: one in seven is chronically absent."""
    return base.changed(
        {"people": {"absence": 0.55}, "causes": {"chronic": {"share": 0.04}, "disengagement": {"share": 0.06}}}
    )


def short_lead(base: WorldConfig) -> WorldConfig:
    """From the start of trouble to the loss of the home it is 15 days, and a week more until the school knows."""
    return base.changed({"housing": {"lead_days": 15.0, "identify_days": 7.0}})


def long_lead(base: WorldConfig) -> WorldConfig:
    """Trouble builds up over 70 days, and the school learns of it a month after the home is lost."""
    return base.changed({"housing": {"lead_days": 70.0, "identify_days": 21.0, "starts": (-0.55, 0.85)}})


def tardy_led(base: WorldConfig) -> WorldConfig:
    """Trouble shows as tardiness and changes of school more than as absence."""
    return base.changed(
        {
            "housing": {
                "shelter_daily": 0.07,
                "doubled_up_daily": 0.03,
                "move_days": 1.0,
                "tardy_factor": 8.0,
                "transfer": 0.5,
            }
        }
    )


def excused_led(base: WorldConfig) -> WorldConfig:
    """Absences by housing trouble are nearly all excused, many of them by a note that comes later."""
    return base.changed({"housing": {"excused": 0.85}, "reporting": {"late_notes": 0.35}})


def flu_year(base: WorldConfig) -> WorldConfig:
    """Five waves of flu, each of which takes more students and keeps them longer."""
    return base.changed({"causes": {"flu": {"waves": 5, "attack": 0.28, "more_days": 2.2, "season": (0.15, 0.85)}}})


def low_base_rate(base: WorldConfig) -> WorldConfig:
    """About 3% of students become homeless in the year."""
    return base.changed({"housing": {"trouble": 0.038}})


def high_base_rate(base: WorldConfig) -> WorldConfig:
    """About 18% of students become homeless in the year."""
    return base.changed({"housing": {"trouble": 0.22}})


def biased_groups(base: WorldConfig) -> WorldConfig:
    """Some groups are absent 1.5 times as often as others, for reasons that have nothing to do with housing."""
    # Not every cause follows proneness: twice as prone comes out at one and a half times the absence.
    return base.changed(
        {
            "people": {
                "absence": 0.56,
                "race_ethnicity": (
                    {"value": "hispanic", "share": 0.4, "absence": 1.0},
                    {"value": "black", "share": 0.32, "absence": 2.1},
                    {"value": "white", "share": 0.15, "absence": 1.0},
                    {"value": "asian", "share": 0.08, "absence": 0.7},
                    {"value": "multiracial", "share": 0.05, "absence": 1.4},
                ),
                "english_learner": {"absence": 1.4},
                "special_education": {"absence": 2.0},
            }
        }
    )


WORLDS: Final[dict[str, Callable[[WorldConfig], WorldConfig]]] = {
    make.__name__: make
    for make in (
        weak_signal,
        strong_signal,
        no_signal,
        rural,
        late_reporting,
        sections,
        high_absence,
        low_absence,
        short_lead,
        long_lead,
        tardy_led,
        excused_led,
        flu_year,
        low_base_rate,
        high_base_rate,
        biased_groups,
    )
}
"""Every other world by its name, which is its function's."""


def other_worlds(students: int = 2000, *, first_year: int = 2025) -> dict[str, WorldConfig]:
    """The config of every other world, with so many students, for the school year that begins in `first_year`."""
    base = WorldConfig.of_size(students, first_year=first_year)
    return {name: make(base) for name, make in WORLDS.items()}


def _rural_school(n: int) -> SchoolConfig:
    kind, lowest, highest = _RURAL_KINDS[n % len(_RURAL_KINDS)]
    return SchoolConfig(
        school_id=f"rural-{n:03}",
        name=f"Rural School {n} {kind}",
        timezone=RURAL_ZONES[n % len(RURAL_ZONES)],
        lowest=lowest,
        highest=highest,
        size=60 + 20 * (n % 8),
        own_closed_days=n % 5,
    )
