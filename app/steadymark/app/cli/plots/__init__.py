"""Plots that commands write to files."""
