"""Landmark tables: written, read, checked, filtered."""
