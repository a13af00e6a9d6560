"""The Faust worker: windows, rules and alert episodes."""
