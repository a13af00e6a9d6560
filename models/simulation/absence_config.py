"""Why students are absent: the parameters of each cause, housing trouble last.

Figures with a source name it. The rest are assumptions, set so that the whole comes out at the rates
cited in `WorldConfig`; other worlds should vary them. Days are weekdays of the school year.
"""

from __future__ import annotations

from pydantic import Field

from models.simulation.base import Config, Lengths, Minutes, NonNegative, Positive, Range, Share, Span, Weekdays


class Illness(Config):
    """Ordinary illness: a few short spells a year, more in winter."""

    spells: NonNegative = 2.5
    """Spells a year of a student with average proneness."""
    more_days: NonNegative = 0.8
    """Mean of the Poisson number of days after a spell's first."""
    winter: Share = 0.35
    """How far the season swings about its mean."""
    proneness: Share = 0.6
    """Power of the student's general proneness to absence: illness follows it less than truancy."""
    excused: Share = 0.72


class Flu(Config):
    """Flu waves: the same spells, close together at one school, a little earlier or later at the next."""

    waves: int = Field(default=2, ge=0)
    attack: Share = 0.16
    """Share of students whom one wave takes, in the mean."""
    strength: Range = (0.5, 1.5)
    """By what factor waves differ between schools."""
    season: Span = (0.3, 0.75)
    """The part of the year in which a wave has its middle."""
    spread_days: Positive = 6.0
    """Standard deviation of the day within a wave."""
    school_shift_days: NonNegative = 5.0
    more_days: NonNegative = 1.4
    excused: Share = 0.75


class ChronicIllness(Config):
    """Asthma and the like: many excused spells, and now and then a long one in hospital."""

    share: Share = 0.07
    spells: NonNegative = 5.0
    more_days: NonNegative = 1.2
    hospital_share: Share = 0.2
    """Share of these students with one long spell in the year."""
    hospital_days: Lengths = (5, 18)
    excused: Share = 0.85


class Family(Config):
    """Trips and family days, most of them next to a recess."""

    spells: NonNegative = 0.75
    more_days: NonNegative = 1.3
    near_recess: Positive = 5.0
    """How much likelier a day within five days of a recess is."""
    excused: Share = 0.3


class Other(Config):
    """Single days of which the school learns little; they follow the student's proneness fully."""

    days: NonNegative = 4.8
    excused: Share = 0.22


class Truancy(Config):
    """Days cut from grade 6 on, Fridays and Mondays first."""

    middle_days: NonNegative = 1.1
    """Mean a year in grades 6-8."""
    high_days: NonNegative = 3.2
    """Mean a year in grades 9-12."""
    shape: Positive = 0.5
    """Gamma shape of the student's share of it; small: few students cut most of the days."""
    by_weekday: Weekdays = (1.2, 0.8, 0.8, 0.9, 1.5)
    """Monday to Friday, in proportion."""
    more_days: NonNegative = 0.15
    excused: Share = 0.02


class Disengagement(Config):
    """High school students who drift away over the year, whatever their housing."""

    share: Share = 0.13
    onset: Range = (-0.2, 0.75)
    """When it starts, as a fraction of the year, uniform."""
    ramp_days: Positive = 60.0
    plateau: Span = (0.08, 0.5)
    """Daily chance of absence once it is full."""
    excused: Share = 0.05


class Caring(Config):
    """Students from grade 4 on who look after somebody on one or two fixed weekdays."""

    share: Share = 0.035
    day: Share = 0.32
    """Chance of absence on such a weekday."""
    excused: Share = 0.2


class Weather(Config):
    """Days on which schools are open in a storm, and most students stay at home."""

    absent: Span = (0.5, 0.66)
    """Share of the others who stay away, drawn per day."""
    excused: Share = 0.35


class BusFailure(Config):
    """A school whose buses fail for some days in a row."""

    schools: int = Field(default=1, ge=0)
    days: int = Field(default=3, ge=1)
    absent: Span = (0.22, 0.38)
    tardy: Share = 0.3
    """Share of those who come who come late."""
    excused: Share = 0.4


