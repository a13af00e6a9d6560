"""Risk: the policy, features, the model, one student-day; and four rooms. Pure, but for loading an artifact.

`engine` decides; `backtest` walks a history and measures; `training` learns from walks; `simulation` makes worlds and
knows none of the others.
"""
