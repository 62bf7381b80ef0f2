"""What is tracked, sent to other programs while it is tracked: off unless asked for."""
