"""Measures of landmark accuracy and stability."""
