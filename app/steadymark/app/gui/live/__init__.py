"""Cameras, streams and streaming targets in the window."""
