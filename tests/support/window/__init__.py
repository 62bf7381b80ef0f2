"""Helpers that drive the window and the session."""
