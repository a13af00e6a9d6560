"""How lag is shown, and which Kafka it is asked of."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from services.cli.common import find_kafka
from services.cli.lag import duration, lag, lag_document, lag_table
from services.contracts.topics import MARKS, NOTIFY_GROUP, THRESHOLDS, WARNING_GROUP
from services.platform.embedded.data_dir import DataDir
from services.platform.embedded.endpoints import Stack, write_stack
from services.platform.errors import NotRunningError
from services.platform.lag import PartitionLag
from services.platform.settings import Settings

UNKNOWN = PartitionLag("group", "topic", 1, None, 5, None, None)


def running_in(folder: Path) -> Stack:
    url = "http://127.0.0.1:1"
    stack = Stack(
        ingest=url, casework=url, console=url, notify=url, warning=url, kafka="127.0.0.1:9001", database="postgresql://x",
        database_app="postgresql://y",
        smtp="127.0.0.1:2", mail_dir=None, data_dir=folder, issuer="urn:firstbell:embedded", services={},
    )  # fmt: skip
    DataDir(folder).create()
    write_stack(stack)
    return stack


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "unknown"), (0.0, "0 s"), (0.04, "0.0 s"), (59.94, "59.9 s"), (61, "1 min 01 s"),
        (7_500, "2 h 05 min"), (90_000, "1 d 01 h"),
    ],
)  # fmt: skip
def test_a_duration_is_said_in_its_two_largest_units(seconds: float | None, said: str) -> None:
    assert duration(seconds) == said


def test_the_document_has_null_for_what_is_unknown() -> None:
    assert lag_document([UNKNOWN]) == {
        "partitions": [
            {
                "group": "group", "topic": "topic", "partition": 1,
                "committed": None, "end": 5, "lag": None, "seconds_behind": None,
            }
        ]
    }  # fmt: skip


def test_the_table_says_unknown_and_not_zero() -> None:
    console = Console(width=120)
    with console.capture() as captured:
        console.print(lag_table([UNKNOWN]))
    assert captured.get().count("unknown") == 3


def test_the_table_breaks_no_name_at_80_columns() -> None:
    rows = [
        PartitionLag(group, topic, 11, 123_456_789, 123_999_999, 543_210, 3_599.0)
        for group in (WARNING_GROUP, NOTIFY_GROUP)
        for topic in (MARKS.name, THRESHOLDS.name)
    ]
    console = Console(width=80)
    with console.capture() as captured:
        console.print(lag_table(rows))
    lines = captured.get().splitlines()
    assert len(lines) == 2 + 2 + len(rows)
    assert [line.split()[0] for line in lines[2:]] == [
        WARNING_GROUP, MARKS.name, THRESHOLDS.name, NOTIFY_GROUP, MARKS.name, THRESHOLDS.name
    ]  # fmt: skip
    assert lines[3].split()[1:] == ["11", "123,456,789", "123,999,999", "543,210", "59", "min", "59", "s"]


def test_without_a_stack_the_status_is_3_and_the_message_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FIRSTBELL_KAFKA", raising=False)
    result = CliRunner().invoke(lag, ["--data-dir", str(tmp_path)])
    assert result.exit_code == 3
    assert "firstbell up" in result.output
    assert result.stdout == ""


def test_the_stack_in_the_folder_that_was_named_comes_first(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, kafka="outside:9092")
    stack = running_in(tmp_path)
    assert find_kafka(settings, data_dir=tmp_path) == stack.kafka
    assert find_kafka(settings, data_dir=None) == "outside:9092"
    assert find_kafka(settings.model_copy(update={"kafka": None}), data_dir=None) == stack.kafka


def test_a_named_folder_where_nothing_runs_leaves_the_outside_cluster(tmp_path: Path) -> None:
    assert find_kafka(Settings(data_dir=tmp_path, kafka="outside:9092"), data_dir=tmp_path) == "outside:9092"
    with pytest.raises(NotRunningError):
        find_kafka(Settings(data_dir=tmp_path, kafka=None), data_dir=tmp_path)
