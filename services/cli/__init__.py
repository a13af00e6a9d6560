"""The command line: `firstbell`."""
