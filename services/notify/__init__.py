"""Routing and delivery of alerts to the people of a team."""
