"""The report's page, put together: what it is worth in words, the strategies, the figures, the model card."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from lxml import etree

from services.lab.report.card import model_card
from services.lab.report.comparison import comparison
from services.lab.report.document import Document, read_document
from services.lab.report.elements import Element, section, tag
from services.lab.report.evidence import ReportEvidence
from services.lab.report.figures import figures
from services.lab.report.summary import summary

_TITLE = "First Bell: backtest report"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""The browser's own guard: the page may load nothing, not even from its own folder, and run no script."""
_XMLNS = (' xmlns="http://www.w3.org/2000/svg"', ' xmlns:xlink="http://www.w3.org/1999/xlink"')
"""Needed in XML, not in HTML."""


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
    page = tag(
        "html",
        _head(),
        tag("body", tag("header", tag("h1", _TITLE), _contents(parts)), tag("main", *parts)),
        lang="en",
    )
    text = etree.tostring(page, method="html", encoding="unicode", doctype="<!DOCTYPE html>")
    for declaration in _XMLNS:
        text = text.replace(declaration, "")
    return text + "\n"


def _head() -> Element:
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", _TITLE),
        tag("style", style),
    )


def _contents(parts: list[Element]) -> Element:
    links = (tag("a", part[0].text or "", href=f"#{part.get('id')}") for part in parts)
    return tag("nav", tag("ul", *(tag("li", link) for link in links)), aria_label="On this page")


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
