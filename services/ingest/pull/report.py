"""What became of one round of a pull, by resource. Nothing in it is an id or a name."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field

from services.ingest.imports.report import Rejections
from services.ingest.rows.outcomes import WhyNot


@dataclass(slots=True)
class ResourceCounts:
    """How many rows there were of a resource, and what became of them."""

    read: int = 0
    """Rows of the window, those that moved between pages each time that they came."""
    upserted: int = 0
    """Of these, rows that stand now, new or known."""
    deleted: int = 0
    """Rows that the source has deleted."""
    key_changed: int = 0
    """Rows of which the source has changed the key."""
    rejected: int = 0
    """Rows that cannot be used."""
    change_version: int = 0
    """Up to which everything was taken."""


@dataclass(slots=True)
class PullReport:
    """Counts by resource, and what the user should know."""

    resources: defaultdict[str, ResourceCounts] = field(default_factory=lambda: defaultdict(ResourceCounts))
    not_consented: Counter[WhyNot] = field(default_factory=Counter)
    rejections: Rejections = field(default_factory=Rejections)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def note(self, text: str) -> None:
        """Say something once."""
        if text not in self.notes:
            self.notes.append(text)

    def document(self) -> dict[str, object]:
        """As JSON is written."""
        resources = {name: asdict(counts) for name, counts in self.resources.items()}
        return {"resources": resources, "seconds": round(self.seconds, 3)}
