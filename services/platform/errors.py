"""Errors whose messages are for people and say what to do next."""

from __future__ import annotations


class OperatorError(Exception):
    """Something failed for the person at the terminal; the message says why and what to do."""


class NotRunningError(OperatorError):
    """There is no running stack or cluster to talk to."""
