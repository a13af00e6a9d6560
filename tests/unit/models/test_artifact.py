"""A model is read as it was written, or the error says what is wrong with the file and what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest

from models.artifact import (
    MOST_BYTES,
    SCHEMA,
    ArtifactError,
    CorruptArtifactError,
    MissingArtifactError,
    ModelChange,
    OtherSchemaError,
    load_artifact,
    parse_artifact,
)
from models.risk_model import NO_SIBLING
from tests.unit.models.hand_made import artifact
from tests.unit.models.tracks import inputs_of, random_days, unruled

Edit = Callable[[dict[str, object]], object]
WHAT_TO_DO = "firstbell train"


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = artifact()
    file = tmp_path / "model.json"
    file.write_text(made.dump())

    read = load_artifact(file)

    assert read == made
    assert read.dump() == made.dump()


def test_what_was_read_scores_alike_to_the_bit(tmp_path: Path) -> None:
    made = artifact(7)
    file = tmp_path / "model.json"
    file.write_text(made.dump())
    days = [random_days(Random(seed), 60) for seed in range(50)]
    rows = np.array([inputs_of(unruled(each)) for each in days], dtype=np.int32)
    sibling = np.linspace(-6, 3, 50)
    sibling[:5] = NO_SIBLING

    read = load_artifact(file).model

    assert (read.score(read.own(rows), sibling) == made.model.score(made.model.own(rows), sibling)).all()


def test_changes_stay_with_the_model() -> None:
    change = ModelChange(on=artifact().training.last_day, accepted=False, reason="worse", figures={"precision": 0.2})
    made = artifact().model_copy(update={"changes": (change,)})

    assert parse_artifact(made.dump(), "m").changes == (change,)


def test_a_simulated_model_says_so() -> None:
    assert "simulated" in artifact().caveat
    assert not artifact(simulated=False).caveat


def test_a_model_that_claims_nothing_says_so() -> None:
    assert artifact().signal
    assert not artifact(kind="none").signal


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingArtifactError, match=rf"no gone\.json\. .*{WHAT_TO_DO}"):
        load_artifact(tmp_path / "gone.json")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(MissingArtifactError, match=WHAT_TO_DO):
        load_artifact(tmp_path)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff\xfe\x00", b"PK\x03\x04", b'{"schema_version": 1}'])
def test_a_file_that_is_no_model(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "model.json"
    file.write_bytes(data)

    with pytest.raises(CorruptArtifactError, match=rf"model\.json.*{WHAT_TO_DO}"):
        load_artifact(file)


def test_half_a_file(tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    file.write_text(artifact().dump()[:900])

    with pytest.raises(CorruptArtifactError, match=WHAT_TO_DO):
        load_artifact(file)


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    file.write_text(artifact().dump() + " " * MOST_BYTES)

    with pytest.raises(CorruptArtifactError, match=f"too large.*{WHAT_TO_DO}"):
        load_artifact(file)


def edited(edit: Edit) -> str:
    told = json.loads(artifact().dump())
    edit(told)
    return json.dumps(told)


@pytest.mark.parametrize("schema", [SCHEMA - 1, SCHEMA + 1])
def test_another_schema_names_both(schema: int) -> None:
    text = edited(lambda told: told.update(schema_version=schema, unknown=1))

    with pytest.raises(OtherSchemaError, match=f"schema {schema}, .* schema {SCHEMA}.*{WHAT_TO_DO}"):
        parse_artifact(text, "old.json")


def _steps(told: dict[str, object]) -> list[dict[str, object]]:
    steps = told["steps"]
    assert isinstance(steps, list)
    return steps


def _rename(told: dict[str, object]) -> None:
    _steps(told)[0]["feature"] = "something_else"


def _swap(told: dict[str, object]) -> None:
    steps = _steps(told)
    steps[0], steps[1] = steps[1], steps[0]


@pytest.mark.parametrize("edit", [_rename, _swap, lambda told: _steps(told).pop()], ids=["other", "order", "fewer"])
def test_other_features_are_not_scored_with(edit: Edit) -> None:
    with pytest.raises(OtherSchemaError, match=f"other features.*{WHAT_TO_DO}"):
        parse_artifact(edited(edit), "m.json")


def _part(**values: object) -> Edit:
    return lambda told: _steps(told)[0].update(values)


DAMAGE: dict[str, tuple[Edit, str]] = {
    "edges that fall": (_part(edges=[2.0, 1.0], values=[0.0, 0.0, 0.0]), "steps.0"),
    "edges twice": (_part(edges=[1.0, 1.0], values=[0.0, 0.0, 0.0]), "steps.0"),
    "a value too few": (_part(edges=[1.0], values=[0.0]), "steps.0"),
    "an edge that is no number": (_part(edges=[float("nan")], values=[0.0, 0.0]), "steps.0"),
    "an endless value": (_part(edges=[1.0], values=[0.0, float("inf")]), "steps.0"),
    "text for a number": (_part(values="many"), "steps.0.values"),
    "no intercept": (lambda told: told.pop("intercept"), "intercept"),
    "an intercept that is no number": (lambda told: told.update(intercept=float("nan")), "intercept"),
    "an endless intercept": (lambda told: told.update(intercept=float("inf")), "intercept"),
    "a share above 1": (lambda told: told.update(base_rate=1.5), "base_rate"),
    "a share that is no number": (lambda told: told.update(base_rate=float("nan")), "base_rate"),
    "no capacity": (lambda told: told.update(capacity=0), "capacity"),
    "a kind unheard of": (lambda told: told.update(kind="oracle"), "kind"),
    "a field too many": (lambda told: told.update(code="import os"), "code"),
}


@pytest.mark.parametrize(("edit", "where"), DAMAGE.values(), ids=DAMAGE.keys())
def test_damage_is_named_by_its_place_and_its_value_is_not_told(edit: Edit, where: str) -> None:
    with pytest.raises(CorruptArtifactError, match=rf"m\.json is damaged at `{where}.*{WHAT_TO_DO}") as raised:
        parse_artifact(edited(edit), "m.json")

    assert "import os" not in str(raised.value)


def test_whoever_catches_one_error_catches_all() -> None:
    assert all(
        issubclass(kind, ArtifactError) for kind in (MissingArtifactError, OtherSchemaError, CorruptArtifactError)
    )
