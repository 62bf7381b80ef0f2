"""`steadymark bench`: benchmarks that anyone can repeat."""
