"""Landmark networks as trainable systems."""
