"""The keys of feeds: one a student and feed, in the database, wrapped by a master key that is not there."""
