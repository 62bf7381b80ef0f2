"""Benchmarks on synthetic scenes with exact ground truth."""
