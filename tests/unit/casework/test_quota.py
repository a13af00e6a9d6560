"""A stolen token must not walk through a school."""

from __future__ import annotations

import logging

import pytest

from services.casework import quota as quota_module
from services.casework.quota import HOUR_SECONDS, StudentQuota
from services.platform.http import ProblemError


class Clock:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def quota(clock: Clock) -> StudentQuota:
    return StudentQuota(3, clock)


def refused(quota: StudentQuota, subject: str, *students: str) -> int:
    """The seconds to wait."""
    with pytest.raises(ProblemError) as caught:
        quota.take(subject, students)
    assert caught.value.status == 429
    return int(caught.value.headers["Retry-After"])


def test_distinct_students_count_and_the_same_ones_do_not(quota: StudentQuota) -> None:
    for _ in range(9):
        quota.take("p", ["a", "b", "a"])
    quota.take("p", ["c", "a"])
    assert refused(quota, "p", "d") == HOUR_SECONDS
    quota.take("p", ["b"])
    quota.take("p", [])


def test_each_subject_has_its_own(quota: StudentQuota) -> None:
    quota.take("p", "abc")
    quota.take("q", "def")
    refused(quota, "q", "a")


def test_what_is_refused_does_not_count(quota: StudentQuota) -> None:
    quota.take("p", "a")
    refused(quota, "p", *"bcd")
    quota.take("p", "bc")


def test_after_an_hour_without_a_look_a_student_is_forgotten(quota: StudentQuota, clock: Clock) -> None:
    quota.take("p", "a")
    clock.now += 600
    quota.take("p", "bc")
    assert refused(quota, "p", "d") == HOUR_SECONDS - 600
    assert refused(quota, "p", "d", "e") == HOUR_SECONDS
    clock.now += HOUR_SECONDS - 600
    quota.take("p", "d")
    refused(quota, "p", "e")


def test_more_at_once_than_ever_may_be_is_refused_for_an_hour(quota: StudentQuota) -> None:
    assert refused(quota, "p", *"abcd") == HOUR_SECONDS


def test_memory_is_bounded(quota: StudentQuota, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quota_module, "MOST_REMEMBERED", 5)
    quota.take("p", "abc")
    quota.take("q", "abc")  # p is forgotten
    quota.take("r", "ab")
    quota.take("p", "xyz")
    assert quota._remembered == sum(len(seen) for seen in quota._looks.values()) <= 5
    refused(quota, "p", "a")


def test_it_is_said_to_the_operator_without_the_subject_and_the_students(
    quota: StudentQuota, caplog: pytest.LogCaptureFixture
) -> None:
    before = quota_module.exceeded._value.get()
    with caplog.at_level(logging.WARNING):
        refused(quota, "jane.roe@hope.example", "q7Yc1m3Jx0a9", *"bcd")
    assert quota_module.exceeded._value.get() == before + 1
    [said] = caplog.messages
    assert "stolen" in said
    assert not any(secret in said for secret in ("jane", "hope", "q7Yc"))
