"""Made pictures with exactly known changes, for benchmarks and for training (no torch)."""
