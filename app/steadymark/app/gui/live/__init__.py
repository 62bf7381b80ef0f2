"""The window's handling of cameras, streams and streaming targets."""
