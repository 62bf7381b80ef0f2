"""The persons of a video: which face is whose, what is known of each, and who may be the same."""
