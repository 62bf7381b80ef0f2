"""Benchmarks that the `steadymark bench` command runs."""
