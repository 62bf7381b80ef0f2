"""Filters of landmark trajectories, and the guard that restarts them when they diverge."""
