"""The notice that goes with whatever is disclosed, as 34 CFR 99.33(d) asks."""

from __future__ import annotations

from typing import Final

NOTICE: Final = (
    "This is disclosed from education records under FERPA (34 CFR 99.33). Whoever receives it may use it only for the "
    "purpose for which it was disclosed, and may not disclose it further without the prior consent of the parent or "
    "eligible student, unless the law allows it."
)
