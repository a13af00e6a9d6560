"""What a service owns in the database others read through its views alone."""

from __future__ import annotations

import ast
import re
from pathlib import Path

SERVICES = Path(__file__).resolve().parents[2] / "services"
TO_READ = frozenset(
    {
        "casework.alert_cases",
        "casework.nameless_alerts",
        "casework.stored_events",
        "casework.waiting_cases",
        "district.engagement_courses",
        "district.engagement_files",
        "district.engagement_grades",
        "district.engagement_suspensions",
        "ingest.agreement_in_force",
        "ingest.case_days",
        "ingest.consented_students",
        "ingest.engagement_calendars",
        "ingest.engagement_days",
        "ingest.engagement_enrollments",
        "ingest.engagement_feeds",
        "ingest.engagement_marks",
        "ingest.engagement_students",
        "ingest.figures",
        "ingest.live_purposes",
        "ingest.live_schools",
        "ingest.statements",
        "ingest.today",
        "notify.deliveries",
        "notify.mails",
    }
)
"""Views, and the one clock's function."""
_NAME = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE|TABLE|SELECT)\s+((casework|district|ingest|notify)\.\w+)")
_OF_INGEST = {"audit", "district"}
"""Schemas beside the one of its name."""


def _foreign(path: Path) -> set[str]:
    owner = path.relative_to(SERVICES).parts[0]
    texts = (
        node.value for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Constant)
    )
    found = (match for text in texts if isinstance(text, str) for match in _NAME.finditer(text))
    return {match[1] for match in found if ("ingest" if match[2] in _OF_INGEST else match[2]) != owner}


def test_no_sql_on_a_schema_of_another_service_but_on_its_views() -> None:
    found = {str(path.relative_to(SERVICES)): _foreign(path) for path in sorted(SERVICES.rglob("*.py"))}
    assert {path: names - TO_READ for path, names in found.items() if names - TO_READ} == {}
    assert set().union(*found.values()) <= TO_READ


def test_every_view_that_may_be_read_is_made_by_a_migration() -> None:
    migrations = "\n".join(path.read_text(encoding="utf-8") for path in sorted(SERVICES.rglob("migrations/*.py")))
    made = set(re.findall(r"CREATE (?:OR REPLACE )?(?:VIEW|FUNCTION) (\w+\.\w+)", migrations))
    assert made >= TO_READ
