"""How the report writes numbers: rates as percents, intervals beside them, null as words."""

from __future__ import annotations

DOES_NOT_APPLY = "does not apply"
_SMALL = 0.01


def percent(rate: float | None) -> str:
    """A rate of 0-1 as a percent with one decimal, below 1% with two; null in words."""
    if rate is None:
        return DOES_NOT_APPLY
    return f"{rate:.2%}" if 0 < abs(rate) < _SMALL else f"{rate:.1%}"


def percent_between(rate: float | None, low: float | None, high: float | None) -> str:
    """A rate with its interval behind it: `14.3% (10.1% to 18.4%)`."""
    sure = "" if low is None or high is None else f" ({percent(low)} to {percent(high)})"
    return percent(rate) + sure


def decimal(value: float | None, places: int = 1) -> str:
    """A number with thousands apart and at most that many decimals, without trailing zeros; null in words."""
    if value is None:
        return DOES_NOT_APPLY
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def points(difference: float) -> str:
    """A difference of two rates (0-1) in percentage points: `6.2 points`."""
    return f"{100 * difference:.1f} points"


def of_hundred(rate: float) -> str:
    """How many of a hundred: `14`, or `fewer than 1`."""
    return "fewer than 1" if _hardly_any(rate) else str(round(100 * rate))


def about_of_hundred(rate: float) -> str:
    """The same for a sentence: `about 14`, or `fewer than 1`."""
    return of_hundred(rate) if _hardly_any(rate) else f"about {of_hundred(rate)}"


def rest_of_hundred(rate: float) -> str:
    """How many of a hundred are left: `86`, or `more than 99`."""
    return "more than 99" if _hardly_any(rate) else str(100 - round(100 * rate))


def _hardly_any(rate: float) -> bool:
    return rate > 0 and round(100 * rate) == 0
