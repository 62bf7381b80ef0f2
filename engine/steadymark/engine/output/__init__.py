"""Writing results to files, and reading landmark files back."""
