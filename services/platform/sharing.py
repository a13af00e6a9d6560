"""What the agreement says to every service: kinds of records, and the sign for all."""

from __future__ import annotations

from typing import Final

ATTENDANCE: Final = "attendance"
"""The kind of records that marks, alerts and windows are of."""
HOUSING_STATUS: Final = "housing_status"
"""The kind of records that a closing's outcome is of."""
SUSPENSIONS: Final = "suspensions"
GRADES: Final = "grades"
"""Courses belong to them."""
OTHER_RECORDS: Final = ("demographics", "programs", GRADES, "assessments", SUSPENSIONS, "graduations")
"""The kinds of records that are kept beside attendance: in PostgreSQL alone, never in Kafka."""
ANY: Final = "*"
"""In the place of an agreement's id or a school's: an agreement that is assumed, for want of one, covers all."""
