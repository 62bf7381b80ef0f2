"""Annotated videos and drawing of results."""
