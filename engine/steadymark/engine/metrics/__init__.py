"""Accuracy and stability measures."""
