"""Engagement of the students in a folder of the district export set, as one reader may see it."""
