"""A student's school year, day by day: the pattern that a person sees at a glance."""
