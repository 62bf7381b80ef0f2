"""Files that results are written to, and reading them back."""
