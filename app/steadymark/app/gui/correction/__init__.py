"""Correcting landmarks by hand: the mouse in the video, the bar, and the marks."""
