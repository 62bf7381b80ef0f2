"""Benchmarks of stabilizers on real clips without ground truth."""
