"""Recurrent cells as trainable systems, with the caches that they learn from."""
