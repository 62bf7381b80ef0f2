"""Live sources: cameras and network streams."""
