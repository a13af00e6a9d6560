"""The one engine: the students of a school year as rows, their days as columns, decided many at once.

`register` holds what was said of each day and where it counts; `ledger` the running totals of the days that count;
`rules`, `scores` and `levels` decide on them; `cohort` puts these together: facts mark what they touch, and one
evaluation decides all of it. `episodes` and `reasons` say it in words for people. Used by the worker, by
replay and by the backtest; it imports the policy of `models/` and numpy, nothing else.
"""
