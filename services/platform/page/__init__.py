"""Pages of HTML that are one file: elements, and the whole around them. No scripts, nothing loaded from elsewhere."""
