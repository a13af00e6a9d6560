"""What begins a transaction, and for whom."""

from __future__ import annotations

import asyncio

import pytest

from services.platform.database import CallerContext, _caller, begin_statement, caller_context


def test_a_transaction_of_a_service_begins_with_its_name_in_one_message() -> None:
    assert begin_statement("casework", None) == "BEGIN; SELECT set_config('firstbell.service', 'casework', true)"


def test_a_callers_context_is_quoted_and_ends_with_the_transaction() -> None:
    statement = begin_statement("casework", CallerContext("caseworker", "project-hope", ["o'hara", "burke-high"]))
    assert statement.count("true)") == 4
    assert "set_config('firstbell.role', 'caseworker', true)" in statement
    assert "set_config('firstbell.agency', 'project-hope', true)" in statement
    assert "set_config('firstbell.schools', '\x1fo''hara\x1fburke-high', true)" in statement


def test_no_schools_are_not_unset_schools() -> None:
    assert CallerContext("caseworker").settings()["schools"] == ""
    assert CallerContext("caseworker", schools=[]).settings()["schools"] != ""


@pytest.mark.parametrize(
    ("role", "agency", "schools"),
    [("", None, None), ("a\x1fb", None, None), ("a", "b\x00", None), ("a", None, ["b\x1fc"]), ("a", None, [""])],
)
def test_what_no_id_can_be_is_refused(role: str, agency: str | None, schools: list[str] | None) -> None:
    with pytest.raises(ValueError, match="not printable"), caller_context(role, agency=agency, schools=schools):
        pytest.fail("the context began")
    assert _caller.get() is None


async def test_the_context_is_that_of_its_task_and_of_what_it_starts() -> None:
    async def seen() -> CallerContext | None:
        return _caller.get()

    outside = asyncio.create_task(seen())
    with caller_context("caseworker", schools=["burke-high"]):
        inside = asyncio.create_task(seen())
        with caller_context("operator"):
            assert _caller.get() == CallerContext("operator")
        assert await seen() == await inside == CallerContext("caseworker", None, ["burke-high"])
    assert await outside is None
    assert await seen() is None
