"""The video with its landmarks, and the playback bar."""
