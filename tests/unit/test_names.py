"""A public class name stands once, but for pairs that the glossary lists."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _classes() -> Counter[str]:
    files = [path for room in ("services", "models") for path in sorted((ROOT / room).rglob("*.py"))]
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in files)
    nodes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    return Counter(node.name for node in nodes if not node.name.startswith("_"))


def test_a_public_class_name_stands_once_or_is_a_listed_pair() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(\w+)` \|", glossary, re.MULTILINE))
    twice = {name for name, times in _classes().items() if times > 1}
    assert twice == listed
