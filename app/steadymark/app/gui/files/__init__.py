"""The window's handling of files: recordings, exports, the video queue and own models."""
