"""The model card: its text from `card.md`, and what is known of the model in use."""

from __future__ import annotations

from importlib.resources import files

from lxml import html
from markdown_it import MarkdownIt

from services.lab.report.document import Document, ModelFacts
from services.lab.report.numbers import decimal
from services.platform.page.elements import Element, facts, paragraph, section, table, tag

_TITLE = "# Model card\n"
_DEEPER = {"h2": "h3", "h3": "h4"}


def model_card(document: Document) -> Element:
    """The card as a part of the page; the text's headings go one level down, below the page's own."""
    return section("card", "Model card", *_model(document), *_text())


def _text() -> list[Element]:
    written = files(__package__).joinpath("card.md").read_text(encoding="utf-8").removeprefix(_TITLE)
    parts = html.fragments_fromstring(MarkdownIt("commonmark", {"html": False}).render(written))
    for part in parts:
        part.tag = _DEEPER.get(part.tag, part.tag)
    return list(parts)


def _model(document: Document) -> list[Element]:
    title = tag("h3", "The model of this report")
    if document.model is None:
        return [
            title,
            paragraph("None: the rules went on alone. The card says what a model would be, and would not be."),
        ]
    return [title, facts(_facts(document.model)), *_metrics(document.model)]


def _facts(model: ModelFacts) -> list[tuple[str, str]]:
    return [
        ("Name and version", f"{model.name}, {model.version}"),
        ("Trained on", model.trained_on),
        ("Simulated data", "yes" if model.simulated else "no"),
        ("Claims a signal", "yes" if model.signal else "no"),
        ("Created", model.created),
        ("Hash of the training data", model.data_hash),
        (f"Features ({len(model.features)}), all from attendance", "; ".join(model.features)),
    ]


def _metrics(model: ModelFacts) -> list[Element]:
    """What training measured on its own later weeks, candidate by candidate; the report is of another history."""
    names = list(dict.fromkeys(name for found in model.metrics.values() for name in found))
    if not names:
        return []
    rows = [
        (_words(candidate), *(decimal(found.get(name), 4) for name in names))
        for candidate, found in model.metrics.items()
    ]
    return [table("Measured at training, on weeks held back", ("Candidate", *map(_words, names)), rows)]


def _words(name: str) -> str:
    return name.replace("_", " ")
