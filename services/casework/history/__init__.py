"""The alert history API."""
