"""Eyeballs of the fitted 3D face, the gaze that follows from pupils, and its calibration."""
