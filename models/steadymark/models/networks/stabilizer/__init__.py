"""Recurrent networks that stabilize the landmarks of a video, frame by frame."""
