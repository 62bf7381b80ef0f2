"""Writing, reading, checking and filtering of landmark tables."""
