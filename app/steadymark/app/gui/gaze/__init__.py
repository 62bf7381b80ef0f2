"""The gaze calibration: its dialog, and the points that are shown on the whole screen."""
