"""What a parent is shown of a child: everything that any service holds, in plain words, in one file."""
