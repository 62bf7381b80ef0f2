"""Measures of a recording, and their comparison with ground truth and with other variants."""
