"""Benchmarks on real clips without ground truth."""
