"""Comparison with other landmark trackers that the user has installed."""
