"""The topics, created explicitly with these settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic's name and settings; every topic has the same number of partitions."""

    name: str
    config: dict[str, str] = field(default_factory=dict)


RETENTION_DAYS: Final = 400
"""How long what streams stays in the log, unless the agreement says another time."""


def _kept(days: int) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": str(days * DAY_MS), "segment.ms": str(DAY_MS)}


_COMPACTED = {"cleanup.policy": "compact", "max.compaction.lag.ms": str(DAY_MS), "segment.ms": str(DAY_MS)}
"""What was replaced or deleted is gone from the log within two days."""

MARKS: Final = Topic("attendance.marks.v1", _kept(RETENTION_DAYS))
REJECTED: Final = Topic("attendance.rejected.v1", _kept(90))
SCHOOL_DAYS: Final = Topic("school.days.v1", _COMPACTED)
ENROLLMENTS: Final = Topic("enrollments.v1", _COMPACTED)
CONSENTS: Final = Topic("consents.v1", _COMPACTED)
ALERTS: Final = Topic("alerts.v1", _kept(RETENTION_DAYS))
CASE_ACTIONS: Final = Topic("case.actions.v1", _kept(RETENTION_DAYS))
RISK_WEEKS: Final = Topic("risk.weeks.v1", _kept(RETENTION_DAYS))
THRESHOLDS: Final = Topic("risk.thresholds.v1", _kept(RETENTION_DAYS))
ERASURES: Final = Topic("erasure.ledger.v1", _COMPACTED)
"""What was erased, all in partition 0, key the entry's id: kept for ever, and without a name."""
PROGRESS: Final = Topic("warning.progress.v1", _kept(1))

TOPICS: Final = (
    MARKS,
    REJECTED,
    SCHOOL_DAYS,
    ENROLLMENTS,
    CONSENTS,
    ALERTS,
    CASE_ACTIONS,
    RISK_WEEKS,
    THRESHOLDS,
    ERASURES,
    PROGRESS,
)

RETAINED: Final = (MARKS, ALERTS, CASE_ACTIONS)
"""What stays as long as the agreement says."""

WINDOWS_CHANGELOG: Final = Topic("firstbell-warning-windows-changelog", _COMPACTED)
"""The worker's own: what its table holds. It is there before the worker, which would else make it at its start and,
when the group forms before the cluster tells of it, wait for five minutes without a partition."""

WARNING_GROUP: Final = "firstbell-warning"
CASEWORK_GROUP: Final = "firstbell-casework"
NOTIFY_GROUP: Final = "firstbell-notify"
