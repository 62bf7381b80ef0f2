"""Training of recurrent stabilizer cells, and the caches of sequences that they learn from."""
