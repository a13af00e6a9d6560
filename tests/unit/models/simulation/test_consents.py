from __future__ import annotations

from collections import Counter

from models.simulation import World

FIRST_DAY, LAST_DAY = "2025-09-04", "2026-06-18"


def test_seven_tenths_of_students_have_a_consent(world: World) -> None:
    students = {row[0] for row in world.consents()}
    assert 0.65 < len(students) / world.config.students < 0.75


def test_most_consents_fit_the_gate_and_some_do_not(world: World) -> None:
    kinds = Counter((row[6], row[7], row[8]) for row in world.consents())
    fitting = ("attendance;contact;demographics", "homelessness-prevention", "project-hope")
    assert kinds[fitting] / kinds.total() > 0.9
    assert kinds["attendance;contact;demographics", "homelessness-prevention", "dsni"] > 0
    assert kinds["contact", "homelessness-prevention", "project-hope"] > 0


def test_most_are_signed_before_the_year_and_some_during_it(world: World) -> None:
    signed = [row[4] for row in world.consents()]
    before = sum(day < FIRST_DAY for day in signed)
    assert 0.8 < before / len(signed) < 1
    assert max(signed) <= LAST_DAY


def test_some_are_withdrawn_or_end_during_the_year_and_never_before_they_were_signed(world: World) -> None:
    rows = list(world.consents())
    revoked = [row for row in rows if row[10]]
    ended = [row for row in rows if row[9] == "2025-12-31"]
    assert len(revoked) > 10
    assert len(ended) > 15
    assert all(row[4] < row[10] for row in revoked)
    assert all(row[4] < row[9] for row in ended)


def test_one_guardian_signs_for_all_children_of_a_household(world: World) -> None:
    home = {row[0]: row[5] for row in world.students()}
    signers = {(home[row[0]], row[2], row[3]) for row in world.consents()}
    assert len(signers) == len({household for household, _, _ in signers})
