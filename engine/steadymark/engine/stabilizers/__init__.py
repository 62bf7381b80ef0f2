"""Stabilizers of landmark trajectories, their registry, and the guard that restarts them."""
