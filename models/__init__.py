"""Risk: windows, rules, episodes, the world simulator. Pure, no I/O."""
