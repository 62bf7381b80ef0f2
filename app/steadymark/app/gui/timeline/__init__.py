"""The timeline below the video: faces, jitter, lanes, thumbnails, and its zoom."""
