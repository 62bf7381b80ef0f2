"""Annotated videos and drawing."""
