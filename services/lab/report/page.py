"""The report's page, put together: what it is worth in words, the strategies, the figures, the model card."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from services.lab.report.card import model_card
from services.lab.report.comparison import comparison
from services.lab.report.document import Document, read_document
from services.lab.report.evidence import ReportEvidence
from services.lab.report.figures import figures
from services.lab.report.summary import summary
from services.platform.page.elements import Element, section, tag
from services.platform.page.whole import page

_TITLE = "First Bell: backtest report"


def write_report(path: Path, result: Mapping[str, object], evidence: ReportEvidence) -> None:
    """Write the page, UTF-8; the same result and evidence give the same bytes.

    Raises `msgspec.ValidationError` for a result that breaks the contract, `OSError` where the file cannot be written.
    """
    path.write_text(render(read_document(result), evidence), encoding="utf-8")


def render(document: Document, evidence: ReportEvidence) -> str:
    """The whole page as HTML."""
    parts = [
        summary(document, evidence.weeks),
        comparison(document),
        *figures(document, evidence),
        _method(),
        model_card(document),
    ]
    style = files(__package__).joinpath("charts.css").read_text(encoding="utf-8")
    return page(_TITLE, parts, style=style)


def _method() -> Element:
    points = (
        "A backtest walks the year day by day and uses only what was known on each day.",
        "An alert is a student who enters elevated or urgent from below; a baseline's is a place that it fills at a "
        "week's end. It is right when the family is identified on a later day, at most 30 school days after it.",
        "Precision leaves out the alerts of the last 30 school days, since nobody knows yet what follows them.",
        "Each baseline fills the same number of places a week, and no student twice within 30 school days.",
        "Intervals are 90%, by drawing households again with replacement, so that siblings count as one. They cover "
        "the chance in this history; they say nothing of another district or another year.",
        "“Does not apply” stands where a number cannot be taken, for want of a model or of anything to count.",
    )
    return section("method", "How to read the numbers", tag("ul", *(tag("li", point) for point in points)))
