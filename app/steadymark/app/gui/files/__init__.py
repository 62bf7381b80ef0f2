"""Files in the window: recordings, exports, the video queue, own models."""
