"""The database's roles: their names, passwords and URLs."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from services.platform.embedded.endpoints import Endpoints, stack_database
from services.platform.roles import as_role, read_password, roles_of
from services.platform.settings import SettingsError
from services.registry import SERVICES
from tests.unit.platform.test_data_dir import a_stack

OUTSIDE = "postgresql+psycopg://owner:p%40ss@db.example:6000/bell?sslmode=require"


def test_each_service_has_a_role_and_who_reads() -> None:
    assert roles_of(SERVICES) == [
        "firstbell_ingest",
        "firstbell_warning",
        "firstbell_casework",
        "firstbell_notify",
        "firstbell_app",
    ]


def test_a_password_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    password = read_password(tmp_path / "secrets", "firstbell_ingest")
    assert len(password) > 40
    assert read_password(tmp_path / "secrets", "firstbell_ingest") == password
    assert read_password(tmp_path / "secrets", "firstbell_app") != password
    [path] = tmp_path.glob("secrets/firstbell_ingest*")
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    path.chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600") as told:
        read_password(tmp_path / "secrets", "firstbell_ingest")
    assert password not in str(told.value)


def test_outside_the_owner_becomes_a_role() -> None:
    parts = make_url(as_role(OUTSIDE, "firstbell_casework"))
    assert (parts.username, parts.password, parts.host, parts.database) == ("owner", "p@ss", "db.example", "bell")
    assert parts.query == {"sslmode": "require", "options": "-crole=firstbell_casework"}
    again = make_url(as_role(OUTSIDE + "&options=-cstatement_timeout%3D9", "firstbell_app"))
    assert again.query["options"] == "-cstatement_timeout=9 -crole=firstbell_app"
    assert Endpoints("k:1", OUTSIDE, "s:2").database_of("notify") == as_role(OUTSIDE, "firstbell_notify")


def test_a_command_takes_part_by_the_login_of_its_role(tmp_path: Path) -> None:
    stack = a_stack(tmp_path)
    parts = make_url(stack_database(stack, "ingest"))
    assert parts.username == "firstbell_ingest"
    assert parts.password == read_password(tmp_path / "secrets", "firstbell_ingest")
    outside = stack.model_copy(update={"database": OUTSIDE, "database_app": as_role(OUTSIDE, "firstbell_app")})
    assert stack_database(outside, "ingest") == as_role(OUTSIDE, "firstbell_ingest")
