"""Cases: an agency's work about one household, from an alert to help."""
