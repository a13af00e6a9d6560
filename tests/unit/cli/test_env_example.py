"""`.env.example` names every setting, with its default."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.casework.settings import CaseworkSettings
from services.ingest.settings import IngestSettings
from services.notify.settings import NotifySettings
from services.platform.settings import Settings
from services.warning.settings import WarningSettings

EXAMPLE = Path(__file__).parents[3] / ".env.example"
KINDS = (Settings, IngestSettings, WarningSettings, CaseworkSettings, NotifySettings)


def named() -> dict[str, str]:
    return dict(re.findall(r"^#(FIRSTBELL_[A-Z_]+)=(.*)$", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE))


def test_it_names_every_setting_and_no_other() -> None:
    settings = {f"FIRSTBELL_{field.upper()}" for kind in KINDS for field in kind.model_fields}
    assert set(named()) == settings


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_says_is_the_default(kind: type[Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in named():
        monkeypatch.delenv(name, raising=False)
    defaults = kind()
    for name, value in named().items():
        monkeypatch.setenv(name, value)
    assert kind() == defaults
