"""Panels beside the video: settings, statistics, plots."""
