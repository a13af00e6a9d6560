"""What schools have reported: head counts, closed days, calendars that are assumed. Pure."""
