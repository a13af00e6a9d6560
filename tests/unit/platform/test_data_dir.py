from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from services.cli.up import up
from services.platform.embedded.data_dir import DataDir
from services.platform.embedded.endpoints import RunningService, Stack, read_stack, write_stack
from services.platform.embedded.errors import DataDirInUseError, EmbeddedError

HOLDER = """
import sys
from pathlib import Path
from services.platform.embedded.data_dir import DataDir
data = DataDir(Path(sys.argv[1]))
data.create()
with data.hold():
    print("held", flush=True)
    sys.stdin.read()
"""


def a_stack(data_dir: Path) -> Stack:
    return Stack(
        ingest="http://127.0.0.1:1",
        casework="http://127.0.0.1:2",
        console="http://127.0.0.1:2",
        notify="http://127.0.0.1:3",
        warning="http://127.0.0.1:4",
        kafka="127.0.0.1:5",
        database="postgresql+psycopg://firstbell:hidden@127.0.0.1:6/firstbell",
        database_app="postgresql+psycopg://firstbell_app:buried@127.0.0.1:6/firstbell",
        smtp="127.0.0.1:7",
        mail_dir=data_dir / "mail",
        data_dir=data_dir,
        issuer="urn:firstbell:embedded",
        services={"kafka": RunningService(pid=8, url=None), "postgres": RunningService(pid=None, url=None)},
    )


def test_only_the_owner_may_enter_the_folder(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "data")
    data.create()
    for folder in (data.root, data.mail, data.logs, data.postgres, data.kafka, data.run):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_second_user_of_the_folder_is_told_the_pid_of_the_first(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        expected = pytest.raises(DataDirInUseError, match=rf"in use by process {holder.pid}\b.*--data-dir")
        with expected, DataDir(tmp_path).hold():
            pass
        result = CliRunner().invoke(up, ["--data-dir", str(tmp_path)])
        assert result.exit_code == 3
        assert f"process {holder.pid}" in result.stderr
        assert not result.stdout
        holder.kill()
    with DataDir(tmp_path).hold():
        pass


def test_a_folder_that_cannot_be_made_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedError, match="--data-dir"):
        DataDir(tmp_path / "file" / "data").create()


def test_the_stack_of_a_living_owner_is_read_back(tmp_path: Path) -> None:
    stack = a_stack(tmp_path)
    write_stack(stack)
    assert read_stack(tmp_path) == stack
    assert DataDir(tmp_path).stack_file.stat().st_mode & 0o777 == 0o600


def test_the_stack_of_a_dead_owner_is_none(tmp_path: Path) -> None:
    write_stack(a_stack(tmp_path))
    file = DataDir(tmp_path).stack_file
    file.write_text(file.read_text().replace(f'"owner_pid": {os.getpid()}', '"owner_pid": 1'))
    assert read_stack(tmp_path) is None
    assert read_stack(tmp_path / "elsewhere") is None


def test_the_password_is_not_in_the_stacks_repr(tmp_path: Path) -> None:
    assert "hidden" not in repr(a_stack(tmp_path))
    assert "buried" not in repr(a_stack(tmp_path))


def test_the_pid_of_a_process_that_does_not_run_is_a_lookup_error(tmp_path: Path) -> None:
    stack = a_stack(tmp_path)
    assert stack.pid("kafka") == 8
    for name in ("postgres", "other"):
        with pytest.raises(LookupError):
            stack.pid(name)
