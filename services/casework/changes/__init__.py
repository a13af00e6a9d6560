"""Which cases changed, told to the pages that show them: ids alone."""
