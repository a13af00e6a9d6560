from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import msgspec
import pytest
from lxml import html

from models.backtest.bootstrap import Share
from models.backtest.curves import CalibrationPoint, CapacityPoint, Curves, Leads, WeeklyAlerts, curves
from models.backtest.measures import measure
from services.lab.report import ReportEvidence, report_evidence, write_report
from services.lab.report.numbers import percent
from tests.unit.lab.report import samples

pytestmark = pytest.mark.slow


def page(tmp_path: Path, result: samples.Json | None = None) -> str:
    target = tmp_path / "report.html"
    write_report(target, result or samples.result(), samples.evidence())
    return target.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def standard(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of the sample as it is."""
    return page(tmp_path_factory.mktemp("report"))


def text_of(written: str) -> str:
    return " ".join(html.document_fromstring(written).body.text_content().split())


def test_the_page_loads_nothing_and_runs_nothing(standard: str) -> None:
    tree = html.document_fromstring(standard)
    links = [
        value for element in tree.iter() for key, value in element.items() if key.split(":")[-1] in {"href", "src"}
    ]
    assert all(link.startswith("#") for link in links)
    assert not tree.xpath("//script | //link | //img | //iframe | //object | //form")
    assert not [key for element in tree.iter() for key in element.keys() if key.startswith("on")]  # noqa: SIM118
    assert standard.count("http") == standard.count("http-equiv")
    assert set(re.findall(r"url\((.)", standard)) == {"#"}


def test_the_page_is_whole(standard: str) -> None:
    tree = html.document_fromstring(standard)
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    wanted = [name for element in tree.iter() for name in (element.get("aria-labelledby") or "").split()]
    wanted += [link.removeprefix("#") for link in tree.xpath("//@href")]
    wanted += re.findall(r"url\(#([^)]+)\)", standard)
    assert set(wanted) <= set(ids)
    assert tree.get("lang") == "en"
    assert tree.xpath("//meta[@name='viewport']")


def test_headings_go_down_one_level_at_a_time(standard: str) -> None:
    tree = html.document_fromstring(standard)
    levels = [int(element.tag[1]) for element in tree.iter("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_figure_has_a_title_a_description_and_its_numbers_as_a_table(standard: str) -> None:
    drawn = html.document_fromstring(standard).xpath("//figure")
    assert len(drawn) == 5
    for figure in drawn:
        assert figure.xpath("./svg[@role='img']/title")
        assert figure.xpath("./svg/desc")
        assert len(figure.xpath("./details//table//tr")) > 2


def test_every_row_of_a_table_has_a_cell_for_each_column(standard: str) -> None:
    for table in html.document_fromstring(standard).xpath("//table"):
        assert len({len(row) for row in table.iter("tr")}) == 1


def test_every_colour_is_set_for_light_and_dark(standard: str) -> None:
    css = re.search(r"<style>(.*?)</style>", standard, re.DOTALL)
    assert css
    dark_ones = r"@media \(prefers-color-scheme: dark\) \{(.*?)\n\}"
    light, dark = re.sub(dark_ones, "", css[1], flags=re.DOTALL), "".join(re.findall(dark_ones, css[1], re.DOTALL))
    used = set(re.findall(r"var\((--[\w-]+)\)", standard))
    assert used <= set(re.findall(r"(--[\w-]+):", light))
    assert used - {"--chart-ink"} <= set(re.findall(r"(--[\w-]+):", dark))
    drawn = "".join(re.findall(r"<svg.*?</svg>", standard, re.DOTALL))
    assert not re.search(r"#[0-9a-f]{6}\b", drawn)


def test_every_number_of_the_document_is_shown(standard: str) -> None:
    shown = text_of(standard)
    result = samples.result()
    for number in ("358,211", "2,043", "178 school days", "3.4 seconds", "9.1% in the first week, 6.5% in the last"):
        assert number in shown
    for strategy in result["strategies"].values():  # type: ignore[attr-defined]
        right = strategy["precision_at_capacity"]
        assert f"{right['mean']:.1%} ({right['low']:.1%} to {right['high']:.1%})" in shown
        assert f"{strategy['precision']:.1%}" in shown
        assert f"{strategy['recall']:.1%}" in shown
    for text in ("0.0031", "18.7%", "16.9%", "0.12%", "2.3", "14 days", "7 to 22.5", "11 days", "4 to 19", "61"):
        assert text in shown
    rates = result["strategies"]["both"]["false_alert_rate"]  # type: ignore[index]
    for rate in [rate for values in rates.values() for rate in values.values() if rate["rate"] is not None]:
        assert f"{rate['n']:,}" in shown
        assert f"{rate['rate']:.1%} ({rate['low']:.1%} to {rate['high']:.1%})" in shown


def test_a_small_group_is_counted_nowhere(standard: str) -> None:
    rows = html.document_fromstring(standard).xpath("//tr[td[1]='X']")
    assert [cell.text for cell in rows[0]] == ["Gender", "X", "fewer than 10", "does not apply", "does not apply"]


def test_what_the_contract_does_not_name_is_not_shown(tmp_path: Path) -> None:
    assert "S-4711" not in page(tmp_path, samples.result() | {"student_ids": ["S-4711"]})


def test_text_is_escaped_in_tables_and_drawings(tmp_path: Path) -> None:
    result = samples.result()
    result["strategies"]["both"]["false_alert_rate"] = {  # type: ignore[index]
        "gender": {"<script>alert(1)</script>": samples.cell(0.2, 90), "$a_1$ \x00&": samples.cell(0.1, 80)}
    }
    result["model"]["trained_on"] = "<b>bold</b>"  # type: ignore[index]
    written = page(tmp_path, result)
    assert "<script" not in written
    assert "<b>" not in written
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in written
    assert text_of(written).count("$a_1$ &") >= 2


def test_the_same_numbers_make_the_same_bytes_whatever_the_users_plots_look_like(tmp_path: Path) -> None:
    first = page(tmp_path)
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        assert page(tmp_path) == first


def test_another_process_makes_the_same_bytes(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from services.lab.report import write_report; "
        "from tests.unit.lab.report import samples; "
        "write_report(Path('other.html'), samples.result(), samples.evidence())"
    )
    root = str(Path(__file__).parents[4])
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": root, "TZ": "Asia/Tokyo"}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "other.html").read_text(encoding="utf-8") == page(tmp_path)


def test_without_a_model_the_page_says_so_and_shows_the_rules(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    write_report(target, *samples.without_model())
    shown = text_of(target.read_text(encoding="utf-8"))
    assert "No model was used: these are the numbers of the rules alone." in shown
    assert "Judged hereRules alone" in shown
    assert "Does not apply: no model, so there are no scores." in shown
    assert "None: the rules went on alone." in shown
    assert "Threshold of the scoredoes not apply" in shown


def test_a_year_in_which_nothing_came_true_makes_a_page(tmp_path: Path) -> None:
    nobody = Share(None, None, None, 0)
    seen = Curves(
        tuple(CapacityPoint(ranking, places, nobody, None) for ranking in ("score", "rules") for places in (1, 2)),
        tuple(CalibrationPoint(0.0, Share(0.0, None, None, 3)) for _ in range(10)),
        (WeeklyAlerts("both", (0,)),),
        (Leads("both", ()),),
    )
    strategies = {name: {**samples.nothing(), "alerts_per_week": 0.0} for name in samples.RATES}
    target = tmp_path / "report.html"
    result = samples.result() | {"strategies": strategies, "capacity": 1}
    write_report(target, result, ReportEvidence(seen, samples.WEEKS[:1]))
    shown = text_of(target.read_text(encoding="utf-8"))
    assert "nothing is known of what a call is worth" in shown
    assert "Does not apply: no alert came before an identification." in shown


def test_the_page_takes_what_the_backtest_measures(tmp_path: Path) -> None:
    truth, week_ends, raised, changes = samples.walk()
    measured = measure(truth, week_ends, 2, raised, changes)
    result = json.loads(json.dumps(samples.result() | {"strategies": measured, "capacity": 2}))
    target = tmp_path / "report.html"
    write_report(target, result, report_evidence(truth, curves(truth, week_ends, 2, raised)))
    assert percent(measured["both"]["precision"]) in text_of(target.read_text(encoding="utf-8"))


def test_a_document_that_breaks_the_contract_is_refused_by_field(tmp_path: Path) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"students"):
        page(tmp_path, samples.result() | {"students": "many"})
    assert not (tmp_path / "report.html").exists()
