"""Engagement and what it is judged by are no part of the risk of homelessness."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from models.features import INPUTS, NAMES

ROOT = Path(__file__).resolve().parents[4]
WORDS = re.compile(r"suspen|disciplin|behavio|grade|course|mark\b|credit|letter|engage|track|sliding", re.IGNORECASE)


def test_no_feature_is_of_suspensions_or_marks() -> None:
    assert [name for name in (*INPUTS, *NAMES) if WORDS.search(name)] == []


def test_an_import_contract_keeps_it_out() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (contract,) = [one for one in contracts if one["name"] == "Engagement never feeds the risk of homelessness"]
    assert contract["forbidden_modules"] == ["models.engagement"]
    risk = {"models.features", "models.engine", "models.risk_model", "models.training", "services.warning"}
    assert set(contract["source_modules"]) >= risk


def test_what_scores_and_learns_reads_no_table_of_records() -> None:
    rooms = ("models/engine", "models/training", "services/warning")
    files = [ROOT / "models" / "features.py", ROOT / "models" / "risk_model.py"]
    files += [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    text = {path.name: path.read_text(encoding="utf-8") for path in files}
    named = re.compile(r"suspension|district\.(grades|courses|suspensions)|rows\.records|rows\.kinds")
    assert [name for name, content in text.items() if named.search(content)] == []
