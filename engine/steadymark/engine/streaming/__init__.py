"""Results sent to other programs while they are tracked; off unless asked for."""
