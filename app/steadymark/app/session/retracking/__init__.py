"""Tracking a part of a recording again, from landmarks that a person has corrected."""
