"""Engagement of one student: attendance, behaviour and courses, each judged by a threshold with a source. Pure.

It never feeds the risk model: import-linter and a test hold that.
"""