class Late(Config):
    """Attended, but not the whole day. Means over students; each has their own, lognormal."""

    tardy: Share = 0.035
    spread: NonNegative = 0.9
    early_departure: Share = 0.008
    partial: Share = 0.003
    minutes: Minutes = (5, 75)
    """Minutes late."""
    absence_power: Share = 0.4
    """Power of the student's general proneness to absence."""


class Housing(Config):
    """Housing trouble of a household: it starts, deepens until the home is lost, and is relieved.

    No lead time from attendance to homelessness has been published: the lengths are assumptions.
    """

    signal: NonNegative = 1.0
    """Scales every link between housing and what a school sees; 0: a world in which nothing can be seen."""
    trouble: Share = 0.125
    """Share of households in trouble at some time of the year or just before it. Those of them who lose their
    home before its end make about 10% of students (Boston); a campaign worked with almost 9% (Urban Institute)."""
    averted: Share = 0.15
    """Share of troubles that pass without loss of the home."""
    doubled_up: Share = 0.5
    """Share of lost homes after which the family lives with others. NYC's rates (58% chronically absent in
    shelter, 25% doubled-up, 36% of all homeless students, ICPH) imply two thirds; the national 52% fewer."""
    identified: Share = 0.88
    """Share of lost homes that the school learns of; 83% of staff asked have trouble seeing them (Boston College)."""
    starts: Range = (-0.35, 0.95)
    """When trouble starts, as a fraction of the year, uniform."""
    lead_days: Positive = 32.0
    """Median days from the start to the loss of the home."""
    lead_spread: NonNegative = 0.5
    identify_days: Positive = 12.0
    """Median days from the loss to identification."""
    identify_spread: NonNegative = 0.8
    support_days: Positive = 6.0
    """Median days from identification to the start of support."""
    support_length: Positive = 55.0
    """Median days of support."""
    unseen_days: Positive = 60.0
    """Median days from a loss that nobody learns of until the household helps itself."""
    known_days: int = Field(default=15, ge=1)
    """A home lost and seen before the year is registered anew within its first so many days."""
    averted_depth: Share = 0.6
    """How deep a trouble goes that passes; a lost home is 1."""
    relief_days: Positive = 22.0
    """Time constant with which the effect fades after support or self-help starts."""
    strain_risk: NonNegative = 0.55
    """Log-risk of trouble per standard deviation of the household's strain, which absence shares."""
    over_age_risk: Positive = 2.0
    """Over-age for grade about doubles homelessness (NYC CIDI)."""
    shelter_daily: Share = 0.24
    """Mean daily chance of absence at full severity in shelter: 58% chronically absent against 19% of all (ICPH)."""
    doubled_up_daily: Share = 0.045
    """The same, doubled-up: 25%, about as housed poor children (ICPH). Attendance barely shows these families."""
    averted_daily: Share = 0.03
    """The same in a trouble that passes; an eviction filing goes with about two more absences a year (Houston)."""
    shape: Positive = 1.3
    """Gamma shape of how much one student shows of it; small: many show nothing, some a lot."""
    more_days: NonNegative = 1.0
    """Mean of the Poisson number of days after a spell's first."""
    move_days: NonNegative = 2.0
    """Mean days missed about the move itself, when the home is lost for a shelter."""
    tardy_factor: Positive = 3.0
    """Tardiness at full severity, as a multiple of the student's own."""
    transfer: Share = 0.22
    """Share of lost homes with a change of school; a mid-year transfer about doubles homelessness (NYC CIDI)."""
    excused: Share = 0.28


class Causes(Config):
    """Every cause of absence, from the least to the most telling."""

    illness: Illness = Illness()
    flu: Flu = Flu()
    chronic: ChronicIllness = ChronicIllness()
    family: Family = Family()
    other: Other = Other()
    truancy: Truancy = Truancy()
    disengagement: Disengagement = Disengagement()
    caring: Caring = Caring()
    weather: Weather = Weather()
    bus: BusFailure = BusFailure()
    late: Late = Late()
