"""One open recording: its media, player, tracking and results."""
