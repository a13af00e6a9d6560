"""The console's pages: a module a page."""
