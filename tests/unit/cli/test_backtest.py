"""A backtest of a folder whose agreement has several agencies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from services.cli.backtest import backtest
from services.cli.simulate import simulate

pytestmark = pytest.mark.slow

HEARTH = """
[[party]]
id = "hearth"
name = "Hearth"
role = "agency"

[[disclosure]]
to = "hearth"
purpose = "homelessness-prevention"
records = ["attendance"]
schools = ["{school}"]
form = "live"
"""


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All schools' attendance goes to Project Hope and, of the same consents, one school's to Hearth."""
    out = tmp_path_factory.mktemp("backtest") / "district"
    assert CliRunner().invoke(simulate, ["--students", "400", "--seed", "3", "--out", str(out)]).exit_code == 0
    consents, agreement = out / "consents.csv", out / "agreement.toml"
    consents.write_text(consents.read_text().replace(",project-hope,", ",project-hope;hearth,"))
    school = (out / "schools.csv").read_text().splitlines()[1].split(",")[0]
    agreement.write_text(agreement.read_text() + HEARTH.format(school=school))
    return out


def test_each_agency_is_measured_by_itself_with_files_of_its_own(district: Path, tmp_path: Path) -> None:
    outs = [f"--{name}={tmp_path / name}.{ending}" for name, ending in (("alerts", "csv"), ("report", "html"))]
    result = CliRunner().invoke(backtest, [str(district), "--capacity", "3", "--json", "-", *outs])
    assert result.exit_code == 0, result.stderr
    hope, hearth = json.loads(result.stdout)["agencies"]
    assert (hope["agency"], hearth["agency"]) == ("project-hope", "hearth")
    assert hope["capacity"] == hearth["capacity"] == 3
    assert 0 < hearth["students"] <= hope["students"]
    assert {path.name for path in tmp_path.iterdir()} == {
        "alerts-project-hope.csv", "alerts-hearth.csv", "report-project-hope.html", "report-hearth.html"
    }  # fmt: skip
    for agency in (hope, hearth):
        alone = CliRunner().invoke(
            backtest, [str(district), "--capacity", "3", "--json", "-", "--agency", agency.pop("agency")]
        )
        document = json.loads(alone.stdout)
        assert {**document, "seconds": 0} == {**agency, "seconds": 0}


def test_an_agency_that_is_not_in_the_agreement_is_named_beside_those_that_are(district: Path) -> None:
    result = CliRunner().invoke(backtest, [str(district), "--capacity", "3", "--agency", "hope"])
    assert result.exit_code == 1
    assert "project-hope, hearth" in result.stderr
