"""Reports that a reader of a study can understand: what was tracked, how, and what is doubtful."""
