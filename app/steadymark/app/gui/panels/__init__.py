"""The panels beside the video: settings, statistics and plots."""
