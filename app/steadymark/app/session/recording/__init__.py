"""One opened recording: its media, player, tracking and results."""
