"""The video with its landmarks, the timeline and the playback bar."""
