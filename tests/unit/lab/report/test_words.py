from __future__ import annotations

from copy import deepcopy

from services.lab.report.document import Document, read_document
from services.lab.report.groups import gap_warning, gaps, group_rows
from services.lab.report.summary import summary
from services.lab.report.words import provenance, worth
from tests.unit.lab.report import samples


def document(**changed: object) -> Document:
    return read_document(samples.result() | changed)


def shown(of: Document) -> str:
    return " ".join(" ".join(summary(of, samples.WEEKS).itertext()).split())


def with_rates(gender: samples.Json) -> Document:
    strategies = deepcopy(samples.result()["strategies"])
    for strategy in strategies.values():  # type: ignore[attr-defined]
        strategy["false_alert_rate"] = {"gender": gender}
    return document(strategies=strategies)


def test_precision_is_told_in_families() -> None:
    assert worth(document())[0] == (
        "Of 100 families called, about 14 were identified as homeless or in housing crisis within the next 30 school "
        "days (90% interval: 12 to 17); 86 were not."
    )


def test_what_was_missed_and_the_ten_percent_rule_are_told_too() -> None:
    _, missed, baseline = worth(document())
    assert missed.endswith("about 36 had been raised in the 30 school days before; 64 had not.")
    assert baseline == "With as many calls a week, the 10% rule finds about 8 of 100 (90% interval: 6 to 11)."


def test_rules_alone_are_said_to_know_no_capacity() -> None:
    rules, _ = samples.without_model()
    assert worth(read_document(rules))[2].startswith("The rules alone raise 20 students a week, whatever the capacity.")


def test_nothing_is_said_of_what_could_not_be_measured() -> None:
    nobody = read_document(samples.result() | {"strategies": {name: samples.nothing() for name in samples.RATES}})
    assert worth(nobody) == []
    assert "nothing is known of what a call is worth" in shown(nobody)


def test_a_simulated_model_is_warned_of_first() -> None:
    assert shown(document()).startswith("In short Warning. The model was trained on simulated data.")


def test_a_model_of_real_history_says_which() -> None:
    model = {**samples.result()["model"], "simulated": False, "trained_on": "Springfield, 2024-25"}  # type: ignore[dict-item]
    assert provenance(document(model=model)) == "The model was trained on real history: Springfield, 2024-25."


def test_a_model_without_a_signal_claims_none() -> None:
    model = {**samples.result()["model"], "signal": False}  # type: ignore[dict-item]
    assert "found no signal there, and claims none" in provenance(document(model=model))


def test_groups_more_than_five_points_apart_are_warned_of() -> None:
    found = shown(with_rates({"F": samples.cell(0.30, 400), "M": samples.cell(0.20, 400)}))
    assert "Warning. Gender: students who were never identified are not alerted equally often." in found
    assert "The rates of “F” and “M” are 10.0 points apart, more than 5. Their intervals do not overlap." in found
    assert "Under the 10% rule the group's widest gap is 10.0 points." in found


def test_groups_within_five_points_are_said_to_be() -> None:
    found = shown(with_rates({"F": samples.cell(0.22, 400), "M": samples.cell(0.20, 400)}))
    assert "False-alert rates lie within 5.0 points in: Gender." in found


def test_a_small_group_makes_no_gap() -> None:
    found = shown(with_rates({"F": samples.cell(0.22, 400), "X": samples.cell(None, 4)}))
    assert "No group could be compared with another" in found


def test_a_gap_that_chance_may_explain_says_so() -> None:
    rows = group_rows(with_rates({"F": samples.cell(0.30, 20), "M": samples.cell(0.20, 20)}))
    assert "chance may explain it" in gap_warning(gaps(rows, "both")["Gender"], None)
