"""Calibrations of gaze: points on a screen, fixations, and the persons of a recording."""
